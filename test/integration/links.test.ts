import test, { type ExecutionContext } from 'ava';
import { ask, parseMetrics, type Samples, sumOf } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { linkedTo, type Node, startCluster } from '../support/cluster.ts';
import { confirmed } from '../support/confirmed.ts';
import { skipWithoutNats, startNats, startNatsRelays } from '../support/nats.ts';
import { post } from '../support/raw-client.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

async function scrape(node: Node): Promise<Samples> {
  return parseMetrics((await ask(await node.port('admin'), '/metrics')).body);
}

/** Scrapes until it holds. */
async function scraped(node: Node, holds: (samples: Samples) => boolean, what: string): Promise<Samples> {
  let last: Samples = new Map();
  await eventually(async () => {
    last = await scrape(node);
    return holds(last);
  }, what);
  return last;
}

/** A client at the path `/c`, which all linked relays know. */
async function listening(t: ExecutionContext, node: Node): Promise<WsClient> {
  const port = await node.port('pinghub');
  return confirmed(t, await node.port('pusu'), () => connectWs(t, port, '/c'));
}

test.serial('metrics say how each link is, and what went over it', async (t) => {
  const cluster = await startCluster(t, 3);
  const [a, b] = cluster.nodes as [Node, Node, Node];
  const listener = await listening(t, b);
  for (let i = 0; i < 10; i++) await post(await a.port('pinghub'), '/c', `message ${i}`);
  await listener.take(10);
  const out = 'peer="relay-2",direction="out"';
  const served = await scraped(
    a,
    (samples) =>
      sumOf(samples, 'fanfare_link_messages_total', out) === 10 &&
      sumOf(samples, 'fanfare_link_pending_bytes', out) === 0,
    'ten were served, and none waits',
  );
  t.is(sumOf(served, 'fanfare_links', 'state="up"'), 4);
  t.is(sumOf(served, 'fanfare_links', 'state="down"'), 0);
  t.is(sumOf(served, 'fanfare_link_up'), 4);
  t.true(sumOf(served, 'fanfare_link_bytes_total', out) > 100);
  t.is(sumOf(served, 'fanfare_link_lost_messages_total'), 0);
  t.true(served.get('fanfare_link_lag_seconds')?.has(`{${out}}`));
  const taken = await scraped(
    b,
    (samples) => sumOf(samples, 'fanfare_link_round_trip_seconds', 'peer="relay-1",direction="in"') > 0,
    'a ping was answered',
  );
  t.is(sumOf(taken, 'fanfare_link_messages_total', 'peer="relay-1",direction="in"'), 10);
  t.true(sumOf(taken, 'fanfare_link_bytes_total', 'peer="relay-1",direction="in"') > 100);

  // A relay that is gone: its links are down, and what was meant for it is counted as lost.
  await b.kill();
  await scraped(a, (samples) => sumOf(samples, 'fanfare_links', 'state="down"') === 2, 'two links are down');
  await post(await a.port('pinghub'), '/c', 'nobody gets this');
  const without = await scraped(
    a,
    (samples) => sumOf(samples, 'fanfare_link_lost_messages_total', out) === 1,
    'it is counted',
  );
  t.is(sumOf(without, 'fanfare_link_up', 'peer="relay-2"'), 0);
  t.is(sumOf(without, 'fanfare_link_up', 'peer="relay-3"'), 2);
  const from = a.log.all.length;
  await cluster.start(1);
  await linkedTo(a, 'relay-2', from);
  const again = await scraped(
    a,
    (samples) => sumOf(samples, 'fanfare_links', 'state="up"') === 4,
    'all are up',
  );
  t.is(sumOf(again, 'fanfare_link_reconnects_total', 'peer="relay-2",direction="in"'), 1);
});

test.serial('the link to NATS is counted, and who is heard there is named', async (t) => {
  if (skipWithoutNats(t)) return;
  const server = await startNats(t);
  const [a, b] = (await startNatsRelays(t, [server.address], 2)) as [Node, Node];
  const listener = await listening(t, b);
  await post(await a.port('pinghub'), '/c', 'one');
  await listener.next();
  const samples = await scraped(
    a,
    (found) =>
      sumOf(found, 'fanfare_link_messages_total', 'peer="nats",direction="out"') === 1 &&
      sumOf(found, 'fanfare_link_round_trip_seconds', 'peer="nats"') > 0,
    'one was sent, and a ping was answered',
  );
  t.is(sumOf(samples, 'fanfare_link_up', 'peer="relay-2"'), 1);
  t.false(samples.get('fanfare_link_messages_total')?.has('{peer="relay-2",direction="in"}') ?? true);
  const roundTrip = (found: Samples) =>
    sumOf(found, 'fanfare_link_round_trip_seconds', 'peer="nats",direction="in"');
  await server.freeze();
  await scraped(a, (found) => roundTrip(found) > 0.5, 'a ping that has no answer is late');
  const { body } = await ask(await a.port('admin'), '/observer/export?tab=links&format=json');
  const rows = JSON.parse(body) as readonly { readonly roundTrip: number | null }[];
  t.true(
    Math.max(...rows.map((row) => row.roundTrip ?? 0)) > 500,
    'programs get milliseconds, as of all other lists',
  );
  server.signal('SIGCONT');
  await scraped(a, (found) => roundTrip(found) < 0.5, 'its answer has come');
  await server.kill();
  await scraped(a, (found) => sumOf(found, 'fanfare_links', 'state="down"') === 2, 'it is down');
});
