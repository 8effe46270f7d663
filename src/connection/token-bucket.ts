/**
 * So much in a second, and a second's worth at once. Time is an argument, in milliseconds.
 */
export class TokenBucket {
  #rate: number;
  #tokens: number;
  #at: number;

  /** `rate`: tokens per second, more than 0. */
  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#tokens = rate;
    this.#at = now;
  }

  /**
   * Another rate from now on; of what there is to take, a second's worth of it is left. `more`: when there is as much more
   * to take as a higher rate gives in a second.
   */
  change(rate: number, now: number, more: 'at-once' | 'in-time' = 'in-time'): void {
    if (rate === this.#rate) return;
    this.#refill(now);
    if (more === 'at-once' && rate > this.#rate) this.#tokens += rate - this.#rate;
    this.#rate = rate;
    this.#tokens = Math.min(this.#tokens, rate);
  }

  /** Takes one. False: there is none. */
  take(now: number): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Milliseconds until there is one to take; 0: now. */
  wait(now: number): number {
    this.#refill(now);
    return this.#tokens >= 1 ? 0 : ((1 - this.#tokens) / this.#rate) * 1000;
  }

  /** As good as new. */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.#rate;
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#at) / 1000) * this.#rate);
    this.#at = now;
  }
}
