declare global {
  // ES2024, and in every Node that runs us; the ES2023 library of the compiler does not name it yet.
  interface String {
    isWellFormed(): boolean;
  }
}

/**
 * Whether a text can name a topic: not empty, no lone surrogate (which has no UTF-8 and would meet other names as
 * U+FFFD), and at most `limit` characters (0: no limit).
 */
export function isTopicName(text: string, limit: number): boolean {
  return text !== '' && text.isWellFormed() && isWithin(text, limit);
}

/** Whether a text has at most `limit` characters (0: no limit), without counting those of a far longer one. */
export function isWithin(text: string, limit: number): boolean {
  if (limit === 0 || text.length <= limit) return true;
  return text.length <= 2 * limit && characters(text) <= limit;
}

/** The number of characters: Unicode code points, a lone surrogate counting as one. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Spreads texts evenly, the same at every relay: FNV-1a over UTF-16 units, 32 bits. */
export function hashKey(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
