import type { Delivery } from '../topic/message.ts';

/** Bytes in one write, so that a slow client's progress shows. */
const WRITE_BYTES = 256 * 1024;
/** A client that is this far behind holds its topics back, as a part of `limits.pending` (256 KiB of 1 MiB). */
const BEHIND_PART = 4;
const BEHIND_BYTES = 256 * 1024;
/** Bytes that the kernel has taken between two looks; with less, it is asked what the client's machine has acknowledged. */
const PROGRESS_BYTES = 4096;
/** Milliseconds in which a client that reads acknowledges something: TCP opens a closed window in steps of some 100 kB. */
const READING_PERIOD = 700;
/** Milliseconds for which a client may hold its topics back before its speed is looked at, and the least speed, in bytes per millisecond. */
const HOLD = 1900;
const LEAST_SPEED = 125;

/** How the writing goes: bytes that the kernel has taken and that were acknowledged, ever; times in milliseconds. */
interface Progress {
  taken: number;
  /** At the most; -1: that is not known. */
  acknowledged: number;
  acknowledgedAt: number;
  /** When something moved last. */
  since: number;
  /** The kernel has taken nothing since the last look, and is asked what was acknowledged; or it has answered. */
  doubt: 'none' | 'asked' | 'answered';
  /** Behind, and not reading, or too slowly: the client holds nobody back. */
  stalled: boolean;
  /** Where it stood when its speed was looked at last; null: its topics do not wait for it. */
  held: Mark | null;
  /** It reads too slowly for its topics to wait for it, until it has all that there is. */
  slow: boolean;
}

interface Mark {
  readonly at: number;
  readonly taken: number;
  readonly acknowledged: number;
}

/** Should it read again, its speed is looked at from then on. */
function becomeStalled(progress: Progress): void {
  progress.stalled = true;
  progress.held = null;
}

function markOf({ taken, acknowledged }: Progress, at: number): Mark {
  return { at, taken, acknowledged };
}

/** What is to be done about a client: nothing, tell its topics that it is behind or no longer is, or close it. */
export type Verdict = 'go on' | 'behind' | 'caught up' | 'too slow';

/**
 * What waits for one client's socket, and how the client keeps up. Everything is told to it: `unsent` are the bytes that
 * were written and that the kernel has not taken, `pending` is `limits.pending`; times are in milliseconds.
 *
 * The outbox holds references: the bytes are shared by all members. Its first delivery has a field of its own: at rest a
 * client has one delivery at a time, and that costs no array.
 *
 * One write is under way at a time. As long as the kernel takes all of it at once, that is all there is to it. When it
 * does not, the outbox fills: the topics are told, and hold back while the client makes progress; past `pending` bytes, or
 * a time without progress, the client is too slow.
 */
export class Outflow {
  #first: Delivery | undefined = undefined;
  #rest: Delivery[] | undefined = undefined;
  /** Of the outbox. */
  #bytes = 0;
  #messages = 0;
  /** Messages that were written and have not reached the kernel. */
  #inFlight = 0;
  #writing = false;
  #behind = false;
  /** Has become behind in this very turn. */
  #burst = false;
  #closing = false;
  #highWater = 0;
  /** Bytes of the past that the client has asked for and has not got yet, or has got since the outbox was last empty. */
  #asked = 0;
  /** How the writing goes, while it is looked at. */
  #progress: Progress | undefined = undefined;

