/** The last so many of something, the oldest first. */
export class Ring<T> {
  readonly #limit: number;
  #items: T[] = [];
  /** Index of the oldest item, once the ring is full. */
  #start = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(item: T): void {
    if (this.#items.length < this.#limit) {
      this.#items.push(item);
      return;
    }
    this.#items[this.#start] = item;
    this.#start = (this.#start + 1) % this.#limit;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The newest first. */
  *newest(): Iterable<T> {
    for (let i = this.#items.length - 1; i >= 0; i--) {
      yield this.#items[(this.#start + i) % this.#items.length] as T;
    }
  }

  /** The last `count`, the oldest first. */
  last(count: number): T[] {
    const items: T[] = [];
    for (const item of this.newest()) {
      if (items.length >= count) break;
      items.push(item);
    }
    return items.reverse();
  }
}
