import { type AddressList, AddressTable } from './addresses.ts';

/** The time in which failures are counted, and for which an address is refused after too many. */
const FAILURE_PERIOD = 60_000;
/** Addresses that are remembered; with more, the one whose first failure is the oldest is forgotten. */
const MOST_ADDRESSES = 50_000;

interface Failures {
  /** When the last failures were, the oldest first; never more than the limit was when the last one came. */
  readonly times: number[];
  /** Until when the address is refused at least, whatever the limit has become since. */
  until: number;
}

/** Addresses that offer wrong credentials, for all doors together. Time is an argument, in milliseconds. */
export class FailedAuthorisations {
  #limit: number;
  readonly #addresses: AddressTable<Failures>;

  /** `limit`: failures in a minute that have an address refused; 0: none do. */
  constructor(limit: number, exempt: AddressList) {
    this.#limit = limit;
    this.#addresses = new AddressTable(exempt, isOld, MOST_ADDRESSES);
  }

  configure(limit: number, exempt: AddressList): void {
    this.#limit = limit;
    this.#addresses.exempt(exempt);
  }

  get addresses(): number {
    return this.#addresses.size;
  }

  failed(address: string, now: number): void {
    if (this.#limit === 0 || this.#addresses.isExempt(address)) return;
    const failures = this.#addresses.entry(address, now, () => ({ times: [], until: 0 }));
    const { times } = failures;
    times.push(now);
    times.splice(0, times.length - this.#limit);
    failures.until = Math.max(failures.until, this.#endOf(failures));
  }

  /** Whether the address is refused now. */
  refuses(address: string, now: number): boolean {
    if (this.#addresses.size === 0 || this.#limit === 0) return false;
    const failures = this.#addresses.get(address);
    if (failures === undefined || Math.max(failures.until, this.#endOf(failures)) <= now) return false;
    return !this.#addresses.isExempt(address);
  }

  /** When the refusal ends that the failures have earned by the limit of now; 0: they have earned none. */
  #endOf({ times }: Failures): number {
    const first = times.at(-this.#limit);
    const last = times.at(-1);
    if (first === undefined || last === undefined || last - first >= FAILURE_PERIOD) return 0;
    return last + FAILURE_PERIOD;
  }
}

function isOld({ times, until }: Failures, now: number): boolean {
  return until <= now && (times.at(-1) ?? 0) + FAILURE_PERIOD <= now;
}
