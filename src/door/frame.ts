import type { Part } from '../topic/message.ts';

/**
 * Frames from server to client: unmasked, never fragmented, no extension (RFC 6455, section 5.2). The functions
 * return bytes ready for the socket.
 */
const FIN = 0x80;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** The longest payload of a control frame (RFC 6455, section 5.5). */
const longestControl = 125;

/** One Buffer with a frame for each part, in their order. Every payload is copied once, here. */
export function websocketFrames(parts: readonly Part[]): Buffer {
  let total = 0;
  for (const { payload } of parts) total += headerLength(payload.length) + payload.length;
  const bytes = Buffer.allocUnsafe(total);
  let offset = 0;
  for (const { opcode, payload } of parts) {
    offset = writeHeader(bytes, offset, opcode, payload.length);
    // `set` costs less than `copy` for the small payloads that matter.
    bytes.set(payload, offset);
    offset += payload.length;
  }
  return bytes;
}

export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(headerLength(length) + length);
  bytes.write(text, writeHeader(bytes, 0, TEXT, length));
  return bytes;
}

/** A reason longer than a control frame can carry is cut between two characters. */
export function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason);
  let length = Math.min(text.length, longestControl - 2);
  while (length < text.length && ((text[length] ?? 0) & 0xc0) === 0x80) length--;
  const bytes = Buffer.allocUnsafe(4 + length);
  bytes.writeUInt16BE(code, writeHeader(bytes, 0, CLOSE, 2 + length));
  bytes.set(text.subarray(0, length), 4);
  return bytes;
}

/** `payload`: at most 125 bytes; the pong brings it back. */
export function pingFrame(payload: Buffer = Buffer.alloc(0)): Buffer {
  return controlFrame(PING, payload);
}

/** Answers a ping of that payload. */
export function pongFrame(payload: Buffer): Buffer {
  return controlFrame(PONG, payload);
}

function controlFrame(opcode: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(2 + payload.length);
  bytes.set(payload, writeHeader(bytes, 0, opcode, payload.length));
  return bytes;
}

/** Bytes before a payload of that length. */
export function headerLength(length: number): number {
  return length < 126 ? 2 : length < 65536 ? 4 : 10;
}

/** Returns the offset of the payload. */
export function writeHeader(bytes: Buffer, offset: number, opcode: number, length: number): number {
  bytes[offset] = FIN | opcode;
  if (length < 126) {
    bytes[offset + 1] = length;
    return offset + 2;
  }
  if (length < 65536) {
    bytes[offset + 1] = 126;
    return bytes.writeUInt16BE(length, offset + 2);
  }
  bytes[offset + 1] = 127;
  bytes.writeUInt32BE(Math.floor(length / 2 ** 32), offset + 2);
  return bytes.writeUInt32BE(length % 2 ** 32, offset + 6);
}
