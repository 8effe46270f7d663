import test from 'ava';
import fc from 'fast-check';
import {
  type BatchPart,
  batch,
  batchAt,
  batchPart,
  forwardedBatch,
  forwardedFrame,
  messagesHeader,
  PeerFormats,
  parseMessages,
  topicOfBatch,
} from '../../../src/door/peer/batch.ts';
import { encodePeerFrame, type PeerFrame, parsePeerFrame } from '../../../src/door/peer/codec.ts';
import { isProved, mismatch, negotiate, offer, offered, prove } from '../../../src/door/peer/session.ts';
import type { Place } from '../../../src/topic/follower.ts';
import { jsonMessage } from '../../../src/topic/json-message.ts';
import type { Message, Part } from '../../../src/topic/message.ts';
import { newEpoch } from '../../../src/topic/position.ts';

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

/** What version 2 has beside them. */
const later: fc.Arbitrary<PeerFrame> = fc.oneof(
  frames,
  of('resume', { topics: fc.array(fc.record({ realm: text, name: text, since: text }), { maxLength: 5 }) }),
  of('presence', { realm: text, name: text, version: number, entries: bytes }),
  of('vitals', { text }),
);

test('a frame is read as it was written', (t) => {
  fc.assert(fc.property(frames, (frame) => void t.deepEqual(parsePeerFrame(encodePeerFrame(frame)), frame)));
  fc.assert(
    fc.property(later, (frame) => void t.deepEqual(parsePeerFrame(encodePeerFrame(frame, 2), 2), frame)),
  );
});

test('version 1 has the bytes that it always had', (t) => {
  const hex = (text: string) => Buffer.from(text, 'hex');
  const golden: readonly (readonly [PeerFrame, string])[] = [
    [
      {
        type: 'hello',
        relay: { node: 'a', incarnation: 'i' },
        nonce: hex('0102'),
        of: 'o',
        last: 2,
        received: 1,
        epoch: 3,
      },
      '0100000001610000000169000000020102000000016f000000000000000200000000000000010000000000000003',
    ],
    [
      { type: 'challenge', relay: { node: 'b', incarnation: 'j' }, nonce: hex('0304') },
      '020000000162000000016a000000020304',
    ],
    [{ type: 'proof', mac: hex('05') }, '030000000105'],
    [
      { type: 'welcome', mac: hex('06'), next: 7, epoch: 8, taken: 9 },
      '040000000106000000000000000700000000000000080000000000000009',
    ],
    [{ type: 'refuse', why: 'proof', text: 'no' }, '0502000000026e6f'],
    [{ type: 'heartbeat', last: 2 ** 40, received: 11 }, '060000010000000000000000000000000b'],
    [
      {
        type: 'interest',
        version: 12,
        begin: true,
        end: true,
        add: [{ realm: 'main', name: 'é' }],
        drop: [{ realm: 'm', name: '' }],
      },
      '07000000000000000c0300000001000000046d61696e00000002c3a900000001000000016d00000000',
    ],
    [{ type: 'confirm', version: 13 }, '08000000000000000d'],
    [
      {
        type: 'claims',
        ref: 14,
        begin: false,
        end: true,
        claims: [{ realm: 'm', name: 'n', state: 'grace', since: 15, grace: 16 }],
      },
      '090000000e0200000001000000016d000000016e02000000000000000f0000000000000010',
    ],
    [{ type: 'verdict', ref: 17, granted: true }, '0a0000001101'],
    [{ type: 'epoch', epoch: 18 }, '0b0000000000000012'],
  ];
  for (const [frame, bytesOfIt] of golden) t.is(encodePeerFrame(frame, 1).toString('hex'), bytesOfIt);
  const list: readonly Message[] = [
    { kind: 'text', payload: Buffer.from('x') },
    { kind: 'binary', payload: hex('00ff') },
    jsonMessage(Buffer.from('{}')),
  ];
  const format = new PeerFormats().of('main', 1);
  const at = { epoch: '1abcdef', offset: 9 };
  const parts = list.map((message) => format.render(message, 'c', at) as Part);
  const batched = '00000025000000046d61696e000000016300000003000000000178010000000200ff02000000027b7d';
  t.is(format.assemble(parts).toString('hex'), batched);
  t.is(messagesHeader(7, 41).toString('hex'), '8232100000000000000007');
  const forwarded = forwardedBatch(
    { realm: 'main', name: 'c' },
    list.map((message) => ({ message, key: 'of no use to it' })),
    1,
  );
  t.is(forwardedFrame(1, [forwarded]).toString('hex'), `110000000000000001${batched}`);
});

