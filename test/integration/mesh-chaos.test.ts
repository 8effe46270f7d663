import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import {
  allBack,
  backInTime,
  controlWasFast,
  everyPair,
  flows,
  holds,
  isBalanced,
  long,
  noCrash,
  startLoad,
  stopLoad,
  times,
  unlinked,
} from '../support/chaos.ts';
import { linkedTo, type Node, startCluster } from '../support/cluster.ts';
import { faultyProxy } from '../support/faulty-proxy.ts';
import { servedTime } from '../support/served-time.ts';
import { missing, type Publisher, startPublisher, startSubscriber } from '../support/traffic.ts';

const FLAPS = long ? 300 : 15;
/** Here no link ends of itself: only what is done to it ends it. */
const patient = { ...times, timeout: '30s' };

test.before((t) => t.timeout(240_000));

test.serial('under steady load nothing is lost, nothing comes twice, and order holds', async (t) => {
  const cluster = await startCluster(t, 3, patient);
  const load = await startLoad(t, cluster);
  await flows(load.publishers, 600);
  await stopLoad(load);
  t.is(await holds(t, cluster, load), 0);
});

test.serial(
  'a relay that is killed under load is missed by nobody else, and is linked again within 5 s of its start',
  async (t) => {
    const cluster = await startCluster(t, 3, patient);
    const { publishers, subscribers, probes } = await startLoad(t, cluster);
    const [a, b, c] = cluster.nodes as [Node, Node, Node];
    await flows(publishers, 300);
    await c.kill();
    await Promise.all([unlinked(a, c), unlinked(b, c)]);
    const lines = [a, b].map(({ log }) => log.all.length);
    const again = await cluster.start(2);
    const time = servedTime(t);
    for (const [index, node] of [a, b].entries()) await linkedTo(node, c.name, lines[index]);
    await Promise.all([linkedTo(again, a.name), linkedTo(again, b.name)]);
    backInTime(t, time(), { probes: probes.slice(0, 2) });
    const late = await startSubscriber(t, await again.at('pusu'), 'load');
    const newPublisher = await startPublisher(t, await again.at('pusu'), 'load', 'again', 400);
    await flows([newPublisher], 200);
    for (const probe of probes) probe.stop();
    for (const publisher of [...publishers.slice(0, 2), newPublisher]) publisher.stop();
    for (const publisher of publishers.slice(0, 2)) {
      await late.end(publisher);
      for (const one of subscribers.slice(0, 2)) {
        await one.end(publisher);
        t.is(missing(t, one, publisher), 0, `${publisher.name} at the relays that lived`);
      }
      // It came in the middle: from its first message on there is no gap.
      missing(t, late, publisher);
      const { first, last, count } = late.of(publisher.name);
      t.is(count, last - first + 1, `${publisher.name} at the relay that came back`);
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
    for (const node of [a, b, again]) await isBalanced(t, node);
    noCrash(t, [a, b, again]);
    controlWasFast(t, probes.slice(0, 2));
  },
);

test.serial(
  'of a relay whose links flap every 200 ms, what was under way is lost and counted on both sides, and they come back',
  async (t) => {
    const proxies = await Promise.all([0, 1, 2].map(() => faultyProxy(t)));
    const cluster = await startCluster(t, 3, {
      ...patient,
      dialled: (port, index) => {
        const proxy = proxies[index] as (typeof proxies)[number];
        proxy.target = port;
        return `127.0.0.1:${proxy.port}`;
      },
    });
    const load = await startLoad(t, cluster);
    for (let i = 0; i < FLAPS; i++) {
      await pause(200);
      // One relay all the time, and the others in turn.
      for (const index of new Set([2, i % 3])) proxies[index]?.cut();
    }
    await allBack(t, cluster.nodes, everyPair(3), load, servedTime(t));
    // The last time for all of them: whatever is linked after it stays.
    const [time, at] = [servedTime(t), Date.now()];
    for (const proxy of proxies) proxy.cut();
    await allBack(t, cluster.nodes, everyPair(3), load, time, at);
    await stopLoad(load);
    t.log(`lost: ${await holds(t, cluster, load)}`);
  },
);
