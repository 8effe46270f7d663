import test from 'ava';
import { send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { Delivery } from '../../src/topic/message.ts';
import { isBalanced } from '../support/relay.ts';
import { type ConnectionWorld, connectionWorld, type FakeClient } from './connection-world.ts';

const KIB = 1024;

/** As a topic would: counted as an attempt, and sent. */
function deliver(
  { accounting }: ConnectionWorld,
  { pid }: FakeClient,
  bytes: Buffer | number,
  count = 1,
): void {
  const content = typeof bytes === 'number' ? Buffer.alloc(bytes, 'x') : bytes;
  accounting.attempt(count);
  send(pid, new Delivery(content, count, accounting));
}

/** Lets time pass in small steps, so that a timer that is set on the way fires on the way. */
async function pass(world: ConnectionWorld, milliseconds: number): Promise<void> {
  await world.quiet();
  for (let left = milliseconds; left > 0; left -= 100) await world.advance(Math.min(left, 100));
}

test('deliveries of one turn are written in order, and counted as delivered when the kernel has them', async (t) => {
  const world = await connectionWorld();
  const client = await world.client();
  for (const text of ['a', 'b', 'c']) deliver(world, client, Buffer.from(text), 2);
  await world.quiet();
  t.is(client.text(), 'abc');
  t.is(world.accounting.delivered, 6);
  t.is(client.state().outflow.messages, 6);
});

test('more than one write has is written at once while the kernel takes it', async (t) => {
  const world = await connectionWorld();
  const client = await world.client();
  for (const text of ['a', 'b', 'c', 'd']) deliver(world, client, Buffer.alloc(200 * KIB, text));
  await world.quiet();
  t.is(client.text().length, 800 * KIB);
  t.is(world.accounting.delivered, 4);
  t.false(client.state().outflow.ready);
});

test('while a write is under way nothing is counted, and what comes goes out after it, in order', async (t) => {
  const world = await connectionWorld();
  const client = await world.client();
  client.socket.room = 2;
  deliver(world, client, Buffer.from('first'));
  await world.quiet();
  for (const text of ['a', 'b']) deliver(world, client, Buffer.from(text));
  await world.quiet();
  t.is(client.text(), 'first');
  t.is(world.accounting.delivered, 0);
  client.socket.room = 100;
  client.socket.read(3);
  await world.quiet();
  t.is(client.text(), 'firstab');
  t.is(world.accounting.delivered, 3);
});

for (const [over, what] of [
  [0, 'is within'],
  [1, 'is past'],
] as const) {
  test(`a client ${over === 0 ? 'at' : 'one byte over'} its pending limit ${what} it`, async (t) => {
    const world = await connectionWorld({ limits: { pending: 1000 } });
    const client = await world.client();
    client.socket.room = 0;
    deliver(world, client, 600);
    await world.quiet();
    deliver(world, client, 400 + over, 3);
    await world.quiet();
    t.deepEqual(client.done.slice(1), over === 0 ? [] : ['close 1013 slow']);
    client.tells({ type: 'closed', code: 1006 });
    await world.quiet();
    t.is(world.closed[0]?.code, over === 0 ? 1006 : 1013);
    t.is(world.closed[0]?.reason, over === 0 ? 'connection lost' : 'slow');
    t.is(world.accounting.dropped[over === 0 ? 'closed' : 'slow'], 4);
    t.true(isBalanced(world.accounting));
    t.is(world.context.counters.drops, 4);
    t.is(world.context.counters.connections, 0);
  });
}

for (const state of ['while a little of it waits', 'just when it has nearly caught up'] as const) {
  test(`all topics of a reading client may deliver at once, ${state}`, async (t) => {
    const world = await connectionWorld({ limits: { pending: 10_000 } });
    const client = await world.client();
    for (let i = 0; i < 20; i++) client.says(`join t${i}`);
    await world.quiet();
    client.socket.room = 0;
    if (state === 'just when it has nearly caught up') {
      deliver(world, client, 3000);
      await world.quiet();
      t.is(world.topic('t0').fanOut.behind.size, 1);
    }
    deliver(world, client, 1000);
    await world.quiet();
    if (state === 'just when it has nearly caught up') client.socket.read(3000);
    await world.quiet();
    t.true(client.state().outflow.writing);
    t.is(world.topic('t0').fanOut.behind.size, 0);
    for (let i = 0; i < 20; i++) client.says(`publish t${i} ${'x'.repeat(1000)}`);
    await world.quiet();
    t.is(world.topic('t0').fanOut.behind.size, 1);
    t.false(client.done.includes('close 1013 slow'));
    deliver(world, client, 1);
    await world.quiet();
    t.true(client.done.includes('close 1013 slow'));
  });
}

test('what a slow client gets after it was closed is dropped and counted', async (t) => {
  const world = await connectionWorld({ limits: { pending: 10 } });
  const client = await world.client();
  client.socket.room = 0;
  deliver(world, client, 10);
  await world.quiet();
  deliver(world, client, 1);
  deliver(world, client, 1);
  client.tells({ type: 'closed', code: 1006 });
  deliver(world, client, 1, 5);
  await world.quiet();
  t.is(world.accounting.dropped.slow, 2);
  t.is(world.accounting.dropped.closed, 6);
  t.true(isBalanced(world.accounting));
});

test('a client that takes nothing for the time of write_stall is closed as slow, and not before', async (t) => {
  const world = await connectionWorld({ limits: { writeStall: 3000 } });
  const client = await world.client();
  client.socket.room = 10;
  deliver(world, client, 100);
  await world.quiet();
  await pass(world, 2999);
  t.deepEqual(client.done, ['accept']);
  await pass(world, 1);
  t.true(client.done.includes('close 1013 slow'));
});

test('what is acknowledged puts the end of a stalled write off, though the kernel takes nothing more', async (t) => {
  const world = await connectionWorld({ limits: { writeStall: 3000 } });
  const client = await world.client();
  const acknowledged = async (bytes: number) => {
    send(client.pid, { type: 'acknowledging', silent: false, atLeast: bytes, atMost: bytes });
    await world.quiet();
  };
  client.socket.room = 0;
  deliver(world, client, 100);
  await pass(world, 1000);
  await acknowledged(10);
  await pass(world, 1900);
  await acknowledged(11);
  await pass(world, 2900);
  t.deepEqual(client.done, ['accept']);
  // The same again is no progress.
  await acknowledged(11);
  await pass(world, 1100);
  t.deepEqual(client.done, ['accept', 'close 1013 slow']);
});

test('without write_stall, what is being closed ends when its client takes nothing for 10 seconds', async (t) => {
  const world = await connectionWorld({ limits: { writeStall: 0 } });
  const client = await world.client();
  client.socket.room = 0;
  deliver(world, client, 100);
  await world.quiet();
  client.says('close');
  await pass(world, 9000);
  t.deepEqual(client.done, ['accept']);
  await pass(world, 1000);
  t.deepEqual(client.done, ['accept', 'destroy']);
  t.is(world.accounting.dropped.closed, 1);
});

test('a slow stream is ended without a close that it would have to read', async (t) => {
  const world = await connectionWorld({ limits: { pending: 10 } });
  const client = await world.client('stream');
  client.socket.room = 0;
  deliver(world, client, 11);
  await world.quiet();
  deliver(world, client, 1);
  await world.quiet();
  t.deepEqual(client.done, ['accept', 'destroy']);
  t.is(world.closed[0]?.reason, 'slow');
  t.is(world.closed[0]?.level, 'info');
  t.is(world.accounting.dropped.slow, 2);
});

test('a client that is a quarter of its limit behind holds its topics until it has half of that left', async (t) => {
  const world = await connectionWorld({ limits: { pending: 4000 } });
  const [slow, other] = [await world.client(), await world.client()];
  for (const client of [slow, other]) client.says('join t');
  await world.quiet();
  const topic = world.topic('t');
  slow.socket.room = 0;
  other.says(`publish t ${'x'.repeat(1000)}`);
  await world.quiet();
  t.is(topic.fanOut.behind.size, 0);
  other.says('publish t y');
  await world.quiet();
  t.is(topic.fanOut.behind.size, 1);
  other.says('publish t held');
  await world.quiet();
  t.false(other.text().endsWith('held'));
  slow.socket.read(1000);
  await world.quiet();
  t.is(topic.fanOut.behind.size, 0);
  t.true(other.text().endsWith('held'));
});

test('a client that stops reading holds its topics for two seconds; then they go on without it', async (t) => {
  const world = await connectionWorld({ limits: { pending: 4000 } });
  const [slow, other] = [await world.client(), await world.client()];
  for (const client of [slow, other]) client.says('join t');
  await world.quiet();
  slow.socket.room = 0;
  other.says(`publish t ${'x'.repeat(1001)}`);
  await world.quiet();
  other.says('publish t held');
  await pass(world, 1999);
  t.false(other.text().endsWith('held'));
  await pass(world, 1);
  t.true(other.text().endsWith('held'));
});

test('a client that reads only from what the kernel has holds its topics as long as it acknowledges', async (t) => {
  const world = await connectionWorld({ limits: { pending: 4000 } });
  const [slow, other] = [await world.client(), await world.client()];
  for (const client of [slow, other]) client.says('join t');
  await world.quiet();
  slow.socket.room = 0;
  other.says(`publish t ${'x'.repeat(1001)}`);
  await world.quiet();
  other.says('publish t held');
  const acknowledges = async (bytes: number) => {
    await pass(world, 1000);
    send(slow.pid, { type: 'acknowledging', silent: false, atLeast: bytes, atMost: bytes });
    await world.quiet();
  };
  for (let seconds = 1; seconds <= 5; seconds++) await acknowledges(seconds * 200_000);
  t.false(other.text().endsWith('held'));
  await acknowledges(1_000_000);
  t.true(other.text().endsWith('held'));
});

test('a topic that is joined by one who is behind in another knows at once', async (t) => {
  const world = await connectionWorld({ limits: { pending: 4000 } });
  const client = await world.client();
  client.says('join a');
  await world.quiet();
  client.socket.room = 0;
  client.says(`publish a ${'x'.repeat(1001)}`);
  await world.quiet();
  client.says('join b');
  await world.quiet();
  t.is(world.topic('a').fanOut.behind.size, 1);
  t.is(world.topic('b').fanOut.behind.size, 1);
});

for (const how of ['asked to', 'too slow'] as const) {
  test(`one who is behind and closed because it was ${how} holds nobody back`, async (t) => {
    const world = await connectionWorld({ limits: { pending: 4000 } });
    const [slow, other] = [await world.client(), await world.client()];
    for (const client of [slow, other]) client.says('join t');
    await world.quiet();
    slow.socket.room = 0;
    other.says(`publish t ${'x'.repeat(1001)}`);
    await world.quiet();
    t.is(world.topic('t').fanOut.behind.size, 1);
    if (how === 'asked to') slow.says('close');
    else deliver(world, slow, 4000);
    await world.quiet();
    other.says('publish t on');
    await world.quiet();
    t.true(other.text().endsWith('on'));
  });
}

test('what is queued goes out before the close', async (t) => {
  const world = await connectionWorld();
  const client = await world.client();
  client.socket.room = 0;
  deliver(world, client, Buffer.from('first'));
  await world.quiet();
  deliver(world, client, Buffer.from('second'));
  client.says('close');
  await world.quiet();
  t.deepEqual(client.done, ['accept']);
  client.socket.room = 100;
  client.socket.read(5);
  await world.quiet();
  t.is(client.text(), 'firstsecond');
  t.deepEqual(client.done, ['accept', 'close 1000 asked']);
});

test('a client that an operator disconnects as slow, in words, is none that did not read', async (t) => {
  const world = await connectionWorld();
  const client = await world.client();
  client.socket.room = 0;
  deliver(world, client, 10);
  await world.quiet();
  deliver(world, client, 10);
  exit(client.pid, { shutdown: 'slow' });
  await world.quiet();
  client.tells({ type: 'closed', code: 1006 });
  await world.quiet();
  t.like(world.closed[0], { code: 1001, reason: 'slow', level: 'info' });
  t.like(world.accounting.dropped, { slow: 0, closed: 2 });
  t.true(isBalanced(world.accounting));
});
