import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { allBack, flows, gaps, holds, long, startLoad, stopLoad, times, unlinked } from '../support/chaos.ts';
import { type Node, startCluster } from '../support/cluster.ts';
import { machines } from '../support/namespaces.ts';
import { servedTime } from '../support/served-time.ts';

const PARTITION = long ? 60_000 : 2500;

test.before((t) => t.timeout(240_000));

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
      const load = await startLoad(t, cluster);
      await flows(load.publishers, 200);
      for (const other of [0, 1]) {
        if (way === 'both ways') net.cut(2, other);
        else net.cutOneWay(2, other);
      }
      const [a, b, c] = cluster.nodes as [Node, Node, Node];
      await Promise.all([unlinked(a, c), unlinked(b, c)]);
      await pause(PARTITION);
      const time = servedTime(t);
      net.heal();
      const parted = [
        [0, 2],
        [1, 2],
        [2, 0],
        [2, 1],
      ] as const;
      await allBack(t, cluster.nodes, parted, load, time);
      await stopLoad(load);
      const lost = await holds(t, cluster, load);
      t.log(`lost: ${lost}`);
      t.true(lost > 0);
      const [atA, atB] = gaps(t, load);
      t.deepEqual([atA?.[1], atB?.[0]], [0, 0], 'who could reach each other');
    },
  );
}