  push(delivery: Delivery): void {
    this.#bytes += delivery.bytes.length;
    if (this.#first === undefined) this.#first = delivery;
    else if (this.#rest === undefined) this.#rest = [delivery];
    else this.#rest.push(delivery);
  }

  /** What is about to be pushed was asked for, so many bytes of it: those are not held against the client. */
  allow(bytes: number): void {
    if (this.#first === undefined && !this.#writing) this.#asked = 0;
    this.#asked += bytes;
  }

  /** To be asked after a `push` while a write is under way. */
  weigh(unsent: number, pending: number): Verdict {
    const waiting = this.pending(unsent);
    if (waiting > this.#highWater) this.#highWater = waiting;
    if (this.#behind || this.stalled)
      return pending > 0 && !this.#burst && waiting > pending + this.#asked ? 'too slow' : 'go on';
    if (!this.#isBehind(unsent, pending)) return 'go on';
    // What comes in the same turn was sent before its topics could know, by many of them perhaps: it is not held
    // against the client.
    this.#burst = true;
    return this.#turn(true);
  }

  /** The turn is over. */
  settle(): void {
    if (this.#burst) this.#burst = false;
  }

  /**
   * Takes out what goes into the next write: at least one delivery, and no more than `limit` bytes beyond it. Undefined:
   * nothing waits, or a write is under way.
   */
  take(limit = WRITE_BYTES): Delivery | Delivery[] | undefined {
    const first = this.#first;
    const rest = this.#rest;
    if (first === undefined || this.#writing) return undefined;
    this.#messages += first.count;
    if (rest === undefined) {
      this.#first = undefined;
      this.#bytes = 0;
      return first;
    }
    const taken = [first];
    let size = first.bytes.length;
    let count = 0;
    while (count < rest.length) {
      const next = rest[count] as Delivery;
      if (size + next.bytes.length > limit) break;
      taken.push(next);
      size += next.bytes.length;
      this.#messages += next.count;
      count++;
    }
    this.#bytes -= size;
    this.#first = rest[count];
    const left = rest.slice(count + 1);
    this.#rest = left.length === 0 ? undefined : left;
    return taken;
  }

  /** The kernel has not taken all of a write: it is under way until `arrived`. `taken`: bytes that the kernel has, ever. */
  waits(count: number, unsent: number, pending: number, taken: number, now: number): Verdict {
    this.#writing = true;
    this.#inFlight = count;
    this.#highWater = Math.max(this.#highWater, this.pending(unsent));
    this.#progress ??= {
      taken,
      acknowledged: -1,
      acknowledgedAt: now,
      since: now,
      doubt: 'none',
      stalled: false,
      held: null,
      slow: false,
    };
    return !this.#behind && this.#isBehind(unsent, pending) ? this.#turn(true) : 'go on';
  }

  /** The write under way has reached the kernel. Returns how many messages it had. */
  arrived(): number {
    const count = this.#inFlight;
    this.#inFlight = 0;
    this.#writing = false;
    if (this.#first === undefined) this.#asked = 0;
    return count;
  }

  /** To be asked after an arrival, when what had waited for it has been written. */
  lighten(unsent: number, pending: number): Verdict {
    const light = this.#behind && this.pending(unsent) <= behindBytes(pending) / 2;
    return light ? this.#turn(false) : 'go on';
  }

  /** Looks at how a write gets on, a while after the last look. `stall`: how long may pass without progress; 0: any time. */
  look(unsent: number, pending: number, taken: number, now: number, stall: number): Verdict {
    const progress = this.#progress;
    if (progress === undefined) return 'go on';
    if (!this.#writing) {
      this.#progress = undefined;
      return 'go on';
    }
    const bytes = taken - progress.taken;
    progress.taken = taken;
    if (bytes > 0) progress.since = now;
    if (stall > 0 && now - progress.since >= stall) return 'too slow';
    if (bytes >= PROGRESS_BYTES) return this.#reads(progress, unsent, pending, now);
    // The kernel takes more in strides of a third of its buffer, which is seconds of a reader's time.
    if (progress.doubt === 'asked') becomeStalled(progress);
    progress.doubt = 'asked';
    return progress.stalled ? this.#turn(false) : 'go on';
  }

  /** What the client's machine has acknowledged, between `atLeast` and `atMost` bytes, ever, is progress. */
  acknowledged(atLeast: number, atMost: number, now: number, unsent: number, pending: number): Verdict {
    const progress = this.#progress;
    if (progress === undefined) return 'go on';
    const isFirst = progress.acknowledged < 0;
    const moves = !isFirst && atLeast > progress.acknowledged;
    const stands = !isFirst && !moves && progress.doubt !== 'none';
    if (progress.doubt === 'asked') progress.doubt = 'answered';
    if (!isFirst && !moves && now - progress.acknowledgedAt < READING_PERIOD) return 'go on';
    progress.acknowledged = atMost;
    progress.acknowledgedAt = now;
    if (isFirst) progress.held = markOf(progress, now);
    if (moves) {
      progress.since = now;
      return this.#reads(progress, unsent, pending, now);
    }
    if (stands) becomeStalled(progress);
    return progress.stalled ? this.#turn(false) : 'go on';
  }

  /** The connection is being closed: it gets nothing more, so it holds nobody back. */
  close(): Verdict {
    this.#closing = true;
    return this.#turn(false);
  }

  /** Drops what is queued. Returns how many messages that were. */
  drop(): number {
    let count = this.#first?.count ?? 0;
    for (const delivery of this.#rest ?? []) count += delivery.count;
    this.#first = undefined;
    this.#rest = undefined;
    this.#bytes = 0;
    return count;
  }

  /** Something waits, and no write is under way. */
  get ready(): boolean {
    return this.#first !== undefined && !this.#writing;
  }

  /** A write is under way. */
  get writing(): boolean {
    return this.#writing;
  }

  /** The writing is to be looked at again. */
  get watched(): boolean {
    return this.#progress !== undefined;
  }

  /** The kernel is to be asked what was acknowledged. */
  get doubtful(): boolean {
    return this.#progress?.doubt === 'asked';
  }

  /** It has been told to its topics as behind. */
  get behind(): boolean {
    return this.#behind;
  }

  get stalled(): boolean {
    return this.#progress?.stalled === true;
  }

  /** When something has moved last of a write that the kernel does not take at once; null: there is none. */
  get waitsSince(): number | null {
    return this.#writing ? (this.#progress?.since ?? null) : null;
  }

  /** Messages that were handed to the socket, ever. */
  get messages(): number {
    return this.#messages;
  }

  /** The most bytes that have waited to be written to the client. */
  get highWater(): number {
    return this.#highWater;
  }

  /** Bytes that wait for the client. */
  pending(unsent: number): number {
    return this.#bytes + unsent;
  }

  /**
   * A client that reads holds its topics back, at its own speed. One that does not read holds its neighbours for two periods only, and
   * one that reads too slowly as long: a few bytes each second are no reason to wait for it without end.
   */
  #reads(progress: Progress, unsent: number, pending: number, now: number): Verdict {
    progress.doubt = 'none';
    if (!progress.slow && this.#isBehind(unsent, pending)) {
      progress.held ??= markOf(progress, now);
      const { at, taken, acknowledged } = progress.held;
      if (now - at >= HOLD) {
        const moved = Math.max(
          progress.taken - taken,
          acknowledged < 0 ? 0 : progress.acknowledged - acknowledged,
        );
        progress.slow = moved < LEAST_SPEED * (now - at);
        progress.held = markOf(progress, now);
      }
    } else {
      progress.held = null;
    }
    progress.stalled = progress.slow;
    return this.#turn(!progress.slow && this.#isBehind(unsent, pending));
  }

  #isBehind(unsent: number, pending: number): boolean {
    return !this.#closing && this.pending(unsent) > behindBytes(pending);
  }

  #turn(behind: boolean): Verdict {
    if (this.#behind === behind) return 'go on';
    this.#behind = behind;
    return behind ? 'behind' : 'caught up';
  }
}

function behindBytes(pending: number): number {
  return pending === 0 ? BEHIND_BYTES : Math.min(BEHIND_BYTES, pending / BEHIND_PART);
}
