import test from 'ava';
import fc from 'fast-check';
import {
  batch,
  batchPart,
  messagesHeader,
  parseMessages,
  topicOfBatch,
} from '../../../src/door/peer/batch.ts';
import { encodePeerFrame, type PeerFrame, parsePeerFrame } from '../../../src/door/peer/codec.ts';
import { isProved, mismatch, negotiate, offer, offered, prove } from '../../../src/door/peer/session.ts';
import { jsonMessage } from '../../../src/topic/json-message.ts';
import type { Message } from '../../../src/topic/message.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const number = fc.maxSafeNat();
const u32 = fc.nat({ max: 0xffffffff });
const relay = fc.record({ node: text, incarnation: text });
const topic = fc.record({ realm: text, name: text });
const topics = fc.array(topic, { maxLength: 5 });
const claim = fc.record({
  realm: text,
  name: text,
  state: fc.constantFrom('asked' as const, 'owned' as const, 'grace' as const, 'gone' as const),
  since: number,
  grace: number,
});
const of = <T extends PeerFrame['type'], R extends object>(
  type: T,
  fields: { [K in keyof R]: fc.Arbitrary<R[K]> },
) => fc.record<R>(fields).map((rest) => ({ type, ...rest }));

const frames: fc.Arbitrary<PeerFrame> = fc.oneof(
  of('hello', { relay, nonce: bytes, of: text, last: number, received: number, epoch: number }),
  of('challenge', { relay, nonce: bytes }),
  of('proof', { mac: bytes }),
  of('welcome', { mac: bytes, next: number, epoch: number, taken: number }),
  of('epoch', { epoch: number }),
  of('refuse', { why: fc.constantFrom('self' as const, 'name-taken' as const, 'proof' as const), text }),
  of('heartbeat', { last: number, received: number }),
  of('interest', { version: number, begin: fc.boolean(), end: fc.boolean(), add: topics, drop: topics }),
  of('confirm', { version: number }),
  of('claims', {
    ref: u32,
    begin: fc.boolean(),
    end: fc.boolean(),
    claims: fc.array(claim, { maxLength: 4 }),
  }),
  of('verdict', { ref: u32, granted: fc.boolean() }),
);

test('a frame is read as it was written', (t) => {
  fc.assert(fc.property(frames, (frame) => void t.deepEqual(parsePeerFrame(encodePeerFrame(frame)), frame)));
});

test('a frame that is cut short, or goes on, is none', (t) => {
  fc.assert(
    fc.property(frames, fc.nat(), (frame, at) => {
      const whole = encodePeerFrame(frame);
      t.is(parsePeerFrame(whole.subarray(0, at % whole.length)), null);
      t.is(parsePeerFrame(Buffer.concat([whole, Buffer.from([0])])), null);
    }),
  );
});

test('no bytes make reading throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 20 }), (array, type) => {
      const frame = Buffer.from([type, ...array]);
      parsePeerFrame(frame);
      parseMessages(frame);
    }),
  );
  t.is(parsePeerFrame(Buffer.alloc(0)), null);
  t.is(parseMessages(Buffer.alloc(0)), null);
});

test('a length beyond the frame costs nothing', (t) => {
  const interest = encodePeerFrame({
    type: 'interest',
    version: 1,
    begin: false,
    end: false,
    add: [],
    drop: [],
  });
  interest.writeUInt32BE(0xffffffff, 10);
  t.is(parsePeerFrame(interest), null);
});

const messages: fc.Arbitrary<Message> = fc.oneof(
  text.map((value) => ({ kind: 'text' as const, payload: Buffer.from(value) })),
  bytes.map((payload) => ({ kind: 'binary' as const, payload })),
  fc
    .json()
    .map((content) => jsonMessage(Buffer.from(`{"type":"publish","channel":"c","content":${content}}`))),
);
const batches = fc.array(
  fc.record({ realm: text, name: text, messages: fc.array(messages, { minLength: 1, maxLength: 8 }) }),
  {
    minLength: 1,
    maxLength: 4,
  },
);

