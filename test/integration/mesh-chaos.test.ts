import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import {
  type ClusterOptions,
  linkedTo,
  type Node,
  startCluster,
  type TestCluster,
} from '../support/cluster.ts';
import { flappingProxy } from '../support/flapping-proxy.ts';
import { machines } from '../support/namespaces.ts';
import {
  missing,
  type Publisher,
  type Subscriber,
  startPublisher,
  startSubscriber,
} from '../support/traffic.ts';

/** With FANFARE_CHAOS set, partitions take as long as operators fear (60 s); else they are short, and so are all times. */
const long = process.env['FANFARE_CHAOS'] !== undefined;
const PARTITION = long ? 60_000 : 2500;
const times: ClusterOptions = long
  ? { heartbeat: '1s', timeout: '3s' }
  : { heartbeat: '200ms', timeout: '800ms' };
/** From the heal to all links being back, in milliseconds. */
const HEAL = 5000;
const RATE = 400;

test.before((t) => t.timeout(240_000));

interface Load {
  readonly publishers: readonly Publisher[];
  readonly subscribers: readonly Subscriber[];
}

/** A publisher and a subscriber at each relay, all in one topic. */
async function load(t: ExecutionContext, { nodes }: TestCluster): Promise<Load> {
  const subscribers = await Promise.all(
    nodes.map(async (node) => startSubscriber(t, await node.at('pusu'), 'load')),
  );
  const publishers = await Promise.all(
    nodes.map(async (node) => startPublisher(t, await node.at('pusu'), 'load', node.name, RATE)),
  );
  return { publishers, subscribers };
}

/** What a relay has counted as lost of what a peer had for it, and what the peer has counted. */
function lostOf(taker: Node, server: Node): { readonly taken: unknown; readonly served: unknown } {
  const last = (node: Node, msg: string, peer: string) =>
    node.log.all.findLast((line) => line.msg === msg && line['peer'] === peer)?.['lost'];
  return { taken: last(taker, 'linked', server.name), served: last(server, 'serving', taker.name) };
}

/** Ends the flow, and compares what each subscriber misses with what both ends of the link have counted, to the message. */
async function settle(
  t: ExecutionContext,
  { nodes }: TestCluster,
  { publishers, subscribers }: Load,
): Promise<number> {
  for (const publisher of publishers) publisher.stop();
  for (const one of subscribers) for (const publisher of publishers) await one.end(publisher);
  let lost = 0;
  for (const [index, one] of subscribers.entries()) {
    for (const [from, publisher] of publishers.entries()) {
      const count = missing(t, one, publisher);
      lost += count;
      const label = `what relay-${index + 1} misses of relay-${from + 1}`;
      if (index === from) t.is(count, 0, label);
      else
        t.deepEqual(
          lostOf(nodes[index] as Node, nodes[from] as Node),
          { taken: count, served: count },
          label,
        );
    }
  }
  noCrash(t, nodes);
  return lost;
}

function noCrash(t: ExecutionContext, nodes: readonly Node[]): void {
  for (const { log } of nodes)
    t.deepEqual(
      log.all.filter(({ msg }) => msg.endsWith(' report')),
      [],
    );
}

/** Waits for all links that were down to be back, each way. Lines of logs before `from` do not count. */
async function allBack(
  t: ExecutionContext,
  nodes: readonly Node[],
  pairs: readonly [number, number][],
  since: number,
) {
  for (const [a, b] of pairs) {
    const [one, other] = [nodes[a] as Node, nodes[b] as Node];
    const isLinked = () =>
      one.log.all.findLast((line) => line['peer'] === other.name && /^(un)?linked$/.test(line.msg))?.msg ===
      'linked';
    await eventually(isLinked, `${one.name} is linked to ${other.name} again`);
  }
  const took = performance.now() - since;
  t.log(`links back ${Math.round(took)} ms after the heal`);
  t.true(took < HEAL, `links back after ${Math.round(took)} ms`);
}

const unlinked = (node: Node, peer: Node) =>
  node.log.find(
    (line) => line.msg === 'unlinked' && line['peer'] === peer.name,
    `${node.name} misses ${peer.name}`,
  );

test.serial('under steady load nothing is lost, nothing comes twice, and order holds', async (t) => {
  const cluster = await startCluster(t, 3, times);
  const flow = await load(t, cluster);
  await eventually(() => flow.publishers.every((one) => one.sent() > 600), 'messages flow');
  t.is(await settle(t, cluster, flow), 0);
});

