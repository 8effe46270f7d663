import test from 'ava';
import { decodeMessages } from '../../../src/cluster/nats/intake.ts';
import { Outlet } from '../../../src/cluster/nats/outlet.ts';
import { Window } from '../../../src/cluster/nats/window.ts';
import type { Message } from '../../../src/topic/message.ts';

const topic = { realm: 'main', name: 't' };
const ofSize = (size: number): Message => ({ kind: 'binary', payload: Buffer.alloc(size) });
/** The header takes 512 bytes, and the head of a message 5. */
const outletOf = (most: number, window = new Window(0, 0)) => new Outlet(window, 512 + 5 + most);
const sizes = (payloads: readonly Buffer[]) =>
  payloads.map((bytes) => decodeMessages(bytes)?.map(({ payload }) => payload.length));

test('messages of a turn go out together, as many as the server takes in one, and are not confirmed', (t) => {
  const window = new Window(0, 0);
  const outlet = outletOf(100, window);
  const { payloads, tooLarge, overflow } = outlet.take(topic, [40, 40, 100, 1].map(ofSize));
  t.deepEqual(sizes(payloads), [[40, 40], [100], [1]]);
  t.deepEqual({ tooLarge, overflow }, { tooLarge: 0, overflow: 0 });
  t.is(window.count, 4);
});

test('a message that is longer than the server takes is dropped alone', (t) => {
  const window = new Window(0, 0);
  const { payloads, tooLarge } = outletOf(100, window).take(topic, [100, 101, 100].map(ofSize));
  t.deepEqual(sizes(payloads), [[100], [100]]);
  t.is(tooLarge, 1);
  t.is(window.count, 2);
});

test('what does not fit into the window is dropped, and named by topic once', (t) => {
  const window = new Window(400, 0);
  const outlet = outletOf(100, window);
  t.is(outlet.overflowed(), null);
  // Each costs 100 + 5 + 64.
  const { payloads, overflow } = outlet.take(topic, [100, 100, 100].map(ofSize));
  t.deepEqual(sizes(payloads), [[100], [100]]);
  t.is(overflow, 1);
  t.is(window.count, 2);
  t.deepEqual(outlet.overflowed(), { 'main t': 1 });
  t.is(outlet.overflowed(), null);
});
