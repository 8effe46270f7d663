/**
 * Every message of the benchmark is a text of 128 bytes that starts with its mark:
 *
 *     0  1..3   4..7      8..11         12..127
 *     ~  topic  sequence  time sent     filler
 *
 * A digit is one of the 64 characters from `0` to `o`, so four digits are 24 bits and are read with one 32-bit load. The
 * topic is written with `~` as one 32-bit tag. Times are microseconds of `performance.now()` modulo 2^24 (16.7 s).
 */

export const PAYLOAD = 128;
/** An unmasked frame with a 16-bit length (RFC 6455, section 5.2) and its payload. */
export const FRAME = 4 + PAYLOAD;
/** A masked frame, as a client must send it. */
export const MASKED_FRAME = 8 + PAYLOAD;
/** The four header bytes of every message as it comes from the server: FIN and text, then the length. */
export const FRAME_HEADER = 0x817e0000 + PAYLOAD;
/** Sequence numbers and times are counted modulo this. */
export const MARK_MODULUS = 1 << 24;

const ZERO_DIGITS = 0x30303030;
/** Any key is as good as another here: the server unmasks byte by byte whatever it is. */
const MASK = 0x5ac3960f;

/** Four digits as a 32-bit word; only the low 24 bits of `value` are written. */
export function encodeDigits(value: number): number {
  const digits =
    ((value & 0xfc0000) << 6) | ((value & 0x3f000) << 4) | ((value & 0xfc0) << 2) | (value & 0x3f);
  return ZERO_DIGITS + digits;
}

export function decodeDigits(word: number): number {
  const digits = word - ZERO_DIGITS;
  return ((digits >> 6) & 0xfc0000) | ((digits >> 4) & 0x3f000) | ((digits >> 2) & 0xfc0) | (digits & 0x3f);
}

/** `~` and three digits of the topic's index (below 2^18), unsigned. */
export function topicTag(topic: number): number {
  return ((encodeDigits(topic) & 0xffffff) | (0x7e << 24)) >>> 0;
}

/** Microseconds modulo 2^24, comparable only with other results of this function in this process. */
export function stamp(milliseconds: number): number {
  return Math.floor(milliseconds * 1000) % MARK_MODULUS;
}

const template = Buffer.alloc(MASKED_FRAME, 'x');
template.writeUInt32BE(0x81fe0000 + PAYLOAD, 0);
template.writeUInt32BE(MASK, 4);
for (let at = 8; at < MASKED_FRAME; at++) template[at] = 0x78 ^ ((MASK >>> (8 * (3 - (at & 3)))) & 0xff);

/** Writes a whole masked frame at `offset` of `target`. */
export function writeMaskedFrame(
  target: Buffer,
  offset: number,
  tag: number,
  sequence: number,
  sent: number,
): void {
  template.copy(target, offset);
  target.writeUInt32BE((tag ^ MASK) >>> 0, offset + 8);
  target.writeUInt32BE((encodeDigits(sequence) ^ MASK) >>> 0, offset + 12);
  target.writeUInt32BE((encodeDigits(sent) ^ MASK) >>> 0, offset + 16);
}
