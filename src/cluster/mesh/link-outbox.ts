/** One delivery for a link: bytes of a batch, and the number of its first message. */
export interface Numbered {
  readonly first: number;
  readonly count: number;
  readonly bytes: Buffer;
  /** Of this relay, when it took its number. */
  readonly epoch: number;
}

/**
 * What waits for one link. Every message that is meant for the link takes a number, be it dropped or not: the other side
 * sees from a gap how many it has missed.
 */
export class LinkOutbox {
  #queue: Numbered[] = [];
  #head = 0;
  /** The number of the last message. */
  last: number;
  /** Bytes that wait. */
  bytes = 0;

  constructor(last: number) {
    this.last = last;
  }

  push(bytes: Buffer, count: number, epoch: number): void {
    this.#queue.push({ first: this.last + 1, count, bytes, epoch });
    this.last += count;
    this.bytes += bytes.length;
  }

  /** Numbers that nobody gets. */
  skip(count: number): void {
    this.last += count;
  }

  /** The last number before what waits. */
  get settled(): number {
    const next = this.#queue[this.#head];
    return next === undefined ? this.last : next.first - 1;
  }

  /** Takes out what goes into one frame: numbers without a gap, of one epoch, at least one delivery, else no more than `limit` bytes. */
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
      this.#head++;
    }
    this.bytes -= size;
    if (this.#head === this.#queue.length || this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  /** Empties it. Returns what was in it. */
  clear(): Numbered[] {
    const left = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
    this.bytes = 0;
    return left;
  }
}