test('what version 2 has added is no frame of version 1, and nobody says it there', (t) => {
  const resume = { type: 'resume', topics: [{ realm: 'main', name: 'c', since: '1abcdef:4' }] } as const;
  const presence = {
    type: 'presence',
    realm: 'm',
    name: 'c',
    version: 1,
    entries: Buffer.from('e'),
  } as const;
  const vitals = { type: 'vitals', text: '{}' } as const;
  for (const frame of [resume, presence, vitals]) {
    t.is(parsePeerFrame(encodePeerFrame(frame, 2), 1), null);
    t.throws(() => encodePeerFrame(frame, 1), { message: /not a frame of version 1/ });
  }
  t.is(encodePeerFrame(resume, 2)[0], 12);
  t.is(encodePeerFrame(presence, 2)[0], 13);
  t.is(encodePeerFrame(vitals, 2).toString('hex'), '0e000000027b7d');
});

test('of what version 2 is interested in, patterns are left out, and kinds that there are not make it no frame', (t) => {
  const add = [
    { realm: 'main', name: 'a' },
    { realm: 'main', name: 'b' },
  ];
  const interest = { type: 'interest', version: 1, begin: false, end: false, add, drop: [] } as const;
  const frame = encodePeerFrame(interest, 2);
  // Behind the type, the version, the flags and the count of the list: the kind of its first item.
  t.is(frame[14], 0);
  frame[14] = 1;
  t.deepEqual(parsePeerFrame(frame, 2), { ...interest, add: add.slice(1) });
  frame[14] = 2;
  t.is(parsePeerFrame(frame, 2), null);
});

test('a frame that is cut short, or goes on, is none', (t) => {
  fc.assert(
    fc.property(frames, fc.nat(), (frame, at) => {
      const whole = encodePeerFrame(frame);
      t.is(parsePeerFrame(whole.subarray(0, at % whole.length)), null);
      t.is(parsePeerFrame(Buffer.concat([whole, Buffer.from([0])])), null);
    }),
  );
  fc.assert(
    fc.property(later, fc.nat(), (frame, at) => {
      const whole = encodePeerFrame(frame, 2);
      t.is(parsePeerFrame(whole.subarray(0, at % whole.length), 2), null);
      t.is(parsePeerFrame(Buffer.concat([whole, Buffer.from([0])]), 2), null);
    }),
  );
});

