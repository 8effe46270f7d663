/** One delivery for a link: bytes of a batch, and the number of its first message. */
export interface Numbered {
  readonly first: number;
  readonly count: number;
  readonly bytes: Buffer;
  /** Of this relay, when it took its number. */
  readonly epoch: number;
}

/**
 * Messages for one start of another relay, over however many connections. Each takes the next number, be it dropped or
 * not: the other side sees from a gap how many it has missed.
 */
export class NumberedOutbox {
  /** The number of the last message. */
  last = 0;
  /** Bytes that wait. */
  bytes = 0;
  /** Bytes that were taken out to be written, in all. */
  written = 0;
  /** Messages for which there was no room, or no connection. */
  readonly dropped = { overflow: 0, unlinked: 0 };
  /** Messages that did not get to the other side, as it has told. */
  lost = 0;
  #whileAway = 0;
  #queue: Numbered[] = [];
  #head = 0;
  #inFlight = 0;

  push(bytes: Buffer, count: number, epoch: number): void {
    this.#queue.push({ first: this.last + 1, count, bytes, epoch });
    this.last += count;
    this.bytes += bytes.length;
  }

  /** Messages that are dropped; their numbers are not used again. */
  drop(count: number, why: 'overflow' | 'unlinked'): void {
    this.last += count;
    this.dropped[why] += count;
    if (why === 'unlinked') this.#whileAway += count;
  }

  /** Messages that were dropped because there was no connection, since this was asked last. */
  takeWhileAway(): number {
    const count = this.#whileAway;
    this.#whileAway = 0;
    return count;
  }

  /** The last number before what waits. */
  get settled(): number {
    const next = this.#queue[this.#head];
    return next === undefined ? this.last : next.first - 1;
  }

  /**
   * Takes out what goes into one frame: numbers without a gap, of one epoch, at least one delivery, else no more than
   * `limit` bytes. It is in flight until `arrived`.
   */
  take(limit: number): Numbered[] {
    const taken: Numbered[] = [];
    let size = 0;
    let expected = 0;
    while (this.#head < this.#queue.length) {
      const next = this.#queue[this.#head] as Numbered;
      if (
        taken.length > 0 &&
        (next.first !== expected || next.epoch !== taken[0]?.epoch || size + next.bytes.length > limit)
      )
        break;
      taken.push(next);
      size += next.bytes.length;
      expected = next.first + next.count;
      this.#inFlight += next.count;
      this.#head++;
    }
    this.bytes -= size;
    this.written += size;
    if (this.#head === this.#queue.length || this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  /** The kernel has what was in flight. Returns how many messages that were. */
  arrived(): number {
    const count = this.#inFlight;
    this.#inFlight = 0;
    return count;
  }

  /** The connection has ended: what waits and what was in flight is dropped. Returns how many messages that were. */
  clear(): number {
    let count = this.arrived();
    for (let index = this.#head; index < this.#queue.length; index++)
      count += (this.#queue[index] as Numbered).count;
    this.#queue = [];
    this.#head = 0;
    this.bytes = 0;
    this.dropped.unlinked += count;
    return count;
  }

  /** The other side tells of a connection before this one. Numbers that are forgotten here go on where it left off. */
  resume(last: number, received: number): void {
    this.last = Math.max(this.last, last);
    if (received <= this.last) this.lost = this.last - received;
  }

  /** The other side tells which number it has come to, and how many messages have come. False: it makes no sense. */
  told(last: number, received: number): boolean {
    if (last > this.last) return false;
    this.lost = last - received;
    return true;
  }
}

/** Milliseconds between two notes at the least. */
const NOTE_EVERY = 20;

/**
 * How far the other side of a link is behind. Notes say when which number was the last. The other side tells with each
 * heartbeat which number it has come to: when it did, the oldest note that it had not come to was as old as it is behind.
 * Pure; times in milliseconds.
 */
export class Progress {
  /** Between two words of the other side nothing is known; after so long a silence it counts as standing still. */
  readonly #silence: number;
  #notes: { readonly last: number; readonly at: number }[] = [];
  #last = 0;
  #confirmedAt = 0;
  #lag = 0;

  /** `silence`: longer than the time between two heartbeats. */
  constructor(silence: number) {
    this.#silence = silence;
  }

  /** At this time `last` was the number of the last message. */
  sent(last: number, at: number): void {
    const newest = this.#notes.at(-1);
    if (last <= (newest?.last ?? this.#last) || at - (newest?.at ?? 0) < NOTE_EVERY) return;
    // Until the other side has told something, only the first note counts: no more are needed than in that time.
    if (newest !== undefined && at - (this.#notes[0]?.at ?? at) > this.#silence) return;
    this.#notes.push({ last, at });
  }

  /** All messages up to this one are known of at the other side. */
  confirmed(last: number, at: number): void {
    this.#last = last;
    const next = this.#notes.findIndex((note) => note.last > last);
    this.#notes = next === -1 ? [] : this.#notes.slice(next);
    this.#confirmedAt = at;
    this.#lag = at - (this.#notes[0]?.at ?? at);
  }

  lag(now: number): number {
    const first = this.#notes[0];
    if (first === undefined) return 0;
    return now - Math.max(first.at, this.#confirmedAt) > this.#silence ? now - first.at : this.#lag;
  }
}
