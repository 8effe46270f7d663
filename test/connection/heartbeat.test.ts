import test from 'ava';
import { send } from '../../src/otp/process.ts';
import { Delivery } from '../../src/topic/message.ts';
import { type ConnectionWorld, connectionWorld, type FakeClient } from './connection-world.ts';

const PING = 150;
const PONG = 100;
const heartbeat = { ping: PING, pong: PONG };

function deliver({ accounting }: ConnectionWorld, { pid }: FakeClient, bytes: number): void {
  accounting.attempt(1);
  send(pid, new Delivery(Buffer.alloc(bytes), 1, accounting));
}

function isLost({ done }: FakeClient): boolean {
  return done.includes('destroy');
}

test('bytes that come from a client after a ping are life, and each ping asks for others', async (t) => {
  const world = await connectionWorld({ heartbeat });
  const client = await world.client();
  client.socket.bytesRead = 700;
  await world.advance(PING);
  client.socket.bytesRead++;
  await world.advance(PONG);
  t.false(isLost(client));
  await world.advance(PING - PONG);
  t.deepEqual(client.done, ['accept', 'ping', 'ping']);
  await world.advance(PONG);
  t.true(isLost(client));
  t.like(world.closed[0], { code: 1006, reason: 'no pong' });
});

test('what a client takes of what waits for it is life, until it takes nothing more', async (t) => {
  const world = await connectionWorld({ heartbeat });
  const client = await world.client();
  client.socket.room = 0;
  deliver(world, client, 1000);
  await world.quiet();
  await world.advance(PING);
  client.socket.read(1);
  await world.advance(PONG);
  t.false(isLost(client));
  await world.advance(PING - PONG);
  await world.advance(PONG);
  t.true(isLost(client));
  t.like(world.closed[0], { reason: 'no pong' });
});

test('what the kernel takes while it has room says nothing of the client', async (t) => {
  const world = await connectionWorld({ heartbeat });
  const client = await world.client();
  await world.advance(PING);
  deliver(world, client, 1000);
  await world.quiet();
  await world.advance(PONG);
  t.is(world.accounting.delivered, 1);
  t.true(isLost(client));
});

test('a ping that waits to be encrypted, and then goes out, is no sign of life', async (t) => {
  const world = await connectionWorld({ heartbeat });
  const client = await world.client();
  client.socket.pingBytes = 2;
  client.socket.room = 0;
  await world.advance(PING);
  client.socket.read(2);
  await world.advance(PONG);
  t.true(isLost(client));
});

test('a pong that cannot be heard, as nothing is read from the client, is not missed', async (t) => {
  const world = await connectionWorld({ heartbeat });
  const client = await world.client();
  const reader = await world.client();
  client.says('join t');
  reader.says('join t');
  await world.quiet();
  // A reader that is behind holds the publisher back, until its credit is used up.
  reader.socket.room = 0;
  deliver(world, reader, 300 * 1024);
  await world.quiet();
  for (let i = 0; i < 3; i++) client.says(`publish t ${'x'.repeat(50_000)}`);
  await world.quiet();
  t.true(client.state().intake.paused);
  const beat = async (milliseconds: number) => {
    await world.advance(milliseconds);
    reader.tells({ type: 'pong' });
    await world.quiet();
  };
  await beat(PING);
  await beat(PONG);
  t.true(client.state().intake.paused);
  t.false(isLost(client));
  await beat(PING - PONG);
  // It is read from again just before its second pong is due.
  reader.socket.read(300 * 1024);
  await world.quiet();
  t.false(client.state().intake.paused);
  await beat(PONG);
  t.false(isLost(client));
  await beat(PING - PONG);
  await beat(PONG);
  t.true(isLost(client));
});

/** The kernel's answer: so many bytes have been acknowledged. */
const acknowledged = (bytes: number, silent = false) =>
  ({ type: 'acknowledging', silent, atLeast: bytes, atMost: bytes }) as const;

/** A client with more in its kernel than it may have read, which has been pinged; then its pong is due. */
async function doubted(): Promise<{ readonly world: ConnectionWorld; readonly client: FakeClient }> {
  const world = await connectionWorld({ heartbeat });
  const client = await world.client();
  deliver(world, client, 64 * 1024 + 1);
  await world.quiet();
  await world.advance(PING);
  send(client.pid, acknowledged(1000));
  await world.quiet();
  await world.advance(PONG);
  return { world, client };
}

test('what has been acknowledged since the ping is life, where the kernel has all that waits', async (t) => {
  const { world, client } = await doubted();
  t.false(isLost(client));
  send(client.pid, acknowledged(1001));
  await world.quiet();
  await world.advance(PONG);
  t.false(isLost(client));
  await world.advance(PING - PONG);
  t.deepEqual(client.done, ['accept', 'ping', 'ping']);
  // Some is still not acknowledged: the next pong is doubted, too.
  send(client.pid, acknowledged(1001));
  await world.quiet();
  await world.advance(PONG);
  t.false(isLost(client));
  send(client.pid, acknowledged(1001));
  await world.quiet();
  await world.advance(PONG);
  t.true(isLost(client));
});

test('a client whose doubt nobody settles is closed after another time of limits.pong', async (t) => {
  const { world, client } = await doubted();
  await world.advance(PONG - 1);
  t.false(isLost(client));
  await world.advance(1);
  t.true(isLost(client));
});

test('a client that may have read all it was sent is closed when its pong is due, whatever the kernel says', async (t) => {
  const world = await connectionWorld({ heartbeat });
  const client = await world.client();
  deliver(world, client, 64 * 1024);
  await world.quiet();
  await world.advance(PING);
  await world.advance(PONG);
  t.true(isLost(client));
});

test('a stream whose machine is silent for limits.pong is closed, and one that was heard between is not', async (t) => {
  const world = await connectionWorld({ heartbeat: { ping: 0, pong: PONG } });
  const stream = await world.client('stream');
  const isSilent = async (silent: boolean, after: number) => {
    await world.advance(after);
    send(stream.pid, acknowledged(0, silent));
    await world.quiet();
  };
  await isSilent(true, 0);
  await isSilent(true, PONG - 1);
  await isSilent(false, PONG);
  await isSilent(true, PONG);
  await isSilent(true, PONG - 1);
  t.false(isLost(stream));
  await isSilent(true, 1);
  t.true(isLost(stream));
  t.like(world.closed[0], { code: 1006, reason: 'no acknowledgement' });
});
