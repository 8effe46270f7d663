/** Messages from the first one on have been dealt with: so many of them, those with these numbers in vain. */
export interface Fate {
  readonly count: number;
  readonly failed: readonly number[];
}

/**
 * What becomes of messages that another relay has forwarded, by their numbers, which begin with 1: each is dealt with once, in any
 * order, and the other relay is told in the order of the numbers.
 */
export class Fates {
  /** Behind the first that is open. */
  readonly #settled = new Map<number, boolean>();
  #taken = 0;
  #count = 0;
  #failed: number[] = [];
  #told = 0;

  /** So many messages have come. */
  get taken(): number {
    return this.#taken;
  }

  /** Some are still to be dealt with. */
  get areOpen(): boolean {
    return this.#count < this.#taken;
  }

  /** Messages have come. Returns the number of the first of them. */
  take(count: number): number {
    const first = this.#taken + 1;
    this.#taken += count;
    return first;
  }

  /** A message has been sent to all who want it here, or has not. A number that is settled, or was never taken, stays as it is. */
  settle(number: number, isDone: boolean): void {
    if (number <= this.#count || number > this.#taken || this.#settled.has(number)) return;
    this.#settled.set(number, isDone);
    for (let next = this.#count + 1; ; next++) {
      const is = this.#settled.get(next);
      if (is === undefined) return;
      this.#settled.delete(next);
      this.#count = next;
      if (!is) this.#failed.push(next);
    }
  }

  /** Nobody will hear of what is open. */
  giveUp(): void {
    for (let number = this.#count + 1; number <= this.#taken; number++) this.settle(number, false);
  }

  /** What the other relay has not been told; null: nothing. */
  tell(): Fate | null {
    if (this.#count === this.#told) return null;
    const fate = { count: this.#count, failed: this.#failed };
    this.#told = this.#count;
    this.#failed = [];
    return fate;
  }
}