test('no bytes make reading throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 20 }), (array, type) => {
      const frame = Buffer.from([type, ...array]);
      for (const version of [1, 2] as const) {
        parsePeerFrame(frame, version);
        parseMessages(frame, version);
      }
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

const epoch = fc.integer({ min: 1, max: 50_000 }).map((rank) => newEpoch(rank));
const offset = fc.integer({ min: 1, max: 2 ** 40 });
const placed = fc.record({
  realm: text,
  name: text,
  epoch,
  first: offset,
  lineage: fc.array(fc.record({ epoch, end: offset }), { maxLength: 8 }),
  list: fc.array(messages, { minLength: 1, maxLength: 8 }),
  keyOf: fc.func(fc.oneof(fc.constant(''), fc.string({ maxLength: 8 }))),
  isAnswer: fc.boolean(),
});

test('a batch of version 2 tells where its messages stand, be it of a delivery or an answer', (t) => {
  fc.assert(
    fc.property(placed, ({ realm, name, epoch: of, first, lineage: all, list, keyOf, isAnswer }) => {
      // What is published tells the latest epoch that it continues, an answer all.
      const lineage = isAnswer ? all : all.slice(0, 1);
      const place = { epoch: of, first, lineage };
      const [continues] = lineage;
      const format = new PeerFormats().of(realm, 2);
      const keys = list.map((_, i) => keyOf(i));
      const parts = list.map((message, i) => {
        const at = { epoch: of, offset: first + i, ...(continues && { continues }) };
        return format.render(message, name, at, keys[i] || undefined) as BatchPart;
      });
      const body = isAnswer ? batchAt({ realm, name }, parts, place, true) : format.assemble(parts);
      const read = parseMessages(payloadOf(messagesHeader(1, body.length), body), 2);
      t.is(read?.batches.length, 1);
      t.like(read?.batches[0], { realm, name, place, isAnswer });
      t.deepEqual(read?.batches[0]?.keys, keys.some((key) => key !== '') ? keys : null);
      t.deepEqual(read?.batches[0]?.messages.map(plain), list.map(plain));
      t.deepEqual(topicOfBatch(body), { realm, name });
    }),
  );
});

test('messages of one delivery whose offsets have a gap, or whose epochs change, are as many batches', (t) => {
  const format = new PeerFormats().of('main', 2);
  const continues = { epoch: '1aaaaaa', end: 9 };
  const at = [
    null,
    null,
    { epoch: '1aaaaaa', offset: 7 },
    { epoch: '1aaaaaa', offset: 9 },
    { epoch: '2bbbbbb', offset: 10, continues },
    { epoch: '2bbbbbb', offset: 11, continues },
  ];
  const parts = at.map(
    (one, i) => format.render({ kind: 'text', payload: Buffer.from(`${i}`) }, 'c', one) as Part,
  );
  const body = format.assemble(parts);
  const read = parseMessages(payloadOf(messagesHeader(1, body.length), body), 2);
  t.deepEqual(
    read?.batches.map(({ place, messages: list }) => [
      place,
      list.map(({ payload }) => payload.toString()).join(''),
    ]),
    [
      [null, '01'],
      [{ epoch: '1aaaaaa', first: 7, lineage: [] }, '2'],
      [{ epoch: '1aaaaaa', first: 9, lineage: [] }, '3'],
      [{ epoch: '2bbbbbb', first: 10, lineage: [continues] }, '45'],
    ],
  );
});

test('the end of an answer has no messages, and no place where the topic has no line', (t) => {
  for (const place of [{ epoch: '1aaaaaa', first: 1, lineage: [] }, null]) {
    const body = batchAt({ realm: 'main', name: 'c' }, [], place, true);
    const read = parseMessages(payloadOf(messagesHeader(1, body.length), body), 2);
    t.like(read?.batches[0], { place, isAnswer: true, messages: [] });
  }
});

test('a place that there cannot be makes it no frame of messages', (t) => {
  const parts = [batchPart({ kind: 'text', payload: Buffer.from('x') }, 'c')];
  const frame = (place: Place) => {
    const body = batchAt({ realm: 'main', name: 'c' }, parts, place, false);
    return parseMessages(payloadOf(messagesHeader(1, body.length), body), 2);
  };
  const good: Place = { epoch: '1aaaaaa', first: 1, lineage: [{ epoch: '1bbbbbb', end: 0 }] };
  t.not(frame(good), null);
  t.is(frame({ ...good, epoch: 'NOT ONE' }), null);
  t.is(frame({ ...good, first: 0 }), null);
  t.is(frame({ ...good, lineage: [{ epoch: 'short', end: 0 }] }), null);
  t.not(frame({ ...good, first: Number.MAX_SAFE_INTEGER - 1 }), null);
  t.is(frame({ ...good, first: Number.MAX_SAFE_INTEGER }), null);
});

test('what is forwarded has its keys in version 2', (t) => {
  const sent = [
    { message: { kind: 'text', payload: Buffer.from('x') } as const, key: 'order 7' },
    { message: { kind: 'binary', payload: Buffer.from([0]) } as const, key: '' },
  ];
  const frame = forwardedFrame(1, [forwardedBatch({ realm: 'main', name: 'c' }, sent, 2)]);
  const read = parseMessages(frame, 2);
  t.like(read, { first: 1 });
  t.like(read?.batches[0], { realm: 'main', name: 'c', place: null, keys: ['order 7', ''] });
  t.deepEqual(
    read?.batches[0]?.messages.map(plain),
    sent.map(({ message }) => plain(message)),
  );
});

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
