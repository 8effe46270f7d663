/**
 * A place in the order of a topic's messages. `offset` counts them from 1; 0 is before the first. Offsets of different
 * epochs say nothing of each other, unless the one epoch continues the other.
 */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** An epoch that a line continues: its positions up to `end` are the same offsets of the line. */
export interface Ancestor {
  readonly epoch: string;
  readonly end: number;
}

/** The position that a message was given, and what its epoch continues. */
export interface Numbered extends Position {
  readonly continues?: Ancestor;
}

/** A position that no line gives: behind it nobody knows what has been missed. In place of one that cannot be read. */
export const NOWHERE: Position = { epoch: '', offset: 0 };

/** What a new member asks for: all behind a position, from now on alone, everything that is kept, or the newest message. */
export type Since = Position | 'now' | 'all' | 'last';

/** Characters of an epoch behind its rank. They tell lines of the same rank apart. */
const RANDOM = 6;
const RADIX = 36;
const EPOCH = /^[0-9a-z]{7,16}$/;
const OFFSET = /^(0|[1-9]\d{0,15})$/;

/** `EPOCH:OFFSET`, as clients and other relays see it. */
export function formatPosition({ epoch, offset }: Position): string {
  return `${epoch}:${offset}`;
}

/** Null: it is not a position. */
export function parsePosition(text: string): Position | null {
  const colon = text.indexOf(':');
  const [epoch, digits] = [text.slice(0, colon), text.slice(colon + 1)];
  if (colon === -1 || !EPOCH.test(epoch) || !OFFSET.test(digits)) return null;
  const offset = Number(digits);
  return Number.isSafeInteger(offset) ? { epoch, offset } : null;
}

/** Whether a text has the form of an epoch. */
export function isEpoch(text: string): boolean {
  return EPOCH.test(text);
}

/** A new epoch of that rank, a whole number from 1. `random`: from 0 to 1, 1 left out. */
export function newEpoch(rank: number, random: () => number = Math.random): string {
  let epoch = rank.toString(RADIX);
  for (let i = 0; i < RANDOM; i++) epoch += Math.floor(random() * RADIX).toString(RADIX);
  return epoch;
}

/** Of two lines of one topic, the one of the higher rank is the later. */
export function rankOf(epoch: string): number {
  return Number.parseInt(epoch.slice(0, -RANDOM), RADIX);
}
