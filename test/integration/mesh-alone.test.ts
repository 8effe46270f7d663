import { writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { ask, parseMetrics, sumOf } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { asNode, doorsOnFreePorts, freePorts, linkedAll, type Node, SECRET } from '../support/cluster.ts';
import { allKnow } from '../support/confirmed.ts';
import { pusu, subscriber } from '../support/pusu-clients.ts';
import { configFile, runRelay } from '../support/relay-process.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

/** A relay whose configuration is written anew, and read again. */
interface Reloaded extends Node {
  /** Returns what the log says of it. */
  reload(settings: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
}

const publishFrame = (channel: string, content: unknown) =>
  JSON.stringify({ type: 'publish', channel, content });

async function start(
  t: ExecutionContext,
  index: number,
  networkPort: number,
  given: Readonly<Record<string, unknown>> = {},
): Promise<Reloaded> {
  const name = `relay-${index}`;
  const common = {
    node: name,
    admin: { host: '127.0.0.1', port: 0 },
    doors: doorsOnFreePorts('10s'),
    topics: [{ pattern: 'ordered.*', ordering: 'cluster' }],
    ...given,
  };
  const network = {
    host: '127.0.0.1',
    port: networkPort,
    secret: SECRET,
    heartbeat: '200ms',
    timeout: '10s',
  };
  const file = configFile(t, JSON.stringify({ network, ...common }));
  const node = asNode(runRelay(t, ['--config', file]), name, networkPort);
  await node.log.find(({ msg }) => msg === 'ready', `${name} is ready`);
  let reloads = 0;
  return {
    ...node,
    reload: async (settings) => {
      const isDone = ({ msg }: { readonly msg: unknown }) => msg === 'reloaded' || msg === 'not reloaded';
      writeFileSync(file, JSON.stringify({ network, ...common, ...settings }));
      node.signal('SIGHUP');
      await node.log.count(isDone, ++reloads);
      return node.log.all.findLast(isDone) as unknown as Readonly<Record<string, unknown>>;
    },
  };
}

/** What comes of a connection to a port of loopback. */
function knock(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve('open');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function linksOf(node: Node): Promise<{ readonly all: number; readonly up: number }> {
  const samples = parseMetrics((await ask(await node.port('admin'), '/metrics')).body);
  return { all: sumOf(samples, 'fanfare_links'), up: sumOf(samples, 'fanfare_links', 'state="up"') };
}

test.serial('a relay alone is linked, and alone again, while it serves its clients', async (t) => {
  const ports = await freePorts(3);
  const relays = ports.map((port) => `127.0.0.1:${port}`);
  const [a, b, c] = (await Promise.all(ports.map((port, i) => start(t, i + 1, port)))) as [
    Reloaded,
    Reloaded,
    Reloaded,
  ];
  for (const port of ports) t.is(await knock(port), 'ECONNREFUSED');
  t.deepEqual(await linksOf(a), { all: 0, up: 0 });
  const here = await subscriber(t, a, 'c');
  const ordered = await subscriber(t, a, 'ordered.1');
  const publisher = await pusu(t, a);
  const owner = await connectWs(t, await a.port('wspubsub'), '/ws/pub/key/example.com/t');
  const own = await connectWs(t, await a.port('wspubsub'), '/ws/sub/example.com/t');
  const gone = await connectWs(t, await a.port('wspubsub'), '/ws/pub/key/example.com/gone');
  await gone.leave();
  publisher.send(publishFrame('ordered.1', 0));
  t.is(await ordered.next(), publishFrame('ordered.1', 0));

  // A relay that joins later and one that is alone are told at different times.
  for (const node of [a, b, c])
    t.like(await node.reload({ relays }), { msg: 'reloaded', applied: ['relays'] });
  await linkedAll([a, b, c]);
  for (const node of [a, b, c]) await allKnow(t, await node.port('pusu'));
  const there = await subscriber(t, b, 'c');
  const orderedThere = await subscriber(t, c, 'ordered.1');
  const distant = [await pusu(t, b), await pusu(t, c)] as const;
  for (let i = 0; i < 200; i++) {
    for (const one of [publisher, ...distant]) {
      one.send(publishFrame('c', i));
      one.send(publishFrame('ordered.1', i));
    }
  }
  const all = Array.from({ length: 200 }, (_, i) => publishFrame('c', i)).flatMap((one) => [one, one, one]);
  for (const one of [here, there]) t.deepEqual((await one.take(600)).toSorted(), all.toSorted());
  t.deepEqual(await ordered.take(600), await orderedThere.take(600));
  // Owned before there was a network, and known in it.
  for (const node of [b, c])
    t.is((await refusedWs(t, await node.port('wspubsub'), '/ws/pub/key/example.com/t')).status, 409);
  const follower = await connectWs(t, await b.port('wspubsub'), '/ws/sub/example.com/t');
  await connectWs(t, await c.port('wspubsub'), '/ws/sub/example.com/gone');
  owner.send('one', Buffer.from([0, 255]));
  for (const one of [own, follower]) t.deepEqual(await one.take(2), ['one', Buffer.from([0, 255])]);

  t.like(await a.reload({ relays: [] }), { msg: 'reloaded', applied: ['relays'] });
  t.is(await knock(a.networkPort), 'ECONNREFUSED');
  t.deepEqual(await linksOf(a), { all: 0, up: 0 });
  for (const node of [b, c]) {
    await node.log.find(({ msg, peer }) => msg === 'unlinked' && peer === 'relay-1');
    await eventually(async () => (await linksOf(node)).up === 2, 'the others are linked to each other alone');
  }
  publisher.send(publishFrame('c', 'alone'), publishFrame('ordered.1', 'alone'));
  t.is(await here.next(), publishFrame('c', 'alone'));
  t.is(await ordered.next(), publishFrame('ordered.1', 'alone'));
  owner.send('alone');
  t.is(await own.next(), 'alone');
  t.is((await refusedWs(t, await a.port('wspubsub'), '/ws/pub/key/example.com/t')).status, 409);
  distant[0].send(publishFrame('c', 'others'));
  t.is(await there.next(), publishFrame('c', 'others'));

  // And once more: what the first network left behind is in nobody's way.
  const from = b.log.all.length;
  t.like(await a.reload({ relays }), { msg: 'reloaded' });
  await b.log.find(
    (line) => line.msg === 'linked' && line['peer'] === 'relay-1' && b.log.all.indexOf(line) >= from,
  );
  await a.log.count(({ msg }) => msg === 'linked', 4);
  await allKnow(t, await a.port('pusu'));
  distant[0].send(publishFrame('c', 'again'));
  t.is(await here.next(), publishFrame('c', 'again'));
  t.is((await refusedWs(t, await b.port('wspubsub'), '/ws/pub/key/example.com/t')).status, 409);
  for (const { got } of [here, ordered, own, owner])
    t.is(got.all.filter((one) => typeof one === 'object' && 'code' in one).length, 0);
});

test.serial(
  'a network port that cannot be had is named, the relay stays alone, and may try again',
  async (t) => {
    const [port] = (await freePorts(1)) as [number];
    const taken = await listen(port);
    t.teardown(() => taken.close());
    const relay = await start(t, 1, port);
    const owner = await connectWs(t, await relay.port('wspubsub'), '/ws/pub/key/example.com/t');
    const own = await connectWs(t, await relay.port('wspubsub'), '/ws/sub/example.com/t');
    const relays = [`127.0.0.1:${port}`];
    const tried = await relay.reload({ relays });
    t.is(tried['msg'], 'not reloaded');
    t.regex(String((tried['errors'] as readonly string[])[0]), new RegExp(`^relays: .*${port}.*alone$`));
    t.deepEqual(await linksOf(relay), { all: 0, up: 0 });
    owner.send('still here');
    t.is(await own.next(), 'still here');
    await new Promise((resolve) => taken.close(resolve));
    t.like(await relay.reload({ relays }), { msg: 'reloaded', applied: ['relays'], errors: [] });
    t.is(await knock(port), 'open');
  },
);

test.serial(
  'what the port opens with is taken together with the first list, and warned of then',
  async (t) => {
    const [first, second] = (await freePorts(2)) as [number, number];
    const relay = await start(t, 1, first);
    t.false(relay.log.all.some(({ msg }) => msg === 'open network'));
    const network = { host: '127.0.0.1', port: second };
    t.like(await relay.reload({ network, relays: [`127.0.0.1:${second}`] }), {
      msg: 'reloaded',
      needsRestart: [],
    });
    t.is(await knock(second), 'open');
    t.is(await knock(first), 'ECONNREFUSED');
    t.true(relay.log.all.some(({ msg }) => msg === 'open network'));
    const later = await relay.reload({ relays: [`127.0.0.1:${second}`] });
    t.deepEqual(later['applied'], []);
    t.true((later['needsRestart'] as readonly string[]).includes('network.port'));
  },
);

test.serial('from a mesh to NATS leads a restart alone: until then the links stay', async (t) => {
  const [port] = (await freePorts(1)) as [number];
  const relays = [`127.0.0.1:${port}`];
  const relay = await start(t, 1, port, { relays, topics: [] });
  const result = await relay.reload({ relays: [], cluster: { backplane: 'nats', servers: ['127.0.0.1'] } });
  t.deepEqual(result['applied'], []);
  for (const key of ['relays', 'cluster.backplane', 'cluster.servers'])
    t.true((result['needsRestart'] as readonly string[]).includes(key), key);
  t.is(await knock(port), 'open');
});
