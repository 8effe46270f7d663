/** Rates per second of many counters, from two looks at each. Time is an argument, in milliseconds. */
export class Rates {
  #before = new Map<number, number>();
  #after = new Map<number, number>();
  #beforeAt = 0;
  #afterAt = 0;

  /** Begins a look: `note` is then called once for each counter. */
  begin(now: number): void {
    [this.#before, this.#after] = [this.#after, this.#before];
    this.#after.clear();
    this.#beforeAt = this.#afterAt;
    this.#afterAt = now;
  }

  note(id: number, count: number): void {
    this.#after.set(id, count);
  }

  /** The rate between the last two looks; 0 when it was not there at both. */
  of(id: number): number {
    const before = this.#before.get(id);
    const after = this.#after.get(id);
    if (before === undefined || after === undefined || this.#afterAt <= this.#beforeAt) return 0;
    return ((after - before) * 1000) / (this.#afterAt - this.#beforeAt);
  }

  clear(): void {
    this.#before.clear();
    this.#after.clear();
    this.#beforeAt = 0;
    this.#afterAt = 0;
  }
}
