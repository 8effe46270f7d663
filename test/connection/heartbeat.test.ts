import test from 'ava';
import { send } from '../../src/otp/process.ts';
import { Delivery } from '../../src/topic/delivery.ts';
import { type ConnectionWorld, connectionWorld, type FakeClient } from './connection-world.ts';

const PING = 150;
const PONG = 100;
const heartbeat = { ping: PING, pong: PONG };

function deliver({ accounting }: ConnectionWorld, { pid }: FakeClient, bytes: number): void {
  accounting.attempts++;
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
  t.true(client.state().paused);
  const beat = async (milliseconds: number) => {
    await world.advance(milliseconds);
    reader.tells({ type: 'pong' });
    await world.quiet();
  };
  await beat(PING);
  await beat(PONG);
  t.true(client.state().paused);
  t.false(isLost(client));
  await beat(PING - PONG);
  // It is read from again just before its second pong is due.
  reader.socket.read(300 * 1024);
  await world.quiet();
  t.false(client.state().paused);
  await beat(PONG);
  t.false(isLost(client));
  await beat(PING - PONG);
  await beat(PONG);
  t.true(isLost(client));
});

const silent = (value: boolean) => ({ type: 'acknowledging', silent: value }) as const;

test('a stream whose machine is silent twice is closed, and one that was heard between is not', async (t) => {
  const world = await connectionWorld({ heartbeat });
  const stream = await world.client('stream');
  const { pid } = stream;
  for (const one of [true, false, true]) send(pid, silent(one));
  await world.quiet();
  t.false(isLost(stream));
  send(pid, silent(true));
  await world.quiet();
  t.true(isLost(stream));
  t.like(world.closed[0], { code: 1006, reason: 'no acknowledgement' });
});
