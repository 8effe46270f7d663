import test from 'ava';
import { homeOf } from '../../src/cluster/mesh/ordering.ts';
import { linkedTo, type Node, startCluster } from '../support/cluster.ts';
import { allKnow } from '../support/confirmed.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

const settings = { topics: [{ pattern: 'orders.*', ordering: 'cluster' }] };
const home = (topic: string, nodes: readonly Node[]) =>
  homeOf(
    `main\0${topic}`,
    nodes.map(({ name }) => name),
  );

test.serial(
  'a topic that is ordered by the cluster has one order for all subscribers of all relays',
  async (t) => {
    const { nodes } = await startCluster(t, 3, { settings });
    const topics = ['orders.a', 'orders.b', 'orders.c', 'orders.d', 'orders.e'];
    t.true(new Set(topics.map((topic) => home(topic, nodes))).size > 1, 'several homes');
    for (const topic of topics) {
      const all: WsClient[] = [];
      for (const node of [...nodes, ...nodes])
        all.push(await connectWs(t, await node.at('pinghub'), `/${topic}`));
      for (const node of nodes) await allKnow(t, await node.at('pusu'));
      for (let i = 0; i < 200; i++) for (const [index, one] of all.entries()) one.send(`${index} ${i}`);
      const [first, ...others] = await Promise.all(all.map((one) => one.take(1200)));
      for (const other of others) t.deepEqual(other, first);
      for (const index of all.keys()) {
        const own = (first as string[]).filter((got) => got.startsWith(`${index} `));
        t.deepEqual(
          own,
          Array.from({ length: 200 }, (_, i) => `${index} ${i}`),
          'each publisher in its order',
        );
      }
    }
  },
);

test.serial(
  'when the home of a topic dies, another one goes on, and no two relays see two messages in two orders',
  async (t) => {
    const { nodes, start } = await startCluster(t, 3, { settings });
    const dies = nodes.findIndex(({ name }) => name === home('orders.x', nodes));
    const living = nodes.filter((_, index) => index !== dies) as [Node, Node];
    const all: WsClient[] = [];
    for (const node of living) all.push(await connectWs(t, await node.at('pinghub'), '/orders.x'));
    for (const node of living) await allKnow(t, await node.at('pusu'));
    const flow = setInterval(() => {
      number++;
      for (const [index, one] of all.entries()) one.send(`${index} ${number}`);
    }, 2);
    let number = 0;
    t.teardown(() => clearInterval(flow));
    const heard = (count: number) => Promise.all(all.map((one) => one.got.count(() => true, count)));
    await heard(200);
    await (nodes[dies] as Node).kill();
    for (const node of living) await node.log.find(({ msg }) => msg === 'unlinked');
    const before = Math.max(...all.map(({ got }) => got.all.length));
    await heard(before + 200);
    const lines = living.map(({ log }) => log.all.length);
    const back = await start(dies);
    for (const [index, node] of living.entries()) await linkedTo(node, back.name, lines[index]);
    const then = Math.max(...all.map(({ got }) => got.all.length));
    await heard(then + 200);
    clearInterval(flow);
    const [a, b] = all.map(({ got }) => got.all as string[]) as [string[], string[]];
    const places = new Map(b.map((got, index) => [got, index]));
    t.is(places.size, b.length, 'none twice');
    t.is(new Set(a).size, a.length, 'none twice');
    const common = a.map((got) => places.get(got)).filter((place) => place !== undefined);
    t.true(common.length > 400);
    t.deepEqual(
      common,
      [...common].sort((x, y) => x - y),
      'what both have seen, they have seen in one order',
    );
  },
);
