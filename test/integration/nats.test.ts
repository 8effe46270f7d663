import test, { type ExecutionContext } from 'ava';
import { ask, parseMetrics, sumOf } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { owner } from '../support/claimed.ts';
import { linkedTo, type Node } from '../support/cluster.ts';
import { allKnow } from '../support/confirmed.ts';
import { skipWithoutNats, startNats, startNatsRelay, startNatsRelays } from '../support/nats.ts';
import { pusu, subscriber } from '../support/pusu-clients.ts';
import { missing, startPublisher, startSubscriber } from '../support/traffic.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const frame = (channel: string, content: unknown) => JSON.stringify({ type: 'publish', channel, content });

const ownerOf = (t: ExecutionContext, node: Node, topic: string, nodes: readonly Node[] = []) =>
  owner(t, node, { key: 'key', topic: `example.com/${topic}` }, nodes);
const follower = async (t: ExecutionContext, node: Node, topic: string) =>
  connectWs(t, await node.at('wspubsub'), `/ws/sub/example.com/${topic}`);
const logged = (node: Node, msg: string, from = 0) =>
  node.log.find((line) => line.msg === msg && node.log.all.indexOf(line) >= from, `${node.name}: ${msg}`);

/** Messages that the server has confirmed. */
async function sentTo(node: Node): Promise<number> {
  const metrics = parseMetrics((await ask(await node.port('admin'), '/metrics')).body);
  return sumOf(metrics, 'fanfare_link_messages_total', 'peer="nats",direction="out"');
}

for (const size of [2, 3]) {
  test.serial(`${size} relays over NATS: under load each message comes once and in order`, async (t) => {
    if (skipWithoutNats(t)) return;
    const { address } = await startNats(t);
    const nodes = await startNatsRelays(t, [address], size);
    const places = await Promise.all(nodes.map((node) => node.at('pusu')));
    const subscribers = await Promise.all(places.map((at) => startSubscriber(t, at, 'c')));
    const publishers = await Promise.all(
      places.map((at, index) => startPublisher(t, at, 'c', `p${index}`, 2000)),
    );
    await subscribers[0]?.client.got.find(
      () => publishers.every((one) => (subscribers[0]?.of(one.name).count ?? 0) > 500),
      'a load',
    );
    for (const one of publishers) one.stop();
    for (const one of subscribers) {
      for (const publisher of publishers) {
        await one.end(publisher);
        t.is(missing(t, one, publisher), 0);
      }
    }
  });
}

test.serial(
  'a server that is killed and comes back costs what was published meanwhile, and nothing local',
  async (t) => {
    if (skipWithoutNats(t)) return;
    const server = await startNats(t);
    const [a, b] = (await startNatsRelays(t, [server.address], 2)) as [Node, Node];
    const [near, far] = [await a.at('pusu'), await b.at('pusu')];
    const local = await startSubscriber(t, near, 'c');
    const distant = await startSubscriber(t, far, 'c');
    const publisher = await startPublisher(t, near, 'c', 'p', 1000);
    await distant.client.got.find(() => distant.of('p').count > 300, 'messages before');
    let confirmed = 0;
    await eventually(async () => {
      confirmed = await sentTo(a);
      return confirmed > 200;
    }, 'the server confirms them');
    await server.kill();
    const lost = await logged(a, 'nats disconnected');
    const published = publisher.sent();
    const from = [a.log.all.length, b.log.all.length] as const;
    const before = local.of('p').count;
    await local.client.got.find(() => local.of('p').count > before + 200, 'local messages without a server');
    const seen = distant.of('p').last;
    await server.start();
    await linkedTo(a, b.name, from[0]);
    await linkedTo(b, a.name, from[1]);
    await distant.client.got.find(() => distant.of('p').last > seen, 'messages after');
    publisher.stop();
    await local.end(publisher);
    await distant.end(publisher);
    t.is(missing(t, local, publisher), 0);
    const gap = missing(t, distant, publisher);
    t.true(gap >= 200, `${gap} were missed`);
    t.true(Number(lost['unconfirmed']) <= published - confirmed, 'what was confirmed is none of them');
    t.log(
      `missed ${gap} of ${publisher.sent()}; unconfirmed at the end of the connection: ${lost['unconfirmed']}`,
    );
  },
);

test.serial('a server that hangs is found out by its silence, and delays nothing local', async (t) => {
  if (skipWithoutNats(t)) return;
  const server = await startNats(t);
  const [a, b] = (await startNatsRelays(t, [server.address], 2, {
    cluster: {},
    network: { pending: '64KiB', timeout: '2s' },
  })) as [Node, Node];
  const local = await subscriber(t, a, 'c');
  const distant = await subscriber(t, b, 'c');
  const publisher = await pusu(t, a);
  publisher.send(frame('c', 'before'));
  t.is(await distant.next(), frame('c', 'before'));
  t.is(await local.next(), frame('c', 'before'));
  // The server has said that it has taken it: it is none of those that are not confirmed.
  await eventually(async () => (await sentTo(a)) === 1, 'one is confirmed');
  await server.freeze();
  const frames = Array.from({ length: 500 }, (_, index) => frame('c', `${index} ${'x'.repeat(1000)}`));
  publisher.send(...frames);
  t.deepEqual(await local.take(500), frames);
  const end = await logged(a, 'nats disconnected');
  t.is(end['why'], 'silent');
  // The burst may lie on both sides of a heartbeat, with which the overflow is told.
  const overflow = a.log.all
    .filter(({ msg }) => msg === 'link overflow')
    .map(({ topics }) => (topics as Readonly<Record<string, number>>)['main c'] ?? 0)
    .reduce((sum, count) => sum + count, 0);
  t.true(overflow > 400 && overflow < 500, `${overflow}`);
  // All that was taken and never confirmed: with the overflow it is all there was.
  t.is(overflow + Number(end['unconfirmed']), 500);
  const from = a.log.all.length;
  server.signal('SIGCONT');
  await linkedTo(a, b.name, from);
});

