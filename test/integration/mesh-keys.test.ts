import test, { type ExecutionContext } from 'ava';
import { homeOf } from '../../src/cluster/mesh/ordering.ts';
import { eventually } from '../support/arrivals.ts';
import { type Node, startCluster } from '../support/cluster.ts';
import { connectWs } from '../support/ws-client.ts';

interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly content?: string;
  readonly at?: string;
}

async function clientOf(t: ExecutionContext, node: Node, channel = 'c') {
  const frames: Frame[] = [];
  const client = await connectWs(t, await node.at('pusu'), '/', { protocols: ['fanfare.1'] });
  client.webSocket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Frame));
  const answerOf = async (frame: object, type: string, id?: string): Promise<Frame> => {
    const isIt = (one: Frame) => one.type === type && one.id === id;
    client.send(JSON.stringify(id === undefined ? frame : { ...frame, id }));
    await eventually(() => frames.some(isIt), type);
    return frames.find(isIt) as Frame;
  };
  return {
    subscribe: () => answerOf({ type: 'subscribe', channel }, 'subscribe_ok'),
    publish: (content: string, key: string, id: string) =>
      answerOf({ type: 'publish', channel, content, key }, 'publish_ok', id),
    heard: () => frames.filter(({ type }) => type === 'publish').map(({ content }) => content),
  };
}

for (const rules of [
  [{ pattern: 'c', ordering: 'cluster', history: true }],
  [{ pattern: 'c', ordering: 'cluster' }],
  [],
]) {
  const where =
    rules.length === 0
      ? 'a topic without rules'
      : `a topic with ${Object.keys(rules[0] ?? {})
          .slice(1)
          .join(' and ')}`;

  test.serial(
    `a message that is sent again to another relay, after its own was killed, comes once: ${where}`,
    async (t) => {
      const { nodes } = await startCluster(t, 3, { settings: { topics: rules } });
      const names = nodes.map(({ name }) => name);
      const first = nodes.find(({ name }) => name === homeOf('main\0c', names)) as Node;
      const others = nodes.filter((node) => node !== first);
      const listeners = await Promise.all(others.map((node) => clientOf(t, node)));
      for (const listener of listeners) await listener.subscribe();
      const { at } = await (await clientOf(t, first)).publish('one', 'k', 'a');
      for (const { heard } of listeners) await eventually(() => heard().length === 1, 'the message');
      first.signal('SIGKILL');
      await first.exited;
      const publisher = await clientOf(t, others[0] as Node);
      const again = await publisher.publish('one', 'k', 'b');
      if (where.includes('history')) t.is(again.at, at);
      await publisher.publish('two', 'l', 'c');
      for (const { heard } of listeners) {
        await eventually(() => heard().includes('two'), 'the next message');
        t.deepEqual(heard(), ['one', 'two']);
      }
    },
  );
}

test.serial(
  'a relay that becomes the home of a topic, and has its messages from another one alone, knows their keys',
  async (t) => {
    const { nodes } = await startCluster(t, 3, {
      settings: { topics: [{ pattern: '*', ordering: 'cluster', history: true }] },
    });
    const [home, next, keeps] = nodes as [Node, Node, Node];
    const homeAmong = (name: string, ...among: Node[]) =>
      homeOf(
        `main\0${name}`,
        among.map((node) => node.name),
      );
    const channel =
      Array.from({ length: 1000 }, (_, i) => `c${i}`).find(
        (name) => homeAmong(name, ...nodes) === home.name && homeAmong(name, next, keeps) === next.name,
      ) ?? '';
    const listener = await clientOf(t, keeps, channel);
    await listener.subscribe();
    const { at } = await (await clientOf(t, home, channel)).publish('one', 'k', 'a');
    await eventually(() => listener.heard().length === 1, 'the message');
    home.signal('SIGKILL');
    await home.exited;
    const again = await (await clientOf(t, next, channel)).publish('one', 'k', 'b');
    t.is(again.at, at);
    t.deepEqual(listener.heard(), ['one']);
  },
);
