import type { GapReason } from '../gap.ts';
import type { Message } from '../message.ts';
import { Cursor } from './cursor.ts';
import { entrySize, holeSize, writeHole, writeMessage } from './entry.ts';
import { type Beginning, Segment } from './segment.ts';

/** What a ring may keep at most. */
export interface Bounds {
  readonly messages: number;
  /** Bytes of messages, and of what stands in front of each. */
  readonly bytes: number;
  /** Milliseconds, of each message. */
  readonly age: number;
}

/** What has made a ring let go of messages: its bounds, or the one of all rings together. */
export type Bound = 'messages' | 'bytes' | 'age' | 'total';

/** Counts for all rings of a relay. */
export interface Meter {
  /** So many bytes of memory more, or fewer. */
  allocated(bytes: number): void;
  /** So many messages more are kept. */
  kept(messages: number): void;
  /** A bound has made a ring let go of messages, which are kept no longer. */
  letGo(messages: number, bound: Bound): void;
}

const SMALLEST = 512;
const LARGEST = 64 * 1024;

/**
 * The newest messages of a topic, copied into segments: a kept view of what a socket has read would hold all of it. A
 * segment is the larger the more is kept, so that neither its free bytes nor the number of segments cost much.
 */
export class Ring {
  readonly bounds: Bounds;
  readonly #meter: Meter;
  #head: Cursor;
  #tail: Segment;
  /** The offset that the next entry gets. */
  #next = 1;
  /** Bytes and messages that were written, ever. */
  #bytes = 0;
  #messages = 0;
  /** Messages that are kept no longer because they could not be rendered. */
  #dead = 0;
  #allocated = 0;

  constructor(bounds: Bounds, meter: Meter) {
    this.bounds = bounds;
    this.#meter = meter;
    this.#tail = new Segment(this.#beginning(), 0);
    this.#head = Cursor.atBeginOf(this.#tail);
  }

  /** The offset of the first entry that is kept; that of the next one if there is none. */
  get first(): number {
    return this.#head.offset;
  }

  get next(): number {
    return this.#next;
  }

  /** Messages that are kept. */
  get messages(): number {
    return this.#messages - this.#head.messages - this.#dead;
  }

  /** Bytes of entries that are kept. */
  get bytes(): number {
    return this.#bytes - this.#head.bytes;
  }

  /** Bytes of memory. */
  get allocated(): number {
    return this.#allocated;
  }

  /** `now`: milliseconds of the relay's clock. What is too old goes by `expire` alone. */
  append(message: Message, now: number): void {
    const size = entrySize(message);
    const { bounds } = this;
    if (size > bounds.bytes) {
      // Neither it nor anything before it may be kept; it is the same as if it had been, for a moment.
      this.#letGoAll('bytes');
      this.#next++;
      this.#startAfresh();
      this.#meter.kept(1);
      this.#meter.letGo(1, 'bytes');
      return;
    }
    const segment = this.#segmentFor(size);
    writeMessage(segment.bytes, segment.take(size), message, now);
    this.#next++;
    this.#bytes += size;
    this.#messages++;
    this.#meter.kept(1);
    while (this.messages > bounds.messages) this.#letGo('messages');
    while (this.bytes > bounds.bytes) this.#letGo('bytes');
  }

  /** So many messages are missing here; null: nobody knows how many, and one offset stands for them. */
  hole(missed: number | null, why: GapReason, now: number): void {
    const segment = this.#segmentFor(holeSize);
    writeHole(segment.bytes, segment.take(holeSize), missed, why, now);
    this.#next += missed ?? 1;
    this.#bytes += holeSize;
    while (this.bytes > this.bounds.bytes) this.#letGo('bytes');
  }

