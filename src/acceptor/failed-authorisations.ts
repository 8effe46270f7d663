import type { AuthorisationAttempts } from '../connection/door-context.ts';
import { type AddressList, countedAs, LOCAL } from './address-list.ts';
import { SWEEP_PERIOD } from './admission.ts';
import type { Refusals } from './refusals.ts';

/** The time in which failures are counted, and for which an address is refused after too many. */
export const FAILURE_PERIOD = 60_000;
/** Addresses that are remembered; with more, the one whose first failure is the oldest is forgotten. */
const MOST_ADDRESSES = 50_000;

interface Failures {
  /** When the last ones were, the oldest first; never more than the limit was when the last one came. */
  readonly times: number[];
  /** Until when the address is refused at least, whatever the limit has become since. */
  until: number;
}

/**
 * Addresses that offer wrong credentials, for all doors together. Time is an argument, in milliseconds.
 */
export class FailedAuthorisations implements AuthorisationAttempts {
  #limit: number;
  #exempt: AddressList;
  readonly #refusals: Refusals;
  readonly #addresses = new Map<string, Failures>();
  #swept = 0;

  /** `limit`: failures in a minute that have an address refused; 0: none do. */
  constructor(limit: number, exempt: AddressList, refusals: Refusals) {
    this.#limit = limit;
    this.#exempt = exempt;
    this.#refusals = refusals;
  }

  configure(limit: number, exempt: AddressList): void {
    this.#limit = limit;
    this.#exempt = exempt;
  }

  get addresses(): number {
    return this.#addresses.size;
  }

  failed(address: string, now: number): void {
    if (this.#limit === 0 || address === LOCAL || this.#exempt.has(address)) return;
    const counted = countedAs(address);
    let failures = this.#addresses.get(counted);
    if (failures === undefined) {
      this.#sweep(now);
      this.#makeRoom();
      failures = { times: [], until: 0 };
      this.#addresses.set(counted, failures);
    }
    const { times } = failures;
    times.push(now);
    times.splice(0, times.length - this.#limit);
    failures.until = Math.max(failures.until, this.#endOf(failures));
  }

  /** Whether the address is refused now; it counts as a refusal. */
  refuses(address: string, now: number): boolean {
    if (this.#addresses.size === 0 || this.#limit === 0) return false;
    const failures = this.#addresses.get(countedAs(address));
    if (failures === undefined || Math.max(failures.until, this.#endOf(failures)) <= now) return false;
    if (this.#exempt.has(address)) return false;
    this.#refusals['failed-authorisations']++;
    return true;
  }

  /** When the refusal ends that the failures have earned by the limit of now; 0: they have earned none. */
  #endOf({ times }: Failures): number {
    const first = times.at(-this.#limit);
    const last = times.at(-1);
    if (first === undefined || last === undefined || last - first >= FAILURE_PERIOD) return 0;
    return last + FAILURE_PERIOD;
  }

  /** Forgets addresses whose failures are old. */
  #sweep(now: number): void {
    if (now - this.#swept < SWEEP_PERIOD) return;
    this.#swept = now;
    for (const [address, { times, until }] of this.#addresses) {
      if (until <= now && (times.at(-1) ?? 0) + FAILURE_PERIOD <= now) this.#addresses.delete(address);
    }
  }

  #makeRoom(): void {
    if (this.#addresses.size < MOST_ADDRESSES) return;
    for (const oldest of this.#addresses.keys()) {
      this.#addresses.delete(oldest);
      return;
    }
  }
}
