import type { Gap, GapReason, Resumption } from '../gap.ts';
import type { LineChange } from '../line-change.ts';
import type { Message, TopicKey } from '../message.ts';
import { type Ancestor, type Numbered, newEpoch, type Position, type Since } from '../position.ts';
import type { Cursor } from './cursor.ts';
import type { Ring } from './ring.ts';

/** What is to be replayed: so many messages that are kept behind `from`. */
export interface Replay {
  /** Its `at` is the position of the last of the messages: what is missing behind that one is told where it stands. */
  readonly resumption: Resumption;
  /** Null: nothing. */
  readonly from: Cursor | null;
  readonly messages: number;
}

/** Whether the entry at a place is no message that a member can be sent. */
export type IsLost = (cursor: Cursor) => boolean;

const isHole: IsLost = ({ isBeforeHole }) => isBeforeHole;

/** Bounds what all lines keep. */
export interface LineKeeper {
  /** Messages were kept. */
  used(line: Line): void;
  /** A live topic has the line. */
  served(line: Line): void;
  /** No live topic has it any more. */
  rested(line: Line): void;
}

/** Older epochs that a line remembers. */
const ANCESTORS = 8;

/**
 * The numbers of one topic's messages at this relay, and what is kept of them. With a ring it outlives the topic, its
 * server and its router.
 */
export class Line {
  readonly key: TopicKey;
  /** Null: nothing is kept. */
  readonly ring: Ring | null;
  readonly #keeper: LineKeeper | null;
  #epoch: string;
  #last = 0;
  #ancestors: readonly Ancestor[] = [];
  #ledIn: number | null = null;
  /** Behind which nobody knows how many messages are missing: who stands before this offset asks across it. */
  #tear: { readonly at: number; readonly why: GapReason } | null = null;
  #topic: object | null = null;
  #version = 0;
  #breaks = 0;

