import { BlockList, isIP } from 'node:net';

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

const EXEMPT_KNOWN = 4096;

interface AddressState {
  open: number;
  /** A token bucket: what is left of it at `at`. */
  tokens: number;
  at: number;
}

/** Counts connections, for all doors together. Time is an argument, in milliseconds. */
export class AdmissionControl {
  #limits: AdmissionLimits;
  #exempt: BlockList;
  readonly #addresses = new Map<string, AddressState>();
  readonly #refused = { full: 0, 'address-full': 0, 'address-rate': 0 };
  /** Verdicts of the block list, which costs more than a look-up: the same few proxies connect again and again. */
  readonly #exemptKnown = new Map<string, boolean>();
  #open = 0;
  /** Nobody is let in, whatever there is room for: the relay is short of memory. */
  shedding = false;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
    this.#exempt = blockList(limits.exempt);
  }

  /** Other limits from now on; what is connected stays. */
  configure(limits: AdmissionLimits): void {
    this.#limits = limits;
    this.#exempt = blockList(limits.exempt);
    this.#exemptKnown.clear();
  }

  get open(): number {
    return this.#open;
  }

  get refused(): Readonly<Record<Exclude<Admission, 'admitted'>, number>> {
    return this.#refused;
  }

  /** Addresses that are remembered, for tests and tools. */
  get addresses(): number {
    return this.#addresses.size;
  }

  /** Judges a new connection. An admitted one must be given back with `leave`. */
  enter(address: string, now: number): Admission {
    const verdict = this.#judge(address, now);
    if (verdict === 'admitted') this.#open++;
    else this.#refused[verdict]++;
    return verdict;
  }

  leave(address: string, now: number): void {
    this.#open--;
    const state = this.#addresses.get(address);
    if (state === undefined) return;
    state.open--;
    this.#refill(state, now);
    if (state.open <= 0 && state.tokens >= this.#burst) this.#addresses.delete(address);
  }

  /** Forgets addresses that have nothing open and a full bucket again; to be called now and then. */
  sweep(now: number): void {
    for (const [address, state] of this.#addresses) {
      this.#refill(state, now);
      if (state.open <= 0 && state.tokens >= this.#burst) this.#addresses.delete(address);
    }
  }

  #judge(address: string, now: number): Admission {
    const { connections, perAddress, ratePerAddress } = this.#limits;
    if (this.shedding || (connections > 0 && this.#open >= connections)) return 'full';
    if ((perAddress === 0 && ratePerAddress === 0) || this.#isExempt(address)) return 'admitted';
    let state = this.#addresses.get(address);
    if (state === undefined) {
      state = { open: 0, tokens: this.#burst, at: now };
      this.#addresses.set(address, state);
    }
    if (perAddress > 0 && state.open >= perAddress) return 'address-full';
    this.#refill(state, now);
    if (ratePerAddress > 0) {
      if (state.tokens < 1) return 'address-rate';
      state.tokens--;
    }
    state.open++;
    return 'admitted';
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
    const known = this.#exemptKnown.get(address);
    if (known !== undefined) return known;
    const version = isIP(address);
    // Over a UNIX socket there is no address, and nobody from elsewhere.
    const exempt = version === 0 || this.#exempt.check(address, version === 6 ? 'ipv6' : 'ipv4');
    if (this.#exemptKnown.size >= EXEMPT_KNOWN) this.#exemptKnown.clear();
    this.#exemptKnown.set(address, exempt);
    return exempt;
  }
}

function blockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address, prefix] = entry.split('/') as [string, string | undefined];
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** An address as it is counted and logged: an IPv4 one that came over IPv6 as itself. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return 'local';
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}
