import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import {
  allBack,
  caughtUp,
  confirmedInTime,
  everyPair,
  flows,
  gaps,
  holds,
  type Load,
  long,
  startLoad,
  stopLoad,
  times,
  unlinked,
} from '../support/chaos.ts';
import { type Node, startCluster } from '../support/cluster.ts';
import { type Machines, machines } from '../support/namespaces.ts';
import { servedTime } from '../support/served-time.ts';

/** How long links are bad, in milliseconds. */
const BAD = long ? 60_000 : 5000;

test.before((t) => t.timeout(240_000));

/** What a link has lost in all is said when it is made: ends all of them, with nothing under way, and waits for them. */
async function linkAgain(
  t: ExecutionContext,
  net: Machines,
  nodes: readonly Node[],
  load: Load,
): Promise<void> {
  const from = nodes.map(({ log }) => log.all.length);
  for (const [a, b] of everyPair(nodes.length)) net.cutOneWay(a, b);
  for (const [a, b] of everyPair(nodes.length)) await unlinked(nodes[a] as Node, nodes[b] as Node, from[a]);
  const time = servedTime(t);
  net.heal();
  await allBack(t, nodes, everyPair(nodes.length), load, time);
}

test.serial(
  'a tenth of all packets is lost: no message is, unless a link died of it and both ends say so',
  async (t) => {
    const net = machines(t, 3);
    if (net === null) {
      t.pass();
      return;
    }
    const cluster = await startCluster(t, 3, { ...times, timeout: '3s', machines: net });
    const trouble = net.losePackets(10);
    if (trouble !== null) {
      t.log(`skipped: the kernel loses no packets: ${trouble}`);
      t.pass();
      return;
    }
    const { nodes } = cluster;
    const load = await startLoad(t, cluster);
    await pause(BAD);
    await eventually(async () => {
      await flows(load.publishers, 200);
      return net.packetsLost() > 100;
    }, 'packets are lost');
    t.log(`packets lost: ${net.packetsLost()}`);
    const time = servedTime(t);
    net.unshape();
    await allBack(t, nodes, everyPair(3), load, time);
    await caughtUp(load);
    await stopLoad(load);
    await linkAgain(t, net, nodes, load);
    t.log(`lost: ${await holds(t, cluster, load)}`);
  },
);

test.serial(
  'a link of 1 Mbit/s that is sent three times as much: the rest is counted, and nobody else is slower',
  async (t) => {
    const net = machines(t, 3);
    if (net === null) {
      t.pass();
      return;
    }
    const cluster = await startCluster(t, 3, {
      ...times,
      timeout: '3s',
      machines: net,
      network: { pending: '256KiB' },
    });
    const trouble = net.slowDown(2, '1mbit');
    if (trouble !== null) {
      t.log(`skipped: the kernel slows no link down: ${trouble}`);
      t.pass();
      return;
    }
    const { nodes } = cluster;
    const c = nodes[2] as Node;
    // 400 messages a second, to each of the two others.
    const load = await startLoad(t, cluster, 500);
    await c.log.find(({ msg }) => msg === 'link overflow', 'more than may wait is dropped');
    const before = load.probes.map(({ took }) => took.length);
    await pause(BAD);
    // Answers do not wait behind messages, or none would come in time: what delays them is the link's own queue.
    const inTime = confirmedInTime(load.probes, before);
    t.log(`${(inTime * 100).toFixed(1)} % confirmed in time over the slow link`);
    t.true(inTime > 0.05);
    t.deepEqual(
      nodes.flatMap(({ log }) => log.all.filter(({ msg }) => msg === 'unlinked')),
      [],
      'a slow link is no dead one',
    );
    const time = servedTime(t);
    net.unshape();
    await allBack(t, nodes, everyPair(3), load, time);
    await caughtUp(load);
    await stopLoad(load);
    await linkAgain(t, net, nodes, load);
    const lost = await holds(t, cluster, load);
    t.log(`lost: ${lost}`);
    const [atA, atB, atC] = gaps(t, load) as [number[], number[], number[]];
    t.deepEqual(
      [atA.slice(0, 2), atB.slice(0, 2), atC],
      [
        [0, 0],
        [0, 0],
        [0, 0, 0],
      ],
      'over the good links',
    );
    t.is(lost, (atA[2] ?? 0) + (atB[2] ?? 0));
    const named = c.log.all
      .filter(({ msg }) => msg === 'link overflow')
      .reduce((sum, line) => sum + ((line['topics'] as Record<string, number>)['main load'] ?? 0), 0);
    t.is(named, lost, 'every drop is named by its topic');
    t.true(lost > 0);
  },
);
