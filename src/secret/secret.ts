import { createHash, timingSafeEqual } from 'node:crypto';

/** The hash that is kept in place of a secret: 32 bytes, of the text as UTF-8. */
export function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** Every entry whose hash is that of `secret`. Takes the same time wherever, and whether, there is one. */
export function entriesOf<T extends { readonly sha256: Buffer }>(entries: readonly T[], secret: string): T[] {
  const hash = sha256(secret);
  return entries.filter((entry) => timingSafeEqual(entry.sha256, hash));
}
