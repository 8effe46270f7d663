import { type Context, type Kind, Refusal, textKind, wordsOf } from './kind.ts';
import { hashed, insteadOfHashed } from './secrets.ts';
import { type Entry, isNull, type Value } from './value.ts';

/** One password, kept as its SHA-256 (32 bytes), and the channel patterns it opens for reading and writing. */
export interface PasswordEntry {
  readonly sha256: Buffer;
  readonly channels: readonly string[];
}

/** `*`, `prefix*`, or exactly one channel. */
export const channelPattern: Kind<string> = textKind(
  'a channel pattern such as news, user.* or "*" (in quotes)',
  (text) => {
    if (text === '' || /\p{Cs}/u.test(text)) return undefined;
    return text.slice(0, -1).includes('*')
      ? new Refusal('a channel pattern with its * at the end only')
      : text;
  },
);

export const channelPatterns = wordsOf('a list of channel patterns', channelPattern);

/**
 * A map of passwords to channel patterns, or a list of such maps, which is the form of pusud's example file. A password
 * is a key here, so paths count the passwords and never name one.
 */
export const passwords: Kind<readonly PasswordEntry[]> = {
  expected: 'a map of passwords, each with a list of channel patterns',
  parse(value, path, context) {
    const entries = passwordEntries(value);
    if (entries === undefined) {
      context.report(value.at, path, passwords.expected);
      return undefined;
    }
    const lines = new Map<string, number>();
    const parsed = entries.map((entry, index) => {
      const at = `${path}[${index}]`;
      const sha256 =
        entry.key.trim() === ''
          ? new Refusal('a password that is not empty')
          : hashed(entry.key, 'a password', insteadOfHashed);
      const channels = patternsOf(entry.value, at, context);
      if (sha256 instanceof Refusal) {
        context.report(entry.at, at, sha256.expected);
        return undefined;
      }
      const hex = sha256.toString('hex');
      const before = lines.get(hex);
      lines.set(hex, entry.at.line);
      if (before !== undefined) {
        context.report(entry.at, at, `each password once; this one is already on line ${before}`);
        return undefined;
      }
      return channels && { sha256, channels };
    });
    return parsed.every((password) => password !== undefined) ? parsed : undefined;
  },
};

function patternsOf(value: Value, path: string, context: Context): readonly string[] | undefined {
  if (!isNull(value)) return channelPatterns.parse(value, path, context);
  context.report(value.at, path, `${channelPatterns.expected}, [] for none`);
  return undefined;
}

function passwordEntries(value: Value): readonly Entry[] | undefined {
  if (isNull(value)) return [];
  if (value.kind === 'map') return value.entries;
  if (value.kind === 'list' && value.items.every((item) => item.kind === 'map')) {
    return value.items.flatMap((item) => item.entries);
  }
  return undefined;
}
