import { AddressList, countedAs, LOCAL } from './address-list.ts';
import { newRefusals, type Refusals } from './refusals.ts';

/** Who may connect at all: a bound on all connections, and per address on their number and on how fast they come. */
export interface AdmissionLimits {
  /** All 0: none. */
  readonly connections: number;
  readonly perAddress: number;
  /** New connections per second. */
  readonly ratePerAddress: number;
  /** Addresses and CIDR blocks without the two limits per address. */
  readonly exempt: readonly string[];
}

export type Admission = 'admitted' | 'full' | 'address-full' | 'address-rate';

/** Milliseconds between two looks for addresses that can be forgotten. */
export const SWEEP_PERIOD = 10_000;

interface AddressState {
  open: number;
  /** A token bucket: what is left of it at `at`. */
  tokens: number;
  at: number;
}

/**
 * Counts connections, for all doors together; see `countedAs` for what is one address. Time is an argument, in milliseconds. A proxy's connection takes a place
 * and is nobody's; what its clients have under way over it is theirs and takes no place more.
 */
export class AdmissionControl {
  #limits: AdmissionLimits;
  #exempt: AddressList;
  readonly #addresses = new Map<string, AddressState>();
  /** What each address has open, exempt or not, whatever the limits: other limits count it anew. */
  readonly #connected = new Map<string, number>();
  readonly #refused: Refusals;
  #open = 0;
  /** Nobody is let in, whatever there is room for: the relay is short of memory. */
  shedding = false;
  #swept = 0;

  /** `refused`: where refusals are counted. */
  constructor(limits: AdmissionLimits, refused: Refusals = newRefusals()) {
    this.#limits = limits;
    this.#exempt = new AddressList(limits.exempt);
    this.#refused = refused;
  }

  /** Other limits from now on; what is connected stays, and counts as they say. */
  configure(limits: AdmissionLimits): void {
    const before = this.#limits;
    const counted = this.#countsAddresses;
    this.#limits = limits;
    this.#exempt = new AddressList(limits.exempt);
    const more = Math.max(0, limits.ratePerAddress - before.ratePerAddress);
    for (const state of this.#addresses.values()) state.tokens += more;
    if (counted !== this.#countsAddresses || limits.exempt.join() !== before.exempt.join()) this.#recount();
  }

  #recount(): void {
    for (const state of this.#addresses.values()) state.open = 0;
    if (this.#countsAddresses)
      for (const [address, open] of this.#connected)
        if (!this.#isExempt(address)) this.#stateOf(countedAs(address), 0).open += open;
    for (const [address, state] of this.#addresses)
      if (state.open === 0 && state.tokens >= this.#burst) this.#addresses.delete(address);
  }

  get open(): number {
    return this.#open;
  }

  get refused(): Readonly<Refusals> {
    return this.#refused;
  }

  /** Addresses that are remembered, for tests and tools. */
  get addresses(): number {
    return this.#addresses.size;
  }

  /** Judges a new connection. An admitted one must be given back with `leave`. */
  enter(address: string, now: number): Admission {
    return this.#entered(this.#isFull ? 'full' : this.#judge(address, now));
  }

  leave(address: string, now: number): void {
    this.#open--;
    this.leaveClient(address, now);
  }

  /** Judges a new connection of a proxy. An admitted one must be given back with `leaveProxy`. */
  enterProxy(): Admission {
    return this.#entered(this.#isFull ? 'full' : 'admitted');
  }

  leaveProxy(): void {
    this.#open--;
  }

  /** Judges a client behind a proxy. An admitted one must be given back with `leaveClient`. */
  enterClient(address: string, now: number): Admission {
    const verdict = this.#judge(address, now);
    if (verdict !== 'admitted') this.#refused[verdict]++;
    return verdict;
  }

  leaveClient(address: string, now: number): void {
    const connected = (this.#connected.get(address) ?? 0) - 1;
    if (connected > 0) this.#connected.set(address, connected);
    else this.#connected.delete(address);
    // In its network there may be others, who count.
    if (!this.#countsAddresses || this.#isExempt(address)) return;
    const counted = countedAs(address);
    const state = this.#addresses.get(counted);
    if (state === undefined) return;
    state.open--;
    this.#refill(state, now);
    if (state.open <= 0 && state.tokens >= this.#burst) this.#addresses.delete(counted);
  }

  /** Forgets addresses that have nothing open and a full bucket again: most that leave do not have one yet. */
  #sweep(now: number): void {
    if (now - this.#swept < SWEEP_PERIOD) return;
    this.#swept = now;
    for (const [address, state] of this.#addresses) {
      this.#refill(state, now);
      if (state.open <= 0 && state.tokens >= this.#burst) this.#addresses.delete(address);
    }
  }

  get #isFull(): boolean {
    const { connections } = this.#limits;
    return this.shedding || (connections > 0 && this.#open >= connections);
  }

  #entered(verdict: Admission): Admission {
    if (verdict === 'admitted') this.#open++;
    else this.#refused[verdict]++;
    return verdict;
  }

  /** Counts the client as connected when it is admitted. */
  #judge(address: string, now: number): Admission {
    const verdict =
      this.#countsAddresses && !this.#isExempt(address) ? this.#judgeCounted(address, now) : 'admitted';
    if (verdict === 'admitted') this.#connected.set(address, (this.#connected.get(address) ?? 0) + 1);
    return verdict;
  }

  #judgeCounted(address: string, now: number): Admission {
    const { perAddress, ratePerAddress } = this.#limits;
    const counted = countedAs(address);
    if (!this.#addresses.has(counted)) this.#sweep(now);
    const state = this.#stateOf(counted, now);
    if (perAddress > 0 && state.open >= perAddress) return 'address-full';
    this.#refill(state, now);
    if (ratePerAddress > 0) {
      if (state.tokens < 1) return 'address-rate';
      state.tokens--;
    }
    state.open++;
    return 'admitted';
  }

  #stateOf(counted: string, now: number): AddressState {
    let state = this.#addresses.get(counted);
    if (state === undefined) {
      state = { open: 0, tokens: this.#burst, at: now };
      this.#addresses.set(counted, state);
    }
    return state;
  }

  get #countsAddresses(): boolean {
    const { perAddress, ratePerAddress } = this.#limits;
    return perAddress > 0 || ratePerAddress > 0;
  }

  /** One second's worth of connections may come at once. */
  get #burst(): number {
    return this.#limits.ratePerAddress;
  }

  #refill(state: AddressState, now: number): void {
    const { ratePerAddress } = this.#limits;
    state.tokens = Math.min(this.#burst, state.tokens + ((now - state.at) / 1000) * ratePerAddress);
    state.at = now;
  }

  #isExempt(address: string): boolean {
    // Over a UNIX socket there is no address, and nobody from elsewhere.
    return address === LOCAL || this.#exempt.has(address);
  }
}
