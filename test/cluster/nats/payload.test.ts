import test from 'ava';
import fc from 'fast-check';
import { decodeMessages } from '../../../src/cluster/nats/intake.ts';
import { encodeMessages, split } from '../../../src/cluster/nats/outlet.ts';
import { jsonMessage } from '../../../src/topic/json-message.ts';
import type { Message } from '../../../src/topic/message.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data));
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.string().map((text): Message => ({ kind: 'text', payload: Buffer.from(text) })),
  bytes.map((payload): Message => ({ kind: 'binary', payload })),
  fc.json().map((json): Message => jsonMessage(Buffer.from(`{"type":"publish","content":${json}}`))),
);
const plain = (messages: readonly Message[] | null) =>
  messages?.map((one) => [
    one.kind,
    one.payload.toString('hex'),
    one.kind === 'json' ? one.content()?.toString('hex') : null,
  ]);

test('messages of every kind come back as they were, in their order', (t) => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 20 }), (messages) => {
      t.deepEqual(plain(decodeMessages(encodeMessages(messages))), plain(messages));
    }),
  );
});

test('what is cut off, of another kind, or nothing at all is refused', (t) => {
  const whole = encodeMessages([{ kind: 'text', payload: Buffer.from('abc') }]);
  for (let length = 0; length < whole.length; length++) t.is(decodeMessages(whole.subarray(0, length)), null);
  const other = Buffer.from(whole);
  other[0] = 3;
  t.is(decodeMessages(other), null);
  t.is(decodeMessages(Buffer.concat([whole, Buffer.from([0])])), null);
});

test('no bytes make it throw', (t) => {
  fc.assert(fc.property(bytes, (data) => t.notThrows(() => decodeMessages(data))));
});

test('messages are split into runs that a server takes, and those it would not take are left out', (t) => {
  const ofSize = (size: number): Message => ({ kind: 'binary', payload: Buffer.alloc(size) });
  // Five bytes go before each.
  t.deepEqual(split([ofSize(95)], 100), { runs: [[ofSize(95)]], tooLarge: 0 });
  t.deepEqual(split([ofSize(96)], 100), { runs: [], tooLarge: 1 });
  t.deepEqual(split([ofSize(45), ofSize(45)], 100).runs.length, 1);
  t.deepEqual(split([ofSize(45), ofSize(46)], 100).runs.length, 2);
  fc.assert(
    fc.property(fc.array(message), fc.integer({ min: 6, max: 60 }), (messages, limit) => {
      const { runs, tooLarge } = split(messages, limit);
      const left = messages.filter(({ payload }) => payload.length + 5 <= limit);
      t.deepEqual(plain(runs.flat()), plain(left));
      t.is(tooLarge, messages.length - left.length);
      for (const run of runs) t.true(encodeMessages(run).length <= limit);
    }),
  );
});
