import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { keyPair } from './key-pair.ts';

export const SECRET_TEXT = 'a secret that nobody would ever guess, of 56 bytes or so';
export const secretKey: KeyObject = createSecretKey(Buffer.from(SECRET_TEXT));
export const rsa = keyPair(2048);
export const otherRsa = keyPair(2048);
export const ec = keyPair('P-256');
export const ed = keyPair('ed25519');

export function pemOf(key: KeyObject): string {
  return String(key.export({ type: 'spki', format: 'pem' }));
}

/** A key set as a server publishes it. */
export function setOf(...keys: readonly (readonly [KeyObject, Readonly<Record<string, unknown>>])[]): string {
  return JSON.stringify({ keys: keys.map(([key, more]) => ({ ...key.export({ format: 'jwk' }), ...more })) });
}

/** Claims as they are given, without any that are added; times in seconds. */
export function token(
  claims: Readonly<Record<string, unknown>>,
  key: KeyObject = secretKey,
  header: Readonly<Record<string, unknown>> & { readonly alg?: string } = {},
): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256', ...header }).sign(key);
}

/** A token that no library would make: any header, and an HMAC by any bytes. */
export function forged(
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  secret: string | Buffer | null,
): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(claims)}`;
  const mac = secret === null ? '' : createHmac('sha256', secret).update(signed).digest('base64url');
  return `${signed}.${mac}`;
}
