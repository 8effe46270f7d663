import { createHash } from 'node:crypto';
import { Hidden } from './hidden.ts';
import { type Kind, Refusal, textKind } from './kind.ts';

/** The SHA-256 of a secret (32 bytes): what is kept in its place. */
export function sha256(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}

/** 32 bytes from 64 hex digits; undefined for anything else. */
export function fromHex(text: string): Buffer | undefined {
  return /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : undefined;
}

const prefix = 'sha256:';

/** A secret that is written plain, or as `sha256:` and its hash; always kept as the hash. */
export function hashed(text: string): Buffer | Refusal {
  if (!text.startsWith(prefix)) return sha256(text);
  return fromHex(text.slice(prefix.length)) ?? new Refusal('64 hex digits after sha256:');
}

/** A secret that is shown to somebody else, and so is kept as it is. */
export const hidden = (text: string): Hidden<string> | undefined =>
  text === '' ? undefined : new Hidden(text);

/** Who listens to one handshake can try out short secrets at leisure. */
const shortestSecret = 16;

/** What the relays of a network share, kept as the hash. */
export const networkSecret: Kind<Hidden<Buffer>> = textKind(
  `a secret of at least ${shortestSecret} characters, or sha256: and 64 hex digits`,
  (text) => {
    if (text.length < shortestSecret) return undefined;
    const key = hashed(text);
    return key instanceof Refusal ? key : new Hidden(key);
  },
);
