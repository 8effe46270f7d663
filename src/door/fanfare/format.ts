import { isUtf8 } from 'node:buffer';
import type { Format, Part } from '../../topic/message.ts';
import { formatPosition, type Position } from '../../topic/position.ts';
import { websocketFrames } from '../frame.ts';
import { publishJson } from '../json-frame.ts';
import { gapJson } from './codec.ts';

/**
 * The deliveries of fanfare.1: another client's frame as it was sent, and what came in by other doors as a `publish` frame.
 * Behind all else stands the message's position, `at`: of a repeated key the last counts, so a sender cannot choose it.
 */
export const fanfareFormat: Format = {
  name: 'fanfare',
  render({ kind, payload }, topic, at): Part | 'undeliverable' {
    if (kind === 'json')
      return { opcode: 1, payload: at === null && !mayNameAt(payload) ? payload : withAt(payload, at) };
    if (kind === 'binary' && !isUtf8(payload)) return 'undeliverable';
    const frame = publishJson(topic, payload.toString());
    return { opcode: 1, payload: at === null ? frame : withAt(frame, at) };
  },
  gap: (topic, gap) => ({ opcode: 1, payload: Buffer.from(gapJson(topic, gap)) }),
  assemble: websocketFrames,
};

const CLOSE_BRACE = 0x7d;

/** The frame with `at` before its last brace; null says that there is none. What is no object stays as it is. */
function withAt(frame: Buffer, at: Position | null): Buffer {
  const brace = frame.lastIndexOf(CLOSE_BRACE);
  if (brace === -1) return frame;
  const field = at === null ? ',"at":null' : `,"at":"${formatPosition(at)}"`;
  const bytes = Buffer.allocUnsafe(frame.length + field.length);
  bytes.set(frame.subarray(0, brace));
  bytes.write(field, brace, 'latin1');
  bytes.set(frame.subarray(brace), brace + field.length);
  return bytes;
}

/** Every way to write the key `at` in JSON has one of these in it. */
const SPELLINGS = [Buffer.from('"at"'), Buffer.from('\\u0061'), Buffer.from('\\u0074')];

/** Whether a frame may name a position of its own, which nobody is to believe. */
function mayNameAt(frame: Buffer): boolean {
  return SPELLINGS.some((spelling) => frame.includes(spelling));
}
