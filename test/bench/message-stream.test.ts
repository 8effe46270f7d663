import test from 'ava';
import { encodeDigits, FRAME, FRAME_HEADER, topicTag } from './mark.ts';
import { MessageStream } from './message-stream.ts';
import { Tally } from './tally.ts';

const TOPIC = 5;

function message(sequence: number, { topic = TOPIC, sent = 0 } = {}): Buffer {
  const frame = Buffer.alloc(FRAME, 'x');
  frame.writeUInt32BE(FRAME_HEADER, 0);
  frame.writeUInt32BE(topicTag(topic), 4);
  frame.writeUInt32BE(encodeDigits(sequence), 8);
  frame.writeUInt32BE(encodeDigits(sent), 12);
  return frame;
}

function setUp() {
  const tally = new Tally();
  const control: [number, string][] = [];
  const stream = new MessageStream(TOPIC, tally, (opcode, payload) => {
    control.push([opcode, payload.toString()]);
  });
  /** Hands the bytes over in pieces of `size`, each at another place of one reused buffer, as reads do. */
  const feed = (bytes: Buffer, size = bytes.length, now = 0): boolean => {
    const chunk = Buffer.alloc(size + 7);
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; at += size) {
      const start = at % 7;
      const length = bytes.copy(chunk, start, at, at + size);
      if (!stream.take(chunk, view, start, start + length, now)) return false;
      chunk.fill(0xff);
    }
    return true;
  };
  return { tally, control, stream, feed };
}

test('messages in order are counted, however the bytes are cut', (t) => {
  const bytes = Buffer.concat(Array.from({ length: 9 }, (_, sequence) => message(sequence)));
  for (const size of [1, 2, 3, FRAME - 1, FRAME, FRAME + 1, 5 * FRAME + 2, bytes.length]) {
    const { tally, stream, feed } = setUp();
    t.true(feed(bytes, size));
    t.is(tally.delivered, 9);
    t.is(tally.outOfOrder + tally.duplicates + tally.unexpected, 0);
    t.is(stream.lost(9), 0);
    t.is(stream.lost(11), 2);
  }
});

test('a gap is lost until the missing message comes, which is then out of order', (t) => {
  const { tally, stream, feed } = setUp();
  feed(Buffer.concat([message(0), message(3)]));
  t.is(stream.lost(4), 2);
  feed(message(2));
  t.is(stream.lost(4), 1);
  t.is(tally.outOfOrder, 1);
  t.is(tally.duplicates, 0);
  feed(message(4));
  t.is(tally.delivered, 4);
});

test('256 missing messages are remembered, the 257th counts as a duplicate when it comes late', (t) => {
  const { tally, stream, feed } = setUp();
  feed(Buffer.concat([message(0), message(258)]));
  t.is(stream.lost(259), 257);
  feed(Buffer.concat([message(256), message(257)]));
  t.is(tally.outOfOrder, 1);
  t.is(tally.duplicates, 1);
  t.is(stream.lost(259), 256);
});

test('a message that came before is a duplicate, not a delivery', (t) => {
  const { tally, stream, feed } = setUp();
  feed(Buffer.concat([message(0), message(1), message(1), message(0), message(2)]));
  t.is(tally.duplicates, 2);
  t.is(tally.outOfOrder, 0);
  t.is(tally.delivered, 3);
  t.is(stream.lost(3), 0);
});

test('a message of another topic or size is unexpected', (t) => {
  const { tally, feed } = setUp();
  t.true(
    feed(Buffer.concat([message(0, { topic: TOPIC + 1 }), Buffer.from([0x81, 2, 0x68, 0x69]), message(0)])),
  );
  t.is(tally.unexpected, 2);
  t.is(tally.delivered, 1);
});

test('control frames between messages are handed out, however the bytes are cut', (t) => {
  const ping = Buffer.concat([Buffer.from([0x89, 125]), Buffer.alloc(125, 'p')]);
  const bytes = Buffer.concat([message(0), ping, Buffer.from([0x89, 0]), message(1)]);
  for (const size of [1, 4, FRAME, bytes.length]) {
    const { tally, control, feed } = setUp();
    t.true(feed(bytes, size));
    t.deepEqual(control, [
      [9, 'p'.repeat(125)],
      [9, ''],
    ]);
    t.is(tally.delivered, 2);
  }
});

test('a frame of the largest size is followed, one byte more ends the stream', (t) => {
  const frame = (length: number): Buffer => Buffer.from([0x81, 126, 0, length, ...Buffer.alloc(length)]);
  const whole = setUp();
  t.true(whole.feed(frame(128)));
  t.is(whole.tally.unexpected, 1);
  for (const size of [1, 133]) t.false(setUp().feed(frame(129), size));
});

test('latencies are kept while measuring, and wrap with the clock', (t) => {
  const { tally, feed } = setUp();
  feed(message(0, { sent: 10 }), FRAME, 20);
  t.is(tally.percentile(0.5), null);
  tally.measuring = true;
  feed(
    Buffer.concat([message(1, { sent: 10 }), message(2, { sent: 10 }), message(3, { sent: 0xffffff })]),
    3 * FRAME,
    30,
  );
  t.is(tally.measured, 3);
  t.is(tally.percentile(0.5), 20);
  t.is(tally.percentile(0.99), 31);
});
