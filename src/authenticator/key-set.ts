import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { pinned, type VerificationKey } from '../config/jwt-keys.ts';

/** Keys of one set; the rest is left out. */
const MOST = 100;

/**
 * The keys of a JSON Web Key Set (RFC 7517, section 5), each with the algorithms that it is for. Keys that we cannot use
 * are left out, as its section 5 has it; secrets too when the set is `published`. Throws a SyntaxError for no set.
 */
export function keysOf(text: string, wanted: readonly string[], published: boolean): VerificationKey[] {
  const set: unknown = JSON.parse(text);
  const keys: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys)) throw new SyntaxError('not a key set');
  return keys.slice(0, MOST).flatMap((jwk: unknown) => keyOf(jwk, wanted, published) ?? []);
}

function keyOf(jwk: unknown, wanted: readonly string[], published: boolean): VerificationKey | null {
  if (typeof jwk !== 'object' || jwk === null) return null;
  const { kid, use, alg, key_ops: operations } = jwk as Readonly<Record<string, unknown>>;
  if (use !== undefined && use !== 'sig') return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null;
  const key = imported(jwk, published);
  if (key === null) return null;
  const fitting = alg === undefined ? pinned(key, wanted) : named(key, alg, wanted);
  if (fitting.length === 0) return null;
  return { kid: typeof kid === 'string' ? kid : null, key, algorithms: fitting };
}

/** A key that says what it is for is for nothing else. */
function named(key: KeyObject, alg: unknown, wanted: readonly string[]): readonly string[] {
  return typeof alg === 'string' ? wantedOf(pinned(key, [alg]), wanted) : [];
}

/** What is left of the algorithms of a key when these are wanted; empty: whichever. */
function wantedOf(able: readonly string[], wanted: readonly string[]): readonly string[] {
  return wanted.length === 0 || able.some((algorithm) => wanted.includes(algorithm)) ? able : [];
}

function imported(jwk: object, published: boolean): KeyObject | null {
  const { kty, k } = jwk as Readonly<Record<string, unknown>>;
  try {
    if (kty !== 'oct') return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    if (published || typeof k !== 'string' || k === '') return null;
    return createSecretKey(Buffer.from(k, 'base64url'));
  } catch {
    return null;
  }
}
