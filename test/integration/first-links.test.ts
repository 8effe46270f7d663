import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { freePorts, type Node, SECRET, startCluster } from '../support/cluster.ts';
import { skipWithoutNats, startNats } from '../support/nats.ts';
import { subscriber } from '../support/pusu-clients.ts';
import { post } from '../support/raw-client.ts';
import { startTestRelay, testConfig } from '../support/relay.ts';
import type { WsClient } from '../support/ws-client.ts';

const CHANNEL = 'news';

const contents = ({ got }: WsClient): unknown[] =>
  got.all.flatMap((frame) => {
    const { type, content } = JSON.parse(String(frame)) as {
      readonly type: string;
      readonly content: unknown;
    };
    return type === 'publish' ? [content] : [];
  });

/** Publishes numbered messages over HTTP, one after the other. Returns those that were acknowledged. */
async function publishAt(node: Node, count: number): Promise<string[]> {
  const port = await node.port('pinghub');
  const acknowledged: string[] = [];
  for (let i = 0; i < count; i++) {
    const text = `${node.name} ${i}`;
    if ((await post(port, `/${CHANNEL}`, text)).status === 200) acknowledged.push(text);
  }
  return acknowledged;
}

test.serial(
  'in a rolling restart the subscribers of the others miss nothing that a relay acknowledges from its first moment on',
  async (t) => {
    const cluster = await startCluster(t, 3);
    const subscribers = await Promise.all(cluster.nodes.map((node) => subscriber(t, node, CHANNEL)));
    for (let index = 0; index < 3; index++) {
      const old = cluster.node(index);
      old.signal('SIGTERM');
      t.is((await old.exited).code, 0);
      const fresh = await cluster.start(index);
      const acknowledged = await publishAt(fresh, 20);
      t.is(acknowledged.length, 20);
      const others = subscribers.filter((_, other) => other !== index);
      // The links are there by now, if they were not before: whatever comes still is in front of this message.
      const end = `${fresh.name} end`;
      await eventually(async () => {
        await post(await fresh.port('pinghub'), `/${CHANNEL}`, end);
        return others.every((one) => contents(one).includes(end));
      }, 'the links are there');
      for (const other of others) {
        const ofThis = contents(other).filter((text) => String(text).startsWith(`${fresh.name} `));
        t.deepEqual(
          ofThis.filter((text) => text !== end),
          acknowledged,
        );
      }
      subscribers[index] = await subscriber(t, fresh, CHANNEL);
    }
  },
);

/** Starts a relay with that one in its list. Returns how long its doors stayed closed, and what it said of that. */
async function startBeside(t: ExecutionContext, relays: readonly string[], more: object = {}) {
  const [port] = (await freePorts(1)) as [number];
  const network = { host: '127.0.0.1', port, secret: SECRET, heartbeat: '100ms', timeout: '400ms' };
  const { log } = await startTestRelay(t, { doors: { pinghub: {} }, relays, network, ...more });
  return log.all.find(({ msg }) => msg === 'some links are not made');
}

test.serial(
  'a relay that is down keeps no doors closed; one that hangs does, and is named, for network.timeout',
  async (t) => {
    const [dead] = (await freePorts(1)) as [number];
    t.is(await startBeside(t, [`127.0.0.1:${dead}`]), undefined);
    const hanging = createServer(() => undefined);
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    t.teardown(() => hanging.close());
    const { port } = hanging.address() as AddressInfo;
    const said = await startBeside(t, [`127.0.0.1:${port}`]);
    t.true((said?.['waitedMs'] as number) >= 400);
    t.deepEqual(said?.['missing'], [`127.0.0.1:${port}: it is being dialled`]);
  },
);

test.serial('over NATS, doors open when the relay is linked', async (t) => {
  if (skipWithoutNats(t)) return;
  const { address } = await startNats(t);
  const cluster = { backplane: 'nats', servers: [address] };
  const network = { timeout: '30s' };
  const { relay, log } = await startTestRelay(t, { doors: { pinghub: {} }, cluster, network });
  t.true(relay.nats?.network.stats.connected);
  const order = log.all.map(({ msg, door }) => (msg === 'listening' ? door : msg));
  t.true(order.indexOf('linked') < order.indexOf('pinghub'), order.join());
});

test.serial(
  'a reload that names the first relays is over when they are linked: nothing that is acknowledged then is missed',
  async (t) => {
    const [one, two] = (await freePorts(2)) as [number, number];
    const relays = [`127.0.0.1:${one}`, `127.0.0.1:${two}`];
    const settings = (node: string, port: number, list: readonly string[]) => ({
      node,
      relays: list,
      network: { host: '127.0.0.1', port, secret: SECRET, timeout: '30s' },
      doors: { pusu: {}, pinghub: {} },
    });
    const listening = await startTestRelay(t, settings('one', one, relays));
    const heard = await subscriber(t, listening, CHANNEL);
    const alone = await startTestRelay(t, settings('two', two, []));
    const config = testConfig(settings('two', two, relays));
    t.like(await alone.relay.reload(() => ({ ok: true, config })), { ok: true, applied: ['relays'] });
    t.is((await post(alone.port('pinghub'), `/${CHANNEL}`, 'first')).status, 200);
    await post(alone.port('pinghub'), `/${CHANNEL}`, 'second');
    await eventually(() => contents(heard).includes('second'), 'it is heard');
    t.deepEqual(contents(heard), ['first', 'second']);
  },
);
