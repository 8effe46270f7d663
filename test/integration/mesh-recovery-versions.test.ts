import { createServer } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { WebSocketServer } from 'ws';
import { homeOf } from '../../src/cluster/mesh/ordering.ts';
import { batch, batchPart, type Messages, messagesHeader, parseMessages } from '../../src/door/peer/batch.ts';
import { encodePeerFrame } from '../../src/door/peer/codec.ts';
import { DialledSession } from '../../src/door/peer/dialled-session.ts';
import { NumberedOutbox } from '../../src/door/peer/numbered-outbox.ts';
import { sha256 } from '../../src/secret/secret.ts';
import { Arrivals } from '../support/arrivals.ts';
import { freePorts, SECRET } from '../support/cluster.ts';
import { fanfareClient, publish, subscribe } from '../support/fanfare-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { dial, introduce, why } from '../support/scripted-peer.ts';

/** A relay of this release beside one of the release before, which is scripted. */
async function relayWith(t: ExecutionContext, peer?: number): Promise<TestRelay> {
  const [port, nobody] = await freePorts(2);
  return startTestRelay(
    t,
    {
      node: 'new',
      relays: [`127.0.0.1:${port}`, `127.0.0.1:${peer ?? nobody}`],
      network: { host: '127.0.0.1', port, secret: SECRET, timeout: peer === undefined ? '30s' : '3s' },
      topics: [{ pattern: 'c*', ordering: 'cluster', history: true }],
      doors: { pusu: {} },
    },
    1000,
  );
}

const topicOf = (home: string) =>
  Array.from({ length: 100 }, (_, index) => `c${index}`).find(
    (topic) => homeOf(`main\0${topic}`, ['new', 'old']) === home,
  ) ?? '';

test('a relay of version 1 that dials gets what is published, in the bytes of version 1', async (t) => {
  const relay = await relayWith(t);
  const old = await dial(t, relay, ['fanfare.peer.1']);
  t.is(why(await introduce(t, old, 'old', 'i')), 'welcome');
  const came = new Arrivals<Messages>('messages');
  old.socket.on('message', (payload: Buffer) => {
    const messages = payload[0] === 16 ? parseMessages(payload, 1) : null;
    if (messages !== null) came.push(messages);
  });
  const add = [{ realm: 'main', name: 'c0' }];
  old.send({ type: 'interest', version: 1, begin: true, end: true, add, drop: [] });
  await old.frames.find((frame) => frame !== 'closed' && frame.type === 'confirm');
  const client = await fanfareClient(t, relay);
  client.say(publish('c0', 'Hello', { id: 1 }));
  t.regex(String((await client.hear())['at']), /:1$/);
  const { batches } = await came.next();
  t.like(batches[0], { realm: 'main', name: 'c0', place: null, isAnswer: false });
  t.true(batches[0]?.messages[0]?.payload.includes('"Hello"'));
});

/** The network port of a relay of version 1, to the end of the handshake. */
async function oldRelay(t: ExecutionContext) {
  const server = createServer();
  const upgraded = new WebSocketServer({ noServer: true, handleProtocols: () => 'fanfare.peer.1' });
  const outbox = new NumberedOutbox();
  const linked = new Arrivals<(payload: Buffer) => void>('links');
  server.on('upgrade', (request, socket, head) => {
    upgraded.handleUpgrade(request, socket, head, (webSocket) => {
      t.teardown(() => webSocket.terminate());
      const session = new DialledSession({
        self: { node: 'old', incarnation: 'o1' },
        nonce: Buffer.alloc(32, 3),
        key: sha256(SECRET),
        stranger: null,
        timeout: 30_000,
        version: 1,
      });
      let isServed = false;
      webSocket.on('message', (payload: Buffer) => {
        if (isServed) return;
        const greeting = session.greeted(payload);
        if (greeting.type === 'say') webSocket.send(encodePeerFrame(greeting.frame, 1));
        if (greeting.type !== 'proved') return;
        isServed = true;
        webSocket.send(encodePeerFrame(session.welcome(outbox, 0, 1, 0), 1));
        const beat = setInterval(() => webSocket.send(encodePeerFrame(session.beat(0), 1)), 200);
        t.teardown(() => clearInterval(beat));
        linked.push((bytes) => webSocket.send(bytes));
      });
    });
  });
  const [port = 0] = await freePorts(1);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { port, linked };
}

test('of what a relay of version 1 gives its order, positions are those of one relay, and hold there', async (t) => {
  const old = await oldRelay(t);
  const relay = await relayWith(t, old.port);
  const send = await old.linked.next();
  const topic = topicOf('old');
  const one = await fanfareClient(t, relay);
  one.say(subscribe(topic));
  t.like(await one.hear(), { type: 'subscribe_ok', channel: topic });
  let sent = 0;
  const say = (content: string) => {
    const message = { kind: 'text', payload: Buffer.from(content) } as const;
    const bytes = batch('main', [batchPart(message, topic)]);
    const header = messagesHeader(++sent, bytes.length);
    send(Buffer.concat([header.subarray(-9), bytes]));
  };
  say('one');
  const heard: Record<string, unknown>[] = [];
  const next = async () => {
    for (;;) {
      const frame = await one.hear();
      if (frame['type'] === 'publish') return frame;
      heard.push(frame);
    }
  };
  const first = await next();
  t.is(first['content'], 'one');
  t.regex(String(first['at']), /^0[0-9a-z]{6}:1$/, 'of no rank');
  say('two');
  say('three');
  t.is((await next())['content'], 'two');
  t.is((await next())['content'], 'three');
  const back = await fanfareClient(t, relay);
  back.say(subscribe(topic, String(first['at'])));
  t.like(await back.hear(), { type: 'subscribe_ok', recovered: true });
  const [second, third] = await back.take(2);
  t.deepEqual([second?.['content'], third?.['content']], ['two', 'three']);
});