test.serial(
  'a relay that is killed under load is missed by nobody else, and is linked again within 5 s of its start',
  async (t) => {
    const cluster = await startCluster(t, 3, times);
    const { publishers, subscribers } = await load(t, cluster);
    const [a, b, c] = cluster.nodes as [Node, Node, Node];
    await eventually(() => publishers.every((one) => one.sent() > 300), 'messages flow');
    await c.kill();
    await Promise.all([unlinked(a, c), unlinked(b, c)]);
    const begun = performance.now();
    const lines = [a, b].map(({ log }) => log.all.length);
    const again = await cluster.start(2);
    for (const [index, node] of [a, b].entries()) await linkedTo(node, c.name, lines[index]);
    await Promise.all([linkedTo(again, a.name), linkedTo(again, b.name)]);
    t.true(performance.now() - begun < HEAL);
    const late = await startSubscriber(t, await again.at('pusu'), 'load');
    const newPublisher = await startPublisher(t, await again.at('pusu'), 'load', 'again', RATE);
    await eventually(() => newPublisher.sent() > 200, 'messages flow');
    for (const publisher of [...publishers.slice(0, 2), newPublisher]) publisher.stop();
    for (const publisher of publishers.slice(0, 2)) {
      await late.end(publisher);
      for (const one of subscribers.slice(0, 2)) {
        await one.end(publisher);
        t.is(missing(t, one, publisher), 0, `${publisher.name} at the relays that lived`);
      }
      missing(t, late, publisher);
    }
    const dead = publishers[2] as Publisher;
    for (const one of [...subscribers.slice(0, 2), late]) {
      await one.end(newPublisher);
      t.is(missing(t, one, newPublisher), 0);
    }
    for (const one of subscribers.slice(0, 2)) {
      missing(t, one, dead);
      // What a dying relay could not send any more is the end of its flow, never a gap in it.
      t.is(one.of(dead.name).count, one.of(dead.name).last);
    }
    noCrash(t, [a, b, again]);
  },
);

test.serial(
  'links that flap every 200 ms lose what was under way, count it on both sides, and come back',
  async (t) => {
    const proxies = await Promise.all([0, 1, 2].map(() => flappingProxy(t)));
    const cluster = await startCluster(t, 3, {
      ...times,
      dialled: (port, index) => {
        const proxy = proxies[index] as (typeof proxies)[number];
        proxy.target = port;
        return `127.0.0.1:${proxy.port}`;
      },
    });
    const flow = await load(t, cluster);
    for (let i = 0; i < 15; i++) {
      await pause(200);
      (proxies[i % 3] as (typeof proxies)[number]).flap();
    }
    const since = performance.now();
    // The last of them is noticed before it is looked whether all is well again.
    await pause(200);
    await allBack(
      t,
      cluster.nodes,
      [
        [0, 1],
        [0, 2],
        [1, 0],
        [1, 2],
        [2, 0],
        [2, 1],
      ],
      since,
    );
    t.log(`lost: ${await settle(t, cluster, flow)}`);
  },
);

for (const way of ['both ways', 'one way'] as const) {
  test.serial(
    `a partition ${way}: who can reach each other misses nothing, the rest is counted to the message`,
    async (t) => {
      const net = machines(t, 3);
      if (net === null) {
        t.pass();
        return;
      }
      const cluster = await startCluster(t, 3, { ...times, machines: net });
      const { nodes } = cluster;
      const flow = await load(t, cluster);
      await eventually(() => flow.publishers.every((one) => one.sent() > 200), 'messages flow');
      for (const other of [0, 1]) {
        if (way === 'both ways') net.cut(2, other);
        else net.cutOneWay(2, other);
      }
      const [a, b, c] = nodes as [Node, Node, Node];
      await Promise.all([unlinked(a, c), unlinked(b, c)]);
      await pause(PARTITION);
      const since = performance.now();
      net.heal();
      await allBack(
        t,
        nodes,
        [
          [0, 2],
          [1, 2],
          [2, 0],
          [2, 1],
        ],
        since,
      );
      const [atA, atB] = flow.subscribers as [Subscriber, Subscriber];
      const lost = await settle(t, cluster, flow);
      t.log(`lost: ${lost}`);
      t.true(lost > 0);
      t.is(missing(t, atA, flow.publishers[1] as Publisher), 0);
      t.is(missing(t, atB, flow.publishers[0] as Publisher), 0);
    },
  );
}

for (const [what, discipline] of [
  ['a tenth of all packets lost', ['netem', 'loss', '10%']],
  ['a link of 1 Mbit/s', ['tbf', 'rate', '1mbit', 'burst', '16kb', 'latency', '100ms']],
] as const) {
  test.serial(
    `${what}: a slow link delays no local delivery, and nothing comes twice or out of order`,
    async (t) => {
      const net = machines(t, 3);
      if (net === null) {
        t.pass();
        return;
      }
      const cluster = await startCluster(t, 3, { machines: net, network: { pending: '256KiB' } });
      if (!net.shape(2, ...discipline)) {
        t.log(`skipped: the kernel has no ${discipline[0]}`);
        t.pass();
        return;
      }
      const flow = await load(t, cluster);
      await eventually(() => flow.publishers.every((one) => one.sent() > 1200), 'messages flow');
      const [a, b, c] = flow.subscribers as [Subscriber, Subscriber, Subscriber];
      for (const publisher of flow.publishers) publisher.stop();
      for (const [index, one] of [a, b, c].entries()) {
        // Local, and over links that are not slow.
        for (const [from, publisher] of flow.publishers.entries()) {
          if (from === 2 && index !== 2) continue;
          await one.end(publisher);
          t.is(missing(t, one, publisher), 0, `relay-${index + 1} from relay-${from + 1}`);
        }
      }
      for (const one of [a, b]) missing(t, one, flow.publishers[2] as Publisher);
      noCrash(t, cluster.nodes);
    },
  );
}
