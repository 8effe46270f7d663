import type { Cursor } from './history/cursor.ts';
import type { Ring } from './history/ring.ts';
import type { Message } from './message.ts';
import { newEpoch, type Position, type Since } from './position.ts';

/**
 * Why messages are missing. too_old: they are not kept any more. other_relay: the position is of another relay.
 * unknown_epoch: nobody here knows it. restarted: they died with a server. link: a link has lost them. expired: the
 * client had no right to them, or nobody here wanted them meanwhile.
 */
export type GapReason = 'too_old' | 'other_relay' | 'unknown_epoch' | 'restarted' | 'link' | 'expired';

/** Messages that members have missed: those behind `from`, up to `to`, as far as that is known. */
export interface Gap {
  readonly from: Position | null;
  readonly to: Position | null;
  /** How many; null: nobody can know. */
  readonly missed: number | null;
  readonly why: GapReason;
}

/** What has come of a join with `since`. */
export interface Resumption {
  /** Where the member stands once it has all that was asked for, as far as it is kept. */
  readonly at: Position;
  /** Only for a position: whether exactly what was missed is sent. */
  readonly recovered?: boolean;
  /** Messages that were asked for and are not sent; null: nobody can know. Only where `recovered` is false. */
  readonly missed?: number | null;
  /** Only where `recovered` is false. */
  readonly why?: GapReason;
}

/** An epoch that a line continues: its positions up to `end` are the same offsets of the line. */
export interface Ancestor {
  readonly epoch: string;
  readonly end: number;
}

/**
 * What happens to a line beside messages. hole: so many messages are missing, which take their offsets; null: nobody knows how
 * many, and one offset stands for them. continue: another epoch goes on at the last offset. truncate: another epoch goes
 * on at an earlier offset, and what is behind it has died. adopt: the line goes on elsewhere, and nothing of before counts.
 */
export type LineChange =
  | { readonly type: 'hole'; readonly count: number | null; readonly why: GapReason }
  | { readonly type: 'continue'; readonly epoch: string }
  | { readonly type: 'truncate'; readonly epoch: string; readonly last: number }
  | { readonly type: 'adopt'; readonly position: Position; readonly why: GapReason };

/** What is to be replayed: messages kept behind `from`, up to the line's last one. */
export interface Replay {
  readonly resumption: Resumption;
  /** Null: nothing. */
  readonly from: Cursor | null;
  readonly messages: number;
}

/** Who is told that a line has been used, and bounds what all lines keep. */
export interface LineKeeper {
  used(line: Line, ring: Ring): void;
}

/** Older epochs that a line remembers. */
const ANCESTORS = 8;

/**
 * The numbers of one topic's messages at this relay, and what is kept of them. With a ring it outlives the topic, its
 * server and its router.
 */
export class Line {
  /** Null: nothing is kept. */
  readonly ring: Ring | null;
  readonly #keeper: LineKeeper | null;
  #epoch: string;
  #last = 0;
  #ancestors: Ancestor[] = [];
  /** Behind which nobody knows how many messages are missing: who stands before this offset asks across it. */
  #tear: { readonly at: number; readonly why: GapReason } | null = null;
  #topic: object | null = null;
  #version = 0;

