import test from 'ava';
import {
  decodeDigits,
  encodeDigits,
  FRAME,
  FRAME_HEADER,
  MARK_MODULUS,
  MASKED_FRAME,
  PAYLOAD,
  stamp,
  topicTag,
  writeMaskedFrame,
} from './mark.ts';

test('digits come back as they went, up to the last number of 24 bits', (t) => {
  for (const value of [0, 1, 63, 64, 4095, 4096, 1_000_000, MARK_MODULUS - 1]) {
    t.is(decodeDigits(encodeDigits(value)), value);
  }
  t.is(decodeDigits(encodeDigits(MARK_MODULUS)), 0);
});

test('digits are printable ASCII', (t) => {
  for (const value of [0, MARK_MODULUS - 1]) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(encodeDigits(value));
    t.regex(bytes.toString('latin1'), /^[0-o]{4}$/);
  }
});

test('a stamp counts microseconds and wraps at 24 bits', (t) => {
  t.is(stamp(1.5), 1500);
  t.is(stamp(MARK_MODULUS / 1000), 0);
});

test('a masked frame, unmasked, is a text of 128 bytes with topic, sequence and time', (t) => {
  const frame = Buffer.alloc(3 + MASKED_FRAME);
  writeMaskedFrame(frame, 3, topicTag(777), 123_456, 7_654_321);
  t.deepEqual([...frame.subarray(3, 7)], [0x81, 0xfe, 0, PAYLOAD]);
  const payload = frame.subarray(11).map((byte, at) => byte ^ (frame[7 + (at & 3)] ?? 0));
  const view = new DataView(payload.buffer, payload.byteOffset);
  t.is(payload.length, PAYLOAD);
  t.is(view.getUint32(0), topicTag(777));
  t.is(decodeDigits(view.getUint32(4)), 123_456);
  t.is(decodeDigits(view.getUint32(8)), 7_654_321);
  t.is(Buffer.from(payload.subarray(12)).toString(), 'x'.repeat(PAYLOAD - 12));
});

test('the header that subscribers look for is that of an unmasked text of 128 bytes', (t) => {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(FRAME_HEADER);
  t.deepEqual([...header], [0x81, 126, 0, 128]);
  t.is(FRAME, 132);
});
