import test, { type ExecutionContext } from 'ava';
import type { Connection } from '../../src/connection/connection.ts';
import { CREDIT_BYTES } from '../../src/connection/intake.ts';
import { costOf } from '../../src/topic/message.ts';
import { eventually } from '../support/arrivals.ts';
import { quietAccount, topicOf } from '../support/promises.ts';
import { clientFrame, connectRaw, post, type RawClient, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

// One after the other: whether a client counts as reading is a matter of time, which the tests of a file share.
const KIB = 1024;
/** More than the kernel's buffers on both sides of a loopback connection take. */
const MORE_THAN_BUFFERS = 24 * KIB * KIB;

/** A WebSocket client without a WebSocket: it reads only when told to. */
async function rawMember(t: ExecutionContext, port: number, path: string): Promise<RawClient> {
  const client = await connectRaw(t, port);
  client.send(upgradeRequest({}, `GET ${path} HTTP/1.1`));
  await client.until('\r\n\r\n');
  return client;
}

/** Stops reading for good. */
function stopReading({ socket }: RawClient): void {
  socket.removeAllListeners('data');
  socket.pause();
}

/** Reads on, one chunk in each turn of the event loop, and counts the bytes. */
function readSteadily(t: ExecutionContext, { socket }: RawClient): { bytes: number } {
  const seen = { bytes: 0 };
  let on = true;
  const read = () => {
    const chunk = socket.read() as Buffer | null;
    seen.bytes += chunk?.length ?? 0;
    if (on) setImmediate(read);
  };
  read();
  t.teardown(() => {
    on = false;
  });
  return seen;
}

interface Watched {
  behind: number;
  /** The largest that has been seen: bytes that waited for one client, and credit's worth that waited in the topic. */
  pending: number;
  waiting: number;
  stop(): void;
}

/** Looks at a relay in every turn of the event loop. */
function watchMemory(t: ExecutionContext, { relay }: TestRelay, name: string): Watched {
  let on = true;
  const seen: Watched = { behind: 0, pending: 0, waiting: 0, stop: () => (on = false) };
  const look = () => {
    const topic = relay.topics.find('main', name);
    seen.behind = Math.max(seen.behind, topic?.fanOut.behind.size ?? 0);
    const { queue = [] } = topic?.fanOut ?? {};
    const credit = queue.reduce((sum, one) => sum + (one.type === 'publish' ? one.credit : 0), 0);
    seen.waiting = Math.max(seen.waiting, credit);
    for (const { behaviour, state } of relay.system.processes.values()) {
      if (behaviour.name !== 'connection-handler' || state === undefined) continue;
      const { outflow, transport } = state as Connection;
      seen.pending = Math.max(seen.pending, outflow.pending(transport.socket.writableLength));
    }
    if (on) setImmediate(look);
  };
  look();
  t.teardown(seen.stop);
  return seen;
}

/** Sends messages `0:`, `1:`, … of some size as fast as the relay takes them. */
async function flood({ webSocket }: WsClient, count: number, size: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    webSocket.send(`${i}:`.padEnd(size, 'x'));
    if (webSocket.bufferedAmount > 256 * KIB) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Reads of a client only how many messages came, and whether they came in order. */
function countInOrder({ webSocket }: WsClient): { count: number; inOrder: boolean } {
  const seen = { count: 0, inOrder: true };
  webSocket.removeAllListeners('message');
  webSocket.on('message', (data) => {
    if (Number.parseInt(String((data as Buffer).subarray(0, 8)), 10) !== seen.count) seen.inOrder = false;
    seen.count++;
  });
  return seen;
}

test.serial(
  'a publisher at full speed against 200 reading subscribers closes nobody and loses nothing',
  async (t) => {
    const relay = await startTestRelay(t, { doors: { pinghub: {} } });
    const port = relay.port('pinghub');
    const readers = await Promise.all(Array.from({ length: 200 }, () => connectWs(t, port, '/t')));
    const publisher = await connectWs(t, port, '/t');
    const seen = [publisher, ...readers].map(countInOrder);
    const memory = watchMemory(t, relay, 't');
    await flood(publisher, 1000, 500);
    await eventually(() => seen.every(({ count }) => count === 1000), 'all have all');
    memory.stop();
    await quietAccount(relay);
    t.true(seen.every(({ inOrder }) => inOrder));
    t.is(relay.accounting.attempts, 201_000);
    t.is(relay.accounting.delivered, 201_000);
    t.false(relay.log.all.some(({ msg }) => msg === 'closed'));
    t.true(memory.waiting <= CREDIT_BYTES + 64 * KIB + costOf(0));
    t.true(memory.pending <= 1024 * KIB);
  },
);

test.serial(
  'a subscriber that stops reading is closed as slow; the others get everything, in order',
  async (t) => {
    const relay = await startTestRelay(t, { doors: { pinghub: {} } });
    const port = relay.port('pinghub');
    const readers = await Promise.all(Array.from({ length: 5 }, () => connectWs(t, port, '/t')));
    const publisher = await connectWs(t, port, '/t');
    const stuck = await rawMember(t, port, '/t');
    stopReading(stuck);
    const seen = [publisher, ...readers].map(countInOrder);
    const memory = watchMemory(t, relay, 't');
    const count = MORE_THAN_BUFFERS / (8 * KIB);
    await flood(publisher, count, 8 * KIB);
    const line = await relay.closed();
    t.like(line, { level: 'info', code: 1013, reason: 'slow', door: 'pinghub' });
    await eventually(() => seen.every((one) => one.count === count), 'the others have all');
    memory.stop();
    await quietAccount(relay);
    const { accounting } = relay;
    t.true(seen.every(({ inOrder }) => inOrder));
    t.true(accounting.dropped.slow > 0);
    const toStuck = accounting.delivered - 6 * count;
    t.true(
      toStuck > 0 && toStuck < (line['out'] as number),
      'what was under way is not counted as delivered',
    );
    t.is(relay.log.all.filter(({ msg }) => msg === 'closed').length, 1);
    t.is(topicOf(relay, 't').members.size, 6);
  },
);

test.serial(
  'a subscriber that reads slowly and steadily slows the publisher, and is not closed',
  async (t) => {
    const relay = await startTestRelay(t, { doors: { pinghub: {} } });
    const port = relay.port('pinghub');
    const slow = await rawMember(t, port, '/t');
    stopReading(slow);
    const publisher = await connectWs(t, port, '/t');
    const seen = countInOrder(publisher);
    const memory = watchMemory(t, relay, 't');
    const count = MORE_THAN_BUFFERS / (8 * KIB);
    const slowly = readSteadily(t, slow);
    await flood(publisher, count, 8 * KIB);
    await eventually(() => seen.count === count && slowly.bytes === count * (8 * KIB + 4), 'both have all');
    memory.stop();
    await quietAccount(relay);
    t.true(memory.behind > 0, 'it was behind');
    t.true(memory.pending <= 1024 * KIB);
    t.is(relay.accounting.delivered, 2 * count);
    t.false(relay.log.all.some(({ msg }) => msg === 'closed'));
  },
);

test.serial('a client past write_stall is closed as slow even when little waits for it', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pinghub: {} },
    limits: { write_stall: '3s', pending: '0B' },
  });
  const port = relay.port('pinghub');
  const stuck = await rawMember(t, port, '/t');
  stopReading(stuck);
  const publisher = await connectWs(t, port, '/t');
  const seen = countInOrder(publisher);
  const count = MORE_THAN_BUFFERS / (8 * KIB);
  await flood(publisher, count, 8 * KIB);
  t.like(await relay.closed(), { level: 'info', code: 1013, reason: 'slow' });
  await eventually(() => seen.count === count, 'the other has all');
  await quietAccount(relay);
  t.true(relay.accounting.dropped.slow > 0);
});

