import test from 'ava';
import { owner } from '../support/claimed.ts';
import { type Node, startCluster } from '../support/cluster.ts';
import { confirmed } from '../support/confirmed.ts';
import { pusu, subscriber } from '../support/pusu-clients.ts';
import { post } from '../support/raw-client.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const publishFrame = (channel: string, content: unknown) =>
  JSON.stringify({ type: 'publish', channel, content });

for (const size of [3, 7]) {
  test.serial(
    `a message published at any of ${size} relays reaches the subscribers of all, once`,
    async (t) => {
      const { nodes } = await startCluster(t, size);
      const subscribers = await Promise.all(nodes.map((node) => subscriber(t, node, 'c')));
      for (const [index, node] of nodes.entries()) {
        const publisher = await pusu(t, node);
        // Whatever JSON is in a frame survives every hop byte for byte.
        const frame = ` {"content": 12345678901234567890.10, "n":${index}, "channel":"c","type":"publish"}`;
        publisher.send(frame);
        for (const one of subscribers) t.is(await one.next(), frame);
      }
      // What came twice would be before this.
      (await pusu(t, nodes[0] as Node)).send(publishFrame('c', 'end'));
      for (const one of subscribers) t.is(await one.next(), publishFrame('c', 'end'));
    },
  );
}

test.serial('after subscribe_ok nothing published at a linked relay is missed', async (t) => {
  const { nodes } = await startCluster(t, 3);
  const publisher = await pusu(t, nodes[1] as Node);
  for (let i = 0; i < 50; i++) {
    const one = await subscriber(t, nodes[0] as Node, `fresh-${i}`);
    publisher.send(publishFrame(`fresh-${i}`, i));
    t.is(await one.next(), publishFrame(`fresh-${i}`, i));
  }
});

test.serial('doors meet across relays, and every kind of message arrives as its own', async (t) => {
  const { nodes } = await startCluster(t, 3);
  const [a, b, c] = nodes as [Node, Node, Node];
  const path = await b.port('pinghub');
  const text = await confirmed(t, await b.port('pusu'), () => connectWs(t, path, '/c'));
  const json = await subscriber(t, c, 'c');
  t.is((await post(await a.port('pinghub'), '/c', 'posted')).status, 200);
  t.is(await text.next(), 'posted');
  t.is(await json.next(), publishFrame('c', 'posted'));
  (await pusu(t, a)).send('{"type":"publish","channel":"c","content":[1.0]}');
  t.is(await text.next(), '[1.0]');
});

test.serial('a topic is owned once in the whole network, and its subscribers are anywhere', async (t) => {
  const { nodes } = await startCluster(t, 3, { grace: '4s' });
  const [a, b, c] = nodes as [Node, Node, Node];
  const first = await owner(t, a, { key: 'key', topic: 'example.com/t' }, nodes);
  const subscribers = await Promise.all(
    [a, b, c].map(async (node) => connectWs(t, await node.port('wspubsub'), '/ws/sub/example.com/t')),
  );
  first.send('one', Buffer.from([0, 255]));
  for (const one of subscribers) t.deepEqual(await one.take(2), ['one', Buffer.from([0, 255])]);
  t.is((await refusedWs(t, await c.port('wspubsub'), '/ws/pub/key/example.com/t')).status, 409);
  t.is((await refusedWs(t, await b.port('wspubsub'), '/ws/sub/example.com/other')).status, 404);

  await first.leave();
  // Its relay refuses the next one as long as it has not noticed.
  await a.log.find(({ msg, door }) => msg === 'closed' && door === 'wspubsub');
  const back = await connectWs(t, await b.port('wspubsub'), '/ws/pub/key/example.com/t');
  t.is((await refusedWs(t, await a.port('wspubsub'), '/ws/pub/key/example.com/t')).status, 409);
  back.send('two');
  for (const one of subscribers) t.is(await one.next(), 'two');

  await back.leave();
  for (const one of subscribers) t.deepEqual(await one.next(), { code: 1000, reason: 'topic ended' });
  t.is((await refusedWs(t, await c.port('wspubsub'), '/ws/sub/example.com/t')).status, 404);
});

test.serial('of claims made at once at all relays one is granted', async (t) => {
  const { nodes } = await startCluster(t, 3);
  for (let round = 0; round < 10; round++) {
    const path = `/ws/pub/key/example.com/race-${round}`;
    const claims = await Promise.allSettled(
      nodes.map(async (node) => connectWs(t, await node.port('wspubsub'), path)),
    );
    t.is(claims.filter(({ status }) => status === 'fulfilled').length, 1, `round ${round}`);
  }
});