test.serial(
  'of two owners made without a server, one is told that the topic is owned elsewhere',
  async (t) => {
    if (skipWithoutNats(t)) return;
    const server = await startNats(t);
    const [a, b] = (await startNatsRelays(t, [server.address], 2)) as [Node, Node];
    await server.kill();
    await Promise.all([logged(a, 'nats disconnected'), logged(b, 'nats disconnected')]);
    const older = await ownerOf(t, a, 't');
    const younger = await ownerOf(t, b, 't');
    const listener = await follower(t, b, 't');
    await server.start();
    t.deepEqual(await younger.next(), { code: 1008, reason: 'owned elsewhere' });
    t.is((await refusedWs(t, await b.at('wspubsub'), '/ws/pub/key/example.com/t')).status, 409);
    await allKnow(t, await b.port('pusu'));
    older.send('of the older');
    t.is(await listener.next(), 'of the older');
  },
);

test.serial(
  'an owner whose relay stood still until the topic was owned elsewhere is its owner again, and the only one',
  async (t) => {
    if (skipWithoutNats(t)) return;
    const server = await startNats(t);
    const [a, b] = (await startNatsRelays(t, [server.address], 2, { network: { timeout: '2s' } })) as [
      Node,
      Node,
    ];
    const older = await ownerOf(t, a, 't', [a, b]);
    const listener = await follower(t, b, 't');
    a.signal('SIGSTOP');
    await logged(b, 'unlinked');
    const younger = await ownerOf(t, b, 't');
    a.signal('SIGCONT');
    t.deepEqual(await younger.next(), { code: 1008, reason: 'owned elsewhere' });
    t.is((await refusedWs(t, await b.at('wspubsub'), '/ws/pub/key/example.com/t')).status, 409);
    older.send('of the older');
    t.is(await listener.next(), 'of the older');
  },
);

test.serial('the topic of a relay that dies waits for its owner at another one, for its grace', async (t) => {
  if (skipWithoutNats(t)) return;
  const { address } = await startNats(t);
  const [a, b, c] = (await startNatsRelays(t, [address], 3, { grace: '5s' })) as [Node, Node, Node];
  for (const topic of ['one', 'two']) await ownerOf(t, a, topic, [a, b, c]);
  const one = await follower(t, b, 'one');
  const two = await follower(t, c, 'two');
  t.is((await refusedWs(t, await c.at('wspubsub'), '/ws/pub/key/example.com/one')).status, 409);
  await a.kill();
  // Who still believes it alive would refuse the claim.
  for (const node of [b, c]) {
    await node.log.find(({ msg, peer }) => msg === 'unlinked' && peer === a.name, 'its death is noticed');
  }
  const back = await ownerOf(t, c, 'one');
  back.send('moved');
  t.is(await one.next(), 'moved');
  t.deepEqual(await two.next(), { code: 1000, reason: 'topic ended' });
});

test.serial('a relay that stops says all that it was told to say', async (t) => {
  if (skipWithoutNats(t)) return;
  const { address } = await startNats(t);
  const [a, b] = (await startNatsRelays(t, [address], 2)) as [Node, Node];
  const distant = await subscriber(t, b, 'c');
  const publisher = await pusu(t, a);
  const frames = Array.from({ length: 1000 }, (_, index) => frame('c', index));
  publisher.send(...frames);
  // The answer shows that all before it were taken.
  publisher.send(JSON.stringify({ type: 'subscribe', channel: 'other' }));
  await publisher.next();
  a.signal('SIGTERM');
  t.deepEqual(await distant.take(1000), frames);
  t.is((await a.exited).code, 0);
});

test.serial('a relay starts without a server, and links itself when there is one', async (t) => {
  if (skipWithoutNats(t)) return;
  const server = await startNats(t);
  await server.kill();
  // Whichever of the servers is there will do.
  const servers = ['127.0.0.1:1', server.address];
  const a = await startNatsRelay(t, servers, 'relay-1');
  await logged(a, 'nats not connected');
  const local = await subscriber(t, a, 'c');
  (await pusu(t, a)).send(frame('c', 'alone'));
  t.is(await local.next(), frame('c', 'alone'));
  await server.start();
  const b = await startNatsRelay(t, servers, 'relay-2');
  await linkedTo(a, b.name);
  await linkedTo(b, a.name);
  await allKnow(t, await a.port('pusu'));
  (await pusu(t, b)).send(frame('c', 'linked'));
  t.is(await local.next(), frame('c', 'linked'));
});

test.serial('two relays of one name say so', async (t) => {
  if (skipWithoutNats(t)) return;
  const { address } = await startNats(t);
  const a = await startNatsRelay(t, [address], 'twin');
  const b = await startNatsRelay(t, [address], 'twin');
  for (const node of [a, b]) t.regex(String((await logged(node, 'name taken'))['why']), /called twin/);
});