test.serial('a stream whose reader stops is ended as slow', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const port = relay.port('pinghub');
  const stuck = await connectRaw(t, port);
  stuck.send('GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  await stuck.until('\r\n\r\n');
  stopReading(stuck);
  const publisher = await connectWs(t, port, '/t');
  const seen = countInOrder(publisher);
  const count = MORE_THAN_BUFFERS / (8 * KIB);
  await flood(publisher, count, 8 * KIB);
  t.like(await relay.closed(), { level: 'info', reason: 'slow' });
  await eventually(() => seen.count === count, 'the other has all');
  await quietAccount(relay);
  t.true(relay.accounting.dropped.slow > 0);
  t.is(topicOf(relay, 't').members.size, 1);
});

test.serial('a flood of tiny messages is bounded by what each costs, and arrives whole', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const port = relay.port('pinghub');
  const readers = await Promise.all(Array.from({ length: 3 }, () => connectWs(t, port, '/t')));
  const publisher = await rawMember(t, port, '/t');
  stopReading(publisher);
  publisher.socket.resume();
  const memory = watchMemory(t, relay, 't');
  const burst = Buffer.concat(Array.from({ length: 1000 }, () => clientFrame('x')));
  for (let i = 0; i < 20; i++) publisher.send(burst);
  await eventually(() => readers.every(({ got }) => got.all.length === 20_000), 'all have all');
  memory.stop();
  await quietAccount(relay);
  // One chunk that was read before the pause may come on top.
  t.true(memory.waiting <= CREDIT_BYTES + 64 * KIB * (1 + costOf(0) / 7));
  t.is(relay.accounting.delivered, 80_000);
});