  /** Lets go of what is too old. */
  expire(now: number): void {
    const since = now - this.bounds.age;
    let some = false;
    while (!this.#head.isAtEnd && this.#head.time <= since) {
      this.#letGo('age');
      some = true;
    }
    if (some && this.#head.isAtEnd) this.#startAfresh();
  }

  /** Lets go of the oldest segment. False: there is nothing left to let go of. */
  shrink(): boolean {
    const { segment } = this.#head;
    if (this.#head.isAtEnd) {
      if (this.#tail.bytes.length === 0) return false;
      this.#startAfresh();
      return true;
    }
    while (!this.#head.isAtEnd && this.#head.segment === segment) this.#letGo('total');
    if (this.#head.isAtEnd) this.#startAfresh();
    return true;
  }

  /** Nothing is kept. The next message has the offset `next`. */
  clear(next: number): void {
    this.#meter.kept(-this.messages);
    while (!this.#head.isAtEnd) this.#pass();
    this.#next = next;
    this.#startAfresh();
  }

  /** What is behind the offset `last` is forgotten, which is not behind the last one. */
  truncate(last: number, now: number): void {
    const place = this.from(last + 1);
    if (place.offset <= this.first) {
      this.clear(last + 1);
      return;
    }
    const inHole = last + 1 - place.offset;
    const before = this.messages;
    for (let { next } = place.segment; next !== null; next = next.next) this.#allocate(-next.cost);
    const { cost } = place.segment;
    place.segment.cut(place.at);
    this.#allocate(place.segment.cost - cost);
    this.#tail = place.segment;
    this.#next = place.offset;
    this.#bytes = place.bytes;
    this.#messages = place.messages;
    this.#dead = 0;
    for (const cursor of this.#entries(this.#head)) if (cursor.isBeforeDead) this.#dead++;
    this.#meter.kept(this.messages - before);
    if (inHole > 0) this.hole(inHole, 'restarted', now);
  }

  /** Before the entry with that offset, or the first that is kept behind it. */
  from(offset: number): Cursor {
    const cursor = this.#head.copy();
    while ((cursor.segment.next?.begin.offset ?? Number.POSITIVE_INFINITY) <= offset) cursor.skip();
    while (!cursor.isAtEnd && cursor.offset + cursor.count <= offset) cursor.pass();
    return cursor;
  }

  /** Before the newest message that is kept; null: there is none. */
  get newest(): Cursor | null {
    if (this.messages === 0) return null;
    const isInTail = this.#head.segment === this.#tail;
    const inTail = isInTail ? null : this.#lastMessageOf(Cursor.atBeginOf(this.#tail));
    return inTail ?? this.#lastMessageOf(this.#head);
  }

  /** Bytes of the entries behind a place. */
  bytesBehind(cursor: Cursor): number {
    return this.#bytes - cursor.bytes;
  }

  /** How many messages are kept behind a place that is not before the first of them. */
  messagesBehind(cursor: Cursor): number {
    const messages = this.#messages - cursor.messages;
    if (this.#dead === 0) return messages;
    let alive = 0;
    for (const { isBeforeHole } of this.#entries(cursor)) if (!isBeforeHole) alive++;
    return alive;
  }

  /** Moves on to where the rest is at most so many bytes. */
  within(cursor: Cursor, bytes: number): void {
    while (cursor.segment.next !== null && this.#bytes - cursor.segment.next.begin.bytes > bytes)
      cursor.skip();
    while (!cursor.isAtEnd && this.bytesBehind(cursor) > bytes) cursor.pass();
  }

  /** The message at a place cannot be rendered, and is missing from this version of the line on. */
  kill(cursor: Cursor, version: number): void {
    cursor.kill(version);
    // What the ring has let go of meanwhile is counted no more.
    if (cursor.bytes < this.#head.bytes) return;
    this.#dead++;
    this.#meter.kept(-1);
  }

  #lastMessageOf(from: Cursor): Cursor | null {
    let found: Cursor | null = null;
    for (const cursor of this.#entries(from)) if (!cursor.isBeforeHole) found = cursor.copy();
    return found;
  }

  *#entries(from: Cursor): Iterable<Cursor> {
    const cursor = from.copy();
    while (!cursor.isAtEnd) {
      yield cursor;
      cursor.pass();
    }
  }

  #segmentFor(size: number): Segment {
    if (this.#tail.fits(size)) return this.#tail;
    const usual = 2 ** Math.ceil(Math.log2(16 * Math.sqrt(this.bytes + size)));
    const segment = new Segment(
      this.#beginning(),
      Math.max(size, Math.min(Math.max(usual, SMALLEST), LARGEST)),
    );
    this.#follow(segment);
    return segment;
  }

  #follow(segment: Segment): void {
    const { cost } = this.#tail;
    this.#tail.link(segment);
    this.#allocate(this.#tail.cost - cost + segment.cost);
    this.#tail = segment;
    // The head is behind all entries of the tail before, where nothing is kept.
    this.#leaveSegments();
  }

  /** An empty segment follows, which costs nothing, and what is before it is let go of. */
  #startAfresh(): void {
    this.#dead = 0;
    this.#follow(new Segment(this.#beginning(), 0));
  }

  #letGoAll(bound: Bound): void {
    while (!this.#head.isAtEnd) this.#letGo(bound);
  }

  #letGo(bound: Bound): void {
    if (!this.#head.isBeforeHole) this.#meter.letGo(1, bound);
    this.#pass();
  }

  #pass(): void {
    if (this.#dead > 0 && this.#head.isBeforeDead) this.#dead--;
    this.#head.pass();
    this.#leaveSegments();
  }

  /** Segments that the head has passed are not the ring's any more. */
  #leaveSegments(): void {
    const head = this.#head;
    while (head.at === head.segment.length && head.segment.next !== null) {
      this.#allocate(-head.segment.cost);
      head.skip();
    }
  }

  #beginning(): Beginning {
    return { offset: this.#next, bytes: this.#bytes, messages: this.#messages };
  }

  #allocate(bytes: number): void {
    this.#allocated += bytes;
    this.#meter.allocated(bytes);
  }
}
