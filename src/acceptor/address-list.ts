import { BlockList, isIP, SocketAddress } from 'node:net';

/** How a client without an address is called: it came by a UNIX socket. */
export const LOCAL = 'local';

const VERDICTS_KNOWN = 4096;

/** Addresses and CIDR blocks, and `unix:` for whoever comes by a UNIX socket. */
export class AddressList {
  readonly empty: boolean;
  readonly #blocks = new BlockList();
  readonly #local: boolean;
  /** Verdicts of the block list, which costs more than a look-up: the same few proxies connect again and again. */
  readonly #known = new Map<string, boolean>();

  constructor(entries: readonly string[]) {
    this.empty = entries.length === 0;
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
 * An address that was written by somebody else, in the one spelling that Node uses for the addresses of sockets: else
 * one client could be counted as many. Null: it is none.
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
