/** What a segment costs beside its bytes: the objects around it. */
const SEGMENT_COST = 256;
/** Free bytes that a segment may keep when the next one follows it. */
const SPARE = 64;

/** Where a segment begins in the line: the offset of its first entry, and how many bytes and messages precede it. */
export interface Beginning {
  readonly offset: number;
  readonly bytes: number;
  readonly messages: number;
}

/**
 * A piece of a ring: entries one behind the other, written once. Pieces are chained, so that one who reads goes on where
 * the ring has let pieces go.
 */
export class Segment {
  readonly begin: Beginning;
  #bytes: Buffer;
  #length = 0;
  #next: Segment | null = null;

  constructor(begin: Beginning, capacity: number) {
    this.begin = begin;
    // Not of the pool: a slice of that would keep all of it.
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Bytes that entries take. */
  get length(): number {
    return this.#length;
  }

  get next(): Segment | null {
    return this.#next;
  }

  /** What it takes of the memory. An empty one is the place of a ring that keeps nothing. */
  get cost(): number {
    const { length } = this.#bytes;
    return length === 0 ? 0 : SEGMENT_COST + length;
  }

  fits(size: number): boolean {
    return this.#length + size <= this.#bytes.length;
  }

  /** Returns where an entry of that size is to be written. */
  take(size: number): number {
    const at = this.#length;
    this.#length += size;
    return at;
  }

  /** Nothing more is written to it: another one follows. */
  link(next: Segment): void {
    this.#next = next;
    if (this.#bytes.length - this.#length > SPARE) this.#trim();
  }

  /** What is behind `length` is forgotten. Nothing is written in its place: the next entry has another segment. */
  cut(length: number): void {
    this.#length = length;
    this.#next = null;
    this.#trim();
  }

  #trim(): void {
    const bytes = Buffer.allocUnsafeSlow(this.#length);
    this.#bytes.copy(bytes, 0, 0, this.#length);
    this.#bytes = bytes;
  }
}