/** What stands behind the header of the WebSocket frame, after a look at the header itself. */
function payloadOf(header: Buffer, body: Buffer): Buffer {
  const length = (header[1] as number) < 126 ? 2 : header[1] === 126 ? 4 : 10;
  const told =
    length === 2 ? header[1] : length === 4 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
  const payload = Buffer.concat([header.subarray(length), body]);
  if (header[0] !== 0x82 || told !== payload.length)
    throw new Error(`header of ${told} for ${payload.length}`);
  return payload;
}

test('messages are read as they were written, with their kinds, and JSON keeps its content', (t) => {
  fc.assert(
    fc.property(batches, number, (sent, first) => {
      const body = Buffer.concat(
        sent.map(({ realm, name, messages: list }) =>
          batch(
            realm,
            list.map((message) => batchPart(message, name)),
          ),
        ),
      );
      const read = parseMessages(payloadOf(messagesHeader(first, body.length), body));
      t.is(read?.first, first);
      t.deepEqual(
        read?.batches.map(({ realm, name, messages: list }) => [realm, name, list.map(plain)]),
        sent.map(({ realm, name, messages: list }) => [realm, name, list.map(plain)]),
      );
    }),
  );
});

function plain(message: Message): readonly unknown[] {
  const content = message.kind === 'json' ? message.content()?.toString() : null;
  return [message.kind, message.payload.toString('hex'), content];
}

test('the header tells lengths at each of their limits', (t) => {
  for (const length of [0, 116, 117, 65526, 65527, 100_000]) {
    t.is(payloadOf(messagesHeader(7, length), Buffer.alloc(length)).length, length + 9, `${length}`);
  }
});

test('the topic of a batch is read from its bytes', (t) => {
  const part = batchPart({ kind: 'text', payload: Buffer.from('x') }, 'téa/pot');
  t.deepEqual(topicOfBatch(batch('main', [part])), { realm: 'main', name: 'téa/pot' });
});

test('relays of neighbouring versions meet at the highest that both speak, others not at all', (t) => {
  t.is(negotiate([1, 2], [2, 3]), 2);
  t.is(negotiate([2, 3], [1, 2]), 2);
  t.is(negotiate([1, 2], [1, 2]), 2);
  t.is(negotiate([1], [3, 4]), null);
  t.is(mismatch([1], [3, 4]), 'peer protocol versions offered: 1; spoken here: 3, 4');
  t.deepEqual(offered(offer([3, 4]).join(', ')), [3, 4]);
  t.is(offered('http-only'), null);
  t.is(offered('fanfare.peer.x'), null);
  t.is(offered(undefined), null);
});

test('a proof binds the side, both names, both starts and both nonces', (t) => {
  const key = Buffer.alloc(32, 5);
  const handshake = {
    dialling: { node: 'a', incarnation: '1' },
    dialled: { node: 'b', incarnation: '2' },
    diallingNonce: Buffer.alloc(32, 1),
    dialledNonce: Buffer.alloc(32, 2),
  };
  const mac = prove(key, 'dialling', handshake);
  t.true(isProved(mac, key, 'dialling', handshake));
  const changed: readonly (typeof handshake)[] = [
    { ...handshake, dialling: { node: 'a1', incarnation: '' } },
    { ...handshake, dialled: { node: 'b', incarnation: '3' } },
    { ...handshake, diallingNonce: Buffer.alloc(32, 3) },
    { ...handshake, dialledNonce: Buffer.alloc(32, 3) },
    { ...handshake, dialling: handshake.dialled, dialled: handshake.dialling },
  ];
  for (const other of changed) t.false(isProved(mac, key, 'dialling', other));
  t.false(isProved(mac, key, 'dialled', handshake));
  t.false(isProved(mac, Buffer.alloc(32, 6), 'dialling', handshake));
  t.false(isProved(Buffer.alloc(0), key, 'dialling', handshake));
});
