import type { GapReason } from '../gap.ts';
import { jsonMessage } from '../json-message.ts';
import type { Message } from '../message.ts';

/**
 * What a ring keeps stands in its segments one behind the other: 13 bytes (length of the payload u32, kind u8, time f64,
 * little-endian) and the payload. A hole stands for messages that are missing: its payload is the reason (u8) and how
 * many they are (f64), -1 where nobody knows, and then it takes one offset.
 */
export const HEADER = 13;
const KIND = 4;
const TIME = 5;

const TEXT = 0;
const BINARY = 1;
const JSON_FRAME = 2;
const HOLE = 3;
/** A message that could not be rendered: it stands for a hole of one. */
const DEAD = 4;

const HOLE_PAYLOAD = 9;
const UNKNOWN = -1;
const reasons: readonly GapReason[] = [
  'too_old',
  'other_relay',
  'unknown_epoch',
  'restarted',
  'link',
  'expired',
  'undeliverable',
];

export function entrySize({ payload }: Message): number {
  return HEADER + payload.length;
}

export const holeSize = HEADER + HOLE_PAYLOAD;

export function writeMessage(bytes: Buffer, at: number, { kind, payload }: Message, time: number): void {
  bytes.writeUInt32LE(payload.length, at);
  bytes[at + KIND] = kind === 'json' ? JSON_FRAME : kind === 'text' ? TEXT : BINARY;
  bytes.writeDoubleLE(time, at + TIME);
  bytes.set(payload, at + HEADER);
}

export function writeHole(
  bytes: Buffer,
  at: number,
  missed: number | null,
  why: GapReason,
  time: number,
): void {
  bytes.writeUInt32LE(HOLE_PAYLOAD, at);
  bytes[at + KIND] = HOLE;
  bytes.writeDoubleLE(time, at + TIME);
  bytes[at + HEADER] = reasons.indexOf(why);
  bytes.writeDoubleLE(missed ?? UNKNOWN, at + HEADER + 1);
}

/** Makes a message a hole of one, in place. `version`: of the line, from which on it is one; it stands for the time. */
export function kill(bytes: Buffer, at: number, version: number): void {
  bytes[at + KIND] = DEAD;
  bytes.writeDoubleLE(version, at + TIME);
}

/** From which version of the line on a message is a hole; null: it has always been one. */
export function diedAt(bytes: Buffer, at: number): number | null {
  return bytes[at + KIND] === DEAD ? bytes.readDoubleLE(at + TIME) : null;
}

/** Of the entry that begins at `at`: all its bytes. */
export function sizeAt(bytes: Buffer, at: number): number {
  return HEADER + bytes.readUInt32LE(at);
}

export function isBinary(bytes: Buffer, at: number): boolean {
  return bytes[at + KIND] === BINARY;
}

export function timeAt(bytes: Buffer, at: number): number {
  return bytes.readDoubleLE(at + TIME);
}

export function isHole(bytes: Buffer, at: number): boolean {
  return (bytes[at + KIND] as number) >= HOLE;
}

/** Whether it was written as a message, be it a hole now. */
export function wasMessage(bytes: Buffer, at: number): boolean {
  return bytes[at + KIND] !== HOLE;
}

/** How many offsets the entry takes. */
export function countAt(bytes: Buffer, at: number): number {
  return missedAt(bytes, at) ?? 1;
}

/** How many messages are missing in a hole; null: nobody knows. Of a message, one. */
export function missedAt(bytes: Buffer, at: number): number | null {
  if (bytes[at + KIND] !== HOLE) return 1;
  const missed = bytes.readDoubleLE(at + HEADER + 1);
  return missed === UNKNOWN ? null : missed;
}

/** Why the messages of a hole are missing. */
export function whyAt(bytes: Buffer, at: number): GapReason {
  return bytes[at + KIND] === HOLE ? (reasons[bytes[at + HEADER] as number] ?? 'restarted') : 'restarted';
}

/** The message, as a view of the bytes. Not for a hole. */
export function messageAt(bytes: Buffer, at: number): Message {
  const payload = bytes.subarray(at + HEADER, at + sizeAt(bytes, at));
  switch (bytes[at + KIND]) {
    case JSON_FRAME:
      return jsonMessage(payload);
    case TEXT:
      return { kind: 'text', payload };
    default:
      return { kind: 'binary', payload };
  }
}
