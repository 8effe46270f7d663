import test from 'ava';
import { homeOf } from '../../src/cluster/mesh/ordering.ts';
import { eventually } from '../support/arrivals.ts';
import { type Node, startCluster } from '../support/cluster.ts';
import { connectWs } from '../support/ws-client.ts';

interface Frame {
  readonly type: string;
  readonly content?: number;
  readonly id?: number;
}

test.serial(
  'what is published while the home of its topic is stopped comes to all, once and in order, or is refused',
  async (t) => {
    const { nodes } = await startCluster(t, 3, {
      settings: { topics: [{ pattern: 'c', ordering: 'cluster', history: true }] },
    });
    const home = homeOf(
      'main\0c',
      nodes.map(({ name }) => name),
    );
    const leaving = nodes.find(({ name }) => name === home) as Node;
    const [here, there] = nodes.filter((node) => node !== leaving) as [Node, Node];
    const protocols = ['fanfare.1'];
    const seen: [number[], number[]] = [[], []];
    for (const [index, node] of [here, there].entries()) {
      const listener = await connectWs(t, await node.at('pusu'), '/', { protocols });
      const joined = new Promise<void>((resolve) => {
        listener.webSocket.on('message', (data: Buffer) => {
          const { type, content } = JSON.parse(data.toString()) as Frame;
          if (type === 'subscribe_ok') resolve();
          else if (type === 'publish') seen[index]?.push(content ?? -1);
        });
      });
      listener.send('{"type":"subscribe","channel":"c"}');
      await joined;
    }
    const publisher = await connectWs(t, await here.at('pusu'), '/', { protocols });
    const [taken, refused]: [number[], number[]] = [[], []];
    publisher.webSocket.on('message', (data: Buffer) => {
      const { type, id } = JSON.parse(data.toString()) as Frame;
      if (type === 'publish_ok') taken.push(id ?? -1);
      else if (type === 'publish_error') refused.push(id ?? -1);
    });
    let last = 0;
    const flow = setInterval(() => {
      for (let i = 0; i < 5; i++) {
        last++;
        publisher.send(JSON.stringify({ type: 'publish', channel: 'c', content: last, id: last }));
      }
    }, 1);
    t.teardown(() => clearInterval(flow));
    await eventually(() => taken.length > 100, 'the flow is acknowledged');
    leaving.signal('SIGTERM');
    t.is((await leaving.exited).code, 0);
    const then = last;
    await eventually(() => (taken.at(-1) ?? 0) > then + 100, 'the next home takes what comes');
    clearInterval(flow);
    await eventually(() => taken.length + refused.length === last, 'every message is answered, once');
    const sorted = taken.toSorted((a, b) => a - b);
    await eventually(() => seen.every((numbers) => numbers.at(-1) === sorted.at(-1)), 'all has come');
    t.log(`${last} published, ${refused.length} refused`);
    for (const numbers of seen) {
      t.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
        'in order',
      );
      t.is(new Set(numbers).size, numbers.length, 'none twice');
      const all = new Set(numbers);
      t.deepEqual(
        taken.filter((number) => !all.has(number)),
        [],
        'all that was acknowledged',
      );
    }
  },
);