test.serial('a client that sends pings and never reads is ended before its pongs pile up', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const stuck = await rawMember(t, relay.port('pinghub'), '/t');
  stopReading(stuck);
  const memory = watchMemory(t, relay, 't');
  const burst = Buffer.concat(Array.from({ length: 2000 }, () => clientFrame('x'.repeat(120), 9)));
  const isClosed = () => relay.log.all.some(({ msg }) => msg === 'closed');
  for (let sent = 0; !isClosed() && sent < 4 * MORE_THAN_BUFFERS; sent += burst.length) {
    stuck.send(burst);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.like(await relay.closed(), { code: 1006 });
  memory.stop();
  t.true(memory.pending <= 1024 * KIB, `${memory.pending} bytes`);
});

test.serial('a flood of POSTs is answered to the last, beside a publisher at full speed', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const port = relay.port('pinghub');
  const reader = await connectWs(t, port, '/t');
  const publisher = await connectWs(t, port, '/t');
  const flooding = flood(publisher, 2000, 1000);
  const posting = Array.from({ length: 10 }, async (_, p) => {
    for (let i = 0; i < 20; i++) t.is((await post(port, '/t', `post ${p}:${i}`)).status, 200);
  });
  await Promise.all([flooding, ...posting]);
  await eventually(() => reader.got.all.length === 2200, 'all has come');
  await quietAccount(relay);
  for (let p = 0; p < 10; p++) {
    const mine = reader.got.all.filter((one) => String(one).startsWith(`post ${p}:`));
    t.deepEqual(
      mine,
      Array.from({ length: 20 }, (_, i) => `post ${p}:${i}`),
    );
  }
  t.is(relay.accounting.delivered, 2 * 2200);
});

test.serial(
  'a subscriber of 100 busy topics that reads slowly and steadily is not closed, and gets everything',
  async (t) => {
    const relay = await startTestRelay(t, { doors: { pusu: {} } });
    const port = relay.port('pusu');
    const slow = await rawMember(t, port, '/');
    const channels = Array.from({ length: 100 }, (_, index) => `c${index}`);
    for (const channel of channels) slow.send(clientFrame(JSON.stringify({ type: 'subscribe', channel })));
    await slow.until('"c99"');
    stopReading(slow);
    const slowly = readSteadily(t, slow);
    const publishers = await Promise.all(Array.from({ length: 25 }, () => connectWs(t, port)));
    const content = 'x'.repeat(16 * KIB);
    let expected = 0;
    for (let i = 0; i < 16; i++) {
      for (const [p, publisher] of publishers.entries()) {
        for (let j = 0; j < 4; j++) {
          const text = JSON.stringify({ type: 'publish', channel: channels[p * 4 + j], content });
          publisher.send(text);
          expected += text.length + 4;
        }
      }
    }
    await eventually(() => slowly.bytes >= expected, 'all has come');
    await quietAccount(relay);
    t.is(slowly.bytes, expected);
    t.is(relay.accounting.delivered, 1600);
    t.false(relay.log.all.some(({ msg }) => msg === 'closed'));
  },
);
