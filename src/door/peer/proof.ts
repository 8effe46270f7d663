import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Relay } from './codec.ts';

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
