import { TokenBucket } from '../connection/token-bucket.ts';
import { type AddressList, countedAs, LOCAL } from './address-list.ts';
import { SWEEP_PERIOD } from './admission.ts';

/**
 * How many messages an address may post. A POST has no connection that could be slowed: behind a proxy many clients
 * share one, and elsewhere each may have its own. So they are counted by address, and one too many is refused.
 */
export class PostRates {
  #rate: number;
  #exempt: AddressList;
  readonly #buckets = new Map<string, TokenBucket>();
  #swept = 0;

  /** `rate`: messages per second; 0: no limit. */
  constructor(rate: number, exempt: AddressList) {
    this.#rate = rate;
    this.#exempt = exempt;
  }

  configure(rate: number, exempt: AddressList): void {
    this.#rate = rate;
    this.#exempt = exempt;
  }

  /** Addresses that are remembered. */
  get addresses(): number {
    return this.#buckets.size;
  }

  take(address: string, now: number): boolean {
    if (this.#rate === 0 || address === LOCAL || this.#exempt.has(address)) return true;
    const counted = countedAs(address);
    let bucket = this.#buckets.get(counted);
    if (bucket === undefined) {
      this.#sweep(now);
      bucket = new TokenBucket(this.#rate, now);
      this.#buckets.set(counted, bucket);
    }
    bucket.change(this.#rate, now);
    return bucket.take(now);
  }

  /** Forgets addresses that have posted nothing for a while. */
  #sweep(now: number): void {
    if (now - this.#swept < SWEEP_PERIOD) return;
    this.#swept = now;
    for (const [address, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(address);
  }
}
