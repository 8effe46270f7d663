import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Relay, Version } from './codec.ts';

// What both ends of a connection between relays go by: versions, proofs of the secret, and whether the other end is there.

/**
 * Versions of the protocol between relays, as WebSocket subprotocols. A relay offers every version that it speaks, and
 * the other side takes the highest that both do: a release speaks its own version and the one before, so that a network
 * can be upgraded relay by relay.
 */
export const VERSIONS: readonly Version[] = [1, 2];

const PREFIX = 'fanfare.peer.';

export function offer(versions: readonly number[]): string[] {
  return versions.map((version) => PREFIX + version);
}

/** The versions in a list of subprotocols; null when it names none of this protocol. */
export function offered(header: string | undefined): number[] | null {
  const versions = (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => Number(name.slice(PREFIX.length)))
    .filter((version) => Number.isSafeInteger(version) && version > 0);
  return versions.length === 0 ? null : versions;
}

/** The highest common version; null: none. */
export function negotiate<Ours extends number>(
  theirs: readonly number[],
  ours: readonly Ours[],
): Ours | null {
  let highest: Ours | null = null;
  for (const version of ours) if (theirs.includes(version) && version > (highest ?? 0)) highest = version;
  return highest;
}

/** The version that a subprotocol names, of those that are spoken here. */
export function spoken(protocol: string): Version {
  return VERSIONS.find((version) => subprotocol(version) === protocol) ?? 1;
}

export function subprotocol(version: number): string {
  return PREFIX + version;
}

/** For both sides' logs: which versions failed to meet. */
export function mismatch(theirs: readonly number[], ours: readonly number[]): string {
  return `peer protocol versions offered: ${theirs.join(', ')}; spoken here: ${ours.join(', ')}`;
}

/** Both sides of a handshake, as both see it. */
export interface Handshake {
  readonly dialling: Relay;
  readonly dialled: Relay;
  readonly diallingNonce: Buffer;
  readonly dialledNonce: Buffer;
}

export const NONCE_BYTES = 32;
const NO_PROOF = Buffer.alloc(0);

/**
 * The proof that one side knows the network's secret. It binds the side, both names, both starts and both nonces: one
 * side's proof is not the other's, and a proof of one handshake is none in another. Without a key there is none.
 */
export function prove(key: Buffer | null, side: 'dialling' | 'dialled', handshake: Handshake): Buffer {
  if (key === null) return NO_PROOF;
  const { dialling, dialled, diallingNonce, dialledNonce } = handshake;
  const mac = createHmac('sha256', key);
  const fields = [side, dialling.node, dialling.incarnation, dialled.node, dialled.incarnation];
  for (const field of [...fields.map((text) => Buffer.from(text)), diallingNonce, dialledNonce]) {
    // Lengths first: no two lists of fields make the same bytes.
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(field.length);
    mac.update(length).update(field);
  }
  return mac.digest();
}

/** Without a key every proof will do; who may link then is decided by address. */
export function isProved(
  mac: Buffer,
  key: Buffer | null,
  side: 'dialling' | 'dialled',
  handshake: Handshake,
): boolean {
  if (key === null) return true;
  const expected = prove(key, side, handshake);
  return mac.length === expected.length && timingSafeEqual(mac, expected);
}

/** Whether anything comes from the other end of a connection. Times in milliseconds. */
export class Liveness {
  readonly #timeout: number;
  #bytes = 0;
  #heardAt: number;

  constructor(timeout: number, now: number) {
    this.#timeout = timeout;
    this.#heardAt = now;
  }

  /** `bytes`: read since the beginning. `isRead`: while it is not, nothing can be heard. */
  isSilent(bytes: number, isRead: boolean, now: number): boolean {
    if (bytes !== this.#bytes || !isRead) this.#heardAt = now;
    this.#bytes = bytes;
    return now - this.#heardAt >= this.#timeout;
  }

  /** It is read again from now on. */
  resumed(now: number): void {
    this.#heardAt = now;
  }
}
