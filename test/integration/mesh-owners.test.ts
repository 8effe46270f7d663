import test from 'ava';
import { homeOf } from '../../src/cluster/mesh/ordering.ts';
import { startCluster } from '../support/cluster.ts';
import { allKnow } from '../support/confirmed.ts';
import { connectWs } from '../support/ws-client.ts';

test.serial(
  'what the owner of a topic publishes comes to all, whichever relay gives the topic its order',
  async (t) => {
    const { nodes } = await startCluster(t, 2, {
      settings: { topics: [{ pattern: '*', ordering: 'cluster', history: true }] },
    });
    const [owning, other] = nodes;
    if (owning === undefined || other === undefined) throw new Error('two relays');
    const topicAt = (home: string) =>
      Array.from({ length: 100 }, (_, i) => `example.com/t${i}`).find(
        (topic) => homeOf(`wspubsub\0${topic}`, [owning.name, other.name]) === home,
      ) ?? '';
    for (const { name } of nodes) {
      const topic = topicAt(name);
      const owner = await connectWs(t, await owning.at('wspubsub'), `/ws/pub/key/${topic}`);
      const listeners = [];
      for (const node of nodes)
        listeners.push(await connectWs(t, await node.at('wspubsub'), `/ws/sub/${topic}`));
      for (const node of nodes) await allKnow(t, await node.at('pusu'));
      for (let i = 0; i < 20; i++) owner.send(`${i}`);
      for (const { got } of listeners) {
        await got.count(() => true, 20);
        t.deepEqual(
          got.all.map(String),
          Array.from({ length: 20 }, (_, i) => `${i}`),
        );
      }
    }
  },
);