  constructor(
    key: TopicKey,
    ring: Ring | null = null,
    keeper: LineKeeper | null = null,
    epoch = newEpoch(1),
  ) {
    this.key = key;
    this.ring = ring;
    this.#keeper = keeper;
    this.#epoch = epoch;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** The offset of the last message that was fanned out here, or is missing. */
  get last(): number {
    return this.#last;
  }

  get position(): Position {
    return { epoch: this.#epoch, offset: this.#last };
  }

  /** Epochs that this one continues, the latest first. */
  get lineage(): readonly Ancestor[] {
    return this.#ancestors;
  }

  /** Changes with everything that happens to the line. */
  get version(): number {
    return this.#version;
  }

  /** How often it has gone on elsewhere than at its end. */
  get breaks(): number {
    return this.#breaks;
  }

  /** Whether a live topic has it. */
  get isLive(): boolean {
    return this.#topic !== null;
  }

  /** A topic is live. */
  serve(topic: object): void {
    if (this.#topic === null) this.#keeper?.served(this);
    this.#topic = topic;
  }

  /** The topic is live no more. Nothing changes if another one has the line by now. */
  rest(topic: object): void {
    if (this.#topic !== topic) return;
    this.#topic = null;
    this.#keeper?.rested(this);
  }

  isOf(topic: object): boolean {
    return this.#topic === topic;
  }

  /** The position of the message with that offset. */
  number(offset: number): Numbered {
    const epoch = this.#epoch;
    const [continues] = this.#ancestors;
    return continues === undefined ? { epoch, offset } : { epoch, offset, continues };
  }

  /** A message is fanned out. `now`: milliseconds of the relay's clock. */
  take(message: Message, now: number): void {
    this.#last++;
    this.#version++;
    this.ring?.append(message, now);
  }

  /** All messages of a turn have been taken. */
  settle(now: number): void {
    const { ring } = this;
    if (ring === null) return;
    ring.expire(now);
    this.#keeper?.used(this);
  }

  /** Returns what members are to be told. */
  change(change: LineChange, now: number): Gap | null {
    const from = this.position;
    this.#version++;
    switch (change.type) {
      case 'hole':
        this.#hole(change.count, change.why, now);
        return { from, to: this.position, missed: change.count, why: change.why };
      case 'continue':
        this.#descend(change, this.#last);
        return null;
      case 'truncate':
        this.#breaks++;
        this.#truncate(change.last, now);
        this.#descend(change, change.last);
        return { from, to: this.position, missed: null, why: 'restarted' };
      case 'adopt':
        this.#breaks++;
        this.#epoch = change.position.epoch;
        this.#last = change.position.offset;
        this.#ancestors = change.lineage ?? [];
        this.#tear = null;
        this.ring?.clear(this.#last + 1);
        return { from, to: this.position, missed: null, why: change.why };
      case 'skip':
        return { from: null, to: from, missed: null, why: change.why };
    }
  }

  /** The epoch of this relay, among the relays, in which it has given the last positions; null: another relay gives them. */
  get ledIn(): number | null {
    return this.#ledIn;
  }

  lead(epoch: number | null): void {
    this.#ledIn = epoch;
  }

  /** Nothing of before is kept, and nobody knows how many messages have been missed since. */
  tearOff(why: GapReason, now: number): void {
    this.#version++;
    this.#hole(null, why, now);
    this.ring?.clear(this.#last + 1);
  }

  /** Whether a position is one of the line's, or of an epoch that the line continues. */
  has(position: Position): boolean {
    const place = this.#find(position);
    return place !== null && place.why === null;
  }

  /** What a member gets that asks for `since`. `limit`: bytes that are replayed at most. */
  resume(since: Since, now: number, limit: number, isLost = isHole): Replay {
    const { ring } = this;
    if (since === 'now') return this.#replay(null, {});
    ring?.expire(now);
    if (since === 'last') return this.#replay(carriedBehind(this.#newest(limit), isLost), {});
    if (since === 'all') return this.#replay(carriedBehind(this.behind(0, limit), isLost), {});
    const place = this.#find(since);
    if (place === null) return this.#replay(null, { recovered: false, missed: null, why: 'unknown_epoch' });
    const { offset, why } = place;
    const kept = this.behind(offset, limit);
    const carried = carriedBehind(kept, isLost);
    const { end, messages } = carried ?? { end: this.#last, messages: 0 };
    if (this.#tear !== null && offset < this.#tear.at && this.#tear.at <= end)
      return this.#replay(carried, { recovered: false, missed: null, why: this.#tear.why });
    const missed = end - offset - messages;
    if (missed === 0 && why === null) return this.#replay(carried, { recovered: true });
    const reason = why ?? whyMissed(offset, kept, isLost);
    return this.#replay(carried, { recovered: false, missed, why: reason });
  }

  /** Before what is kept behind an offset; null: nothing is. `limit`: bytes, the newest of them. */
  behind(offset: number, limit: number): Cursor | null {
    const { ring } = this;
    if (ring === null || offset >= this.#last) return null;
    const from = ring.from(offset + 1);
    ring.within(from, limit);
    return from;
  }

  #replay(carried: Carried | null, outcome: Omit<Resumption, 'from' | 'at'>): Replay {
    const at = this.position;
    if (carried === null) return { resumption: { from: at, at, ...outcome }, from: null, messages: 0 };
    const { from, end, messages } = carried;
    const before = { epoch: this.#epoch, offset: from.offset - 1 };
    return { resumption: { from: before, at: { ...at, offset: end }, ...outcome }, from, messages };
  }

  /** The message at a place crashes who renders it, and is missing from now on. */
  kill(cursor: Cursor): void {
    this.#version++;
    this.ring?.kill(cursor, this.#version);
  }

  #hole(count: number | null, why: GapReason, now: number): void {
    this.#last += count ?? 1;
    if (count === null) this.#tear = { at: this.#last, why };
    this.ring?.hole(count, why, now);
  }

  #truncate(last: number, now: number): void {
    this.#last = last;
    this.#ancestors = this.#ancestors.map(({ epoch, end }) => ({ epoch, end: Math.min(end, last) }));
    if (this.#tear !== null && this.#tear.at > last) this.#tear = { ...this.#tear, at: last };
    this.ring?.truncate(last, now);
  }

  #descend(
    { epoch, lineage }: { readonly epoch: string; readonly lineage?: readonly Ancestor[] },
    end: number,
  ): void {
    this.#ancestors = lineage ?? [{ epoch: this.#epoch, end }, ...this.#ancestors].slice(0, ANCESTORS);
    this.#epoch = epoch;
  }

  /** The offset that a position stands for; `why`: it is of a tail that has died behind there. */
  #find({ epoch, offset }: Position): { readonly offset: number; readonly why: GapReason | null } | null {
    if (epoch === this.#epoch) return offset <= this.#last ? { offset, why: null } : null;
    const ancestor = this.#ancestors.find((one) => one.epoch === epoch);
    if (ancestor === undefined) return null;
    return offset <= ancestor.end ? { offset, why: null } : { offset: ancestor.end, why: 'restarted' };
  }

  #newest(limit: number): Cursor | null {
    const { ring } = this;
    const from = ring?.newest ?? null;
    return ring === null || from === null || ring.bytesBehind(from) > limit ? null : from;
  }
}

/** What a member can be sent of what is kept behind a place. */
interface Carried {
  /** Before the first of the messages, and behind what is missing there: the member goes back no more when it is told of that. */
  readonly from: Cursor;
  /** The offset of the last of the messages. */
  readonly end: number;
  readonly messages: number;
}

/** Null: nothing is. */
function carriedBehind(kept: Cursor | null, isLost: IsLost): Carried | null {
  if (kept === null) return null;
  const cursor = kept.copy();
  let from: Cursor | null = null;
  let end = 0;
  let messages = 0;
  while (!cursor.isAtEnd) {
    if (!isLost(cursor)) {
      from ??= cursor.copy();
      end = cursor.offset;
      messages++;
    }
    cursor.pass();
  }
  return from === null ? null : { from, end, messages };
}

/** Some messages behind `offset` are missing from what is behind `kept`. */
function whyMissed(offset: number, kept: Cursor | null, isLost: IsLost): GapReason {
  if (kept === null || kept.offset > offset + 1) return 'too_old';
  const cursor = kept.copy();
  while (!cursor.isAtEnd && !isLost(cursor)) cursor.pass();
  const entry = cursor.peek();
  return entry?.type === 'hole' ? entry.why : 'undeliverable';
}
