import { BlockList, isIP, SocketAddress } from 'node:net';

/** The name of a client without an address: it came by a UNIX socket. */
export const LOCAL = 'local';

const VERDICTS_KNOWN = 4096;

/** Addresses and CIDR blocks, and `unix:` for clients that come by a UNIX socket. */
export class AddressList {
  readonly empty: boolean;
  /** Its entries, joined. */
  readonly text: string;
  readonly #blocks = new BlockList();
  readonly #local: boolean;
  /** Verdicts of the block list, which costs more than a look-up: the same few proxies connect again and again. */
  readonly #known = new Map<string, boolean>();

  constructor(entries: readonly string[]) {
    this.empty = entries.length === 0;
    this.text = entries.join();
    this.#local = entries.includes('unix:');
    for (const entry of entries) {
      if (entry === 'unix:') continue;
      const [address, prefix] = entry.split('/') as [string, string | undefined];
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#blocks.addAddress(address, family);
      else this.#blocks.addSubnet(address, Number(prefix), family);
    }
  }

  /** `address`: as `plainAddress` gives it. */
  has(address: string): boolean {
    if (this.empty) return false;
    if (address === LOCAL) return this.#local;
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const has = this.#look(address);
    if (this.#known.size >= VERDICTS_KNOWN) this.#known.clear();
    this.#known.set(address, has);
    return has;
  }

  #look(address: string): boolean {
    // The block list takes no zone (fe80::1%eth0).
    const bare = address.split('%', 1)[0] as string;
    const version = isIP(bare);
    return version !== 0 && this.#blocks.check(bare, version === 6 ? 'ipv6' : 'ipv4');
  }
}

/** An address as it is counted and logged: an IPv4 one that came over IPv6 as itself. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return LOCAL;
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

/**
 * An address of a header, in the one spelling that Node uses for the addresses of sockets: else one client could be
 * counted as many. Null: the text is no address.
 */
export function readAddress(text: string): string | null {
  const bare = text.split('%', 1)[0] as string;
  const version = isIP(bare);
  if (version === 0) return null;
  return version === 4 ? bare : plainAddress(new SocketAddress({ address: bare, family: 'ipv6' }).address);
}

/**
 * As whom the limits per address count an address: an IPv4 one as itself, an IPv6 one as its /64 network, which is what
 * one customer has at least (RFC 6177), with as many addresses in it as anybody could want. `address`: as `plainAddress`
 * or `readAddress` gives it.
 */
export function countedAs(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
    for (let missing = 8 - groups.length - after; missing > 0; missing--) groups.push('0');
    if (tail !== '') for (const group of tail.split(':')) groups.push(group);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/** Whether only this machine can reach a listener at the address. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

/** Milliseconds between two looks for addresses that can be forgotten. */
const SWEEP_PERIOD = 10_000;

/**
 * What is remembered of addresses, each as it is counted, but for those that are exempt. Entries that are of no more use
 * are forgotten now and then, when another address comes: a flood of addresses takes no more room than one period of it.
 */
export class AddressTable<Entry> {
  readonly #entries = new Map<string, Entry>();
  readonly #isOver: (entry: Entry, now: number) => boolean;
  readonly #most: number;
  #exempt: AddressList;
  #swept = 0;

  /** `isOver`: whether an entry says no more than none. `most`: entries; with more, the oldest one is forgotten. */
  constructor(
    exempt: AddressList,
    isOver: (entry: Entry, now: number) => boolean,
    most = Number.POSITIVE_INFINITY,
  ) {
    this.#exempt = exempt;
    this.#isOver = isOver;
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** Other addresses are exempt from now on; what is remembered of them stays. False: they are the same. */
  exempt(exempt: AddressList): boolean {
    const others = exempt.text !== this.#exempt.text;
    this.#exempt = exempt;
    return others;
  }

  /** Clients of a UNIX socket are: they have no address, and are of this machine. */
  isExempt(address: string): boolean {
    return address === LOCAL || this.#exempt.has(address);
  }

  get(address: string): Entry | undefined {
    return this.#entries.get(countedAs(address));
  }

  /** The entry of the address; made where there was none. */
  entry(address: string, now: number, make: () => Entry): Entry {
    const counted = countedAs(address);
    let entry = this.#entries.get(counted);
    if (entry === undefined) {
      this.#sweep(now);
      if (this.#entries.size >= this.#most) this.#forgetOldest();
      entry = make();
      this.#entries.set(counted, entry);
    }
    return entry;
  }

  forget(address: string): void {
    this.#entries.delete(countedAs(address));
  }

  forgetIf(isOver: (entry: Entry) => boolean): void {
    for (const [address, entry] of this.#entries) if (isOver(entry)) this.#entries.delete(address);
  }

  #forgetOldest(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  #sweep(now: number): void {
    if (now - this.#swept < SWEEP_PERIOD) return;
    this.#swept = now;
    this.forgetIf((entry) => this.#isOver(entry, now));
  }
}
