import { TokenBucket } from '../connection/token-bucket.ts';
import { type AddressList, AddressTable } from './addresses.ts';

/** How many connections there may be in all, and per address how many, and how fast they may come. */
export interface AdmissionLimits {
  /** All 0: none. */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** New connections per second. */
  readonly connectionRatePerAddress: number;
}

export type Admission = 'admitted' | 'full' | 'address-full' | 'address-rate';

interface AddressState {
  open: number;
  /** Undefined: no connection has been counted against the rate yet. One second's worth may come at once. */
  rate: TokenBucket | undefined;
}

/**
 * Counts connections, for all doors together; see `countedAs` for what is one address. Time is an argument, in milliseconds.
 * A proxy's connection takes a place and is of no address; the requests of its clients are of theirs, and take no place.
 */
export class AdmissionControl {
  #limits: AdmissionLimits;
  readonly #addresses: AddressTable<AddressState>;
  /** What each address has open, exempt or not, whatever the limits: other limits count it anew. */
  readonly #connected = new Map<string, number>();
  #open = 0;
  #shedding = false;

  /** `exempt`: addresses without the two limits per address. */
  constructor(limits: AdmissionLimits, exempt: AddressList) {
    this.#limits = limits;
    this.#addresses = new AddressTable(exempt, isIdle);
  }

  /** Other limits from now on; what is connected stays, and counts as they say. */
  configure(limits: AdmissionLimits, exempt: AddressList): void {
    const counted = this.#countsAddresses;
    const isExempt = this.#addresses.exempt(exempt);
    this.#limits = limits;
    if (limits.connectionRatePerAddress === 0)
      for (const state of this.#addresses.entries()) state.rate = undefined;
    if (counted !== this.#countsAddresses || isExempt) this.#recount();
  }

  #recount(): void {
    for (const state of this.#addresses.entries()) state.open = 0;
    if (this.#countsAddresses)
      for (const [address, open] of this.#connected)
        if (!this.#addresses.isExempt(address)) this.#stateOf(address, 0).open += open;
    this.#addresses.forgetIf(({ open, rate }) => open === 0 && rate === undefined);
  }

  get open(): number {
    return this.#open;
  }

  /** The most that may be open; 0: any number. */
  get limit(): number {
    return this.#limits.connections;
  }

  get shedding(): boolean {
    return this.#shedding;
  }

  /** Nobody is let in, whatever there is room for: the relay is short of memory. */
  shed(on: boolean): void {
    this.#shedding = on;
  }

  /** Addresses that are remembered, for tests and tools. */
  get addresses(): number {
    return this.#addresses.size;
  }

  /** Judges a new connection. An admitted one must be given back with `leave`. */
  enter(address: string, now: number): Admission {
    return this.#entered(this.#isFull ? 'full' : this.enterClient(address, now));
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
    const isCounted = this.#countsAddresses && !this.#addresses.isExempt(address);
    const verdict = isCounted ? this.#judge(address, now) : 'admitted';
    if (verdict === 'admitted') this.#connected.set(address, (this.#connected.get(address) ?? 0) + 1);
    return verdict;
  }

  leaveClient(address: string, now: number): void {
    const connected = (this.#connected.get(address) ?? 0) - 1;
    if (connected > 0) this.#connected.set(address, connected);
    else this.#connected.delete(address);
    // What an exempt address has open was not counted, and others of its network may be.
    if (!this.#countsAddresses || this.#addresses.isExempt(address)) return;
    const state = this.#addresses.get(address);
    if (state === undefined) return;
    state.open--;
    if (isIdle(state, now)) this.#addresses.forget(address);
  }

  get #isFull(): boolean {
    const { connections } = this.#limits;
    return this.#shedding || (connections > 0 && this.#open >= connections);
  }

  #entered(verdict: Admission): Admission {
    if (verdict === 'admitted') this.#open++;
    return verdict;
  }

  #judge(address: string, now: number): Admission {
    const { connectionsPerAddress, connectionRatePerAddress } = this.#limits;
    const state = this.#stateOf(address, now);
    if (connectionsPerAddress > 0 && state.open >= connectionsPerAddress) return 'address-full';
    if (connectionRatePerAddress > 0) {
      state.rate ??= new TokenBucket(connectionRatePerAddress, now);
      state.rate.change(connectionRatePerAddress, now, 'at-once');
      if (!state.rate.take(now)) return 'address-rate';
    }
    state.open++;
    return 'admitted';
  }

  #stateOf(address: string, now: number): AddressState {
    return this.#addresses.entry(address, now, () => ({ open: 0, rate: undefined }));
  }

  get #countsAddresses(): boolean {
    const { connectionsPerAddress, connectionRatePerAddress } = this.#limits;
    return connectionsPerAddress > 0 || connectionRatePerAddress > 0;
  }
}

/** Most that leave do not have their rate back yet. */
function isIdle({ open, rate }: AddressState, now: number): boolean {
  return open <= 0 && (rate === undefined || rate.isFull(now));
}