  constructor(ring: Ring | null = null, keeper: LineKeeper | null = null, epoch = newEpoch(1)) {
    this.ring = ring;
    this.#keeper = keeper;
    this.#epoch = epoch;
    if (ring !== null) this.#last = ring.next - 1;
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

  /** Whether a live topic has it. */
  get isLive(): boolean {
    return this.#topic !== null;
  }

  serve(topic: object): void {
    this.#topic = topic;
  }

  /** The topic is live no more. Nothing changes if another one has the line by now. */
  rest(topic: object): void {
    if (this.#topic === topic) this.#topic = null;
  }

  isOf(topic: object): boolean {
    return this.#topic === topic;
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
    this.#keeper?.used(this, ring);
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
        this.#descend(change.epoch, this.#last);
        return null;
      case 'truncate':
        this.#truncate(change.last, now);
        this.#descend(change.epoch, change.last);
        return { from, to: this.position, missed: null, why: 'restarted' };
      case 'adopt':
        this.#epoch = change.position.epoch;
        this.#last = change.position.offset;
        this.#ancestors = [];
        this.#tear = null;
        this.ring?.clear(this.#last + 1);
        return { from, to: this.position, missed: null, why: change.why };
    }
  }

  /** Nothing of before is kept, and nobody knows how many messages have been missed since. */
  tearOff(why: GapReason, now: number): void {
    this.#version++;
    this.#hole(null, why, now);
    this.ring?.clear(this.#last + 1);
  }

  /** What a member gets that asks for `since`. `limit`: bytes that are replayed at most. */
  resume(since: Since, now: number, limit: number): Replay {
    const { ring } = this;
    const at = this.position;
    if (since === 'now') return { resumption: { at }, from: null, messages: 0 };
    ring?.expire(now);
    if (since === 'all' || since === 'last') {
      const kept = since === 'all' ? this.#suffix(1, limit) : this.#newest(limit);
      return { resumption: { at }, ...kept };
    }
    const place = this.#find(since);
    if (place === null) {
      const why = 'unknown_epoch';
      return { resumption: { at, recovered: false, missed: null, why }, from: null, messages: 0 };
    }
    const { offset, why } = place;
    const kept = this.#suffix(offset + 1, limit);
    if (this.#tear !== null && offset < this.#tear.at) {
      return { resumption: { at, recovered: false, missed: null, why: this.#tear.why }, ...kept };
    }
    const missed = this.#last - offset - kept.messages;
    if (missed === 0 && why === null) return { resumption: { at, recovered: true }, ...kept };
    const reason = why ?? this.#whyMissed(offset, kept.from);
    return { resumption: { at, recovered: false, missed, why: reason }, ...kept };
  }

  #hole(count: number | null, why: GapReason, now: number): void {
    this.#last += count ?? 1;
    if (count === null) this.#tear = { at: this.#last, why };
    this.ring?.hole(count ?? 1, why, now);
  }

  #truncate(last: number, now: number): void {
    this.#last = last;
    this.#ancestors = this.#ancestors.map(({ epoch, end }) => ({ epoch, end: Math.min(end, last) }));
    if (this.#tear !== null && this.#tear.at > last) this.#tear = { ...this.#tear, at: last };
    this.ring?.truncate(last, now);
  }

  #descend(epoch: string, end: number): void {
    this.#ancestors = [{ epoch: this.#epoch, end }, ...this.#ancestors].slice(0, ANCESTORS);
    this.#epoch = epoch;
  }

  /** The offset that a position stands for; `why`: it is of a tail that has died behind there. */
  #find({ epoch, offset }: Position): { readonly offset: number; readonly why: GapReason | null } | null {
    if (epoch === this.#epoch) return offset <= this.#last ? { offset, why: null } : null;
    const ancestor = this.#ancestors.find((one) => one.epoch === epoch);
    if (ancestor === undefined) return null;
    return offset <= ancestor.end ? { offset, why: null } : { offset: ancestor.end, why: 'restarted' };
  }

  #suffix(first: number, limit: number): Omit<Replay, 'resumption'> {
    const { ring } = this;
    if (ring === null || first > this.#last) return { from: null, messages: 0 };
    const from = ring.from(first);
    ring.within(from, limit);
    const messages = ring.messagesBehind(from);
    return { from: messages === 0 ? null : from, messages };
  }

  #newest(limit: number): Omit<Replay, 'resumption'> {
    const from = this.ring?.newest ?? null;
    return from === null || this.ring === null || this.ring.bytesBehind(from) > limit
      ? { from: null, messages: 0 }
      : { from, messages: 1 };
  }

  /** Not all behind `offset` is replayed, but what is behind `from`. */
  #whyMissed(offset: number, from: Cursor | null): GapReason {
    if (from === null || from.offset > offset + 1) return 'too_old';
    for (const cursor = from.copy(); ; cursor.pass()) {
      const entry = cursor.peek();
      if (entry === null) return 'too_old';
      if (entry.type === 'hole') return entry.why;
    }
  }
}
