import { domain, keyHash } from './api-keys.ts';
import { type ConfigError, inReadingOrder, type Place } from './config-error.ts';
import { keyItem } from './key-item.ts';
import { listOf, orNull, textKind } from './kind.ts';
import { matching } from './scalars.ts';
import { key, section } from './section.ts';
import { longestText, readYaml } from './yaml-text.ts';

/** One line of the file of API keys, `apikeys.yaml`. */
export interface FiledKey {
  readonly domain: string;
  /** Whose key it is; at most 254 characters. */
  readonly username: string;
  /** SHA-256 of the key: 32 bytes. */
  readonly sha256: Buffer;
  /** When it was added, as ISO 8601 has it; null: not known. */
  readonly created: string | null;
}

export type KeyFileResult =
  | { readonly ok: true; readonly keys: readonly FiledKey[] }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

export const keyDomain = domain;

export const keyUsername = textKind('a user name of at most 254 characters on one line', (text) =>
  /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,254}$/u.test(text) ? text : undefined,
);

const item = section({
  domain: key(orNull(domain), null),
  username: key(orNull(keyUsername), null),
  sha256: key(orNull(keyHash), null),
  created: key(orNull(matching('a time such as 2026-01-31T12:00:00Z', /^[\d:.TZ+-]{1,40}$/)), null),
});

const filedKey = keyItem(
  item,
  'a domain and the hash of its key: { domain: example.com, username: …, sha256: … }',
  ({ domain: name, username, sha256, created }): FiledKey | null =>
    name === null || sha256 === null ? null : { domain: name, username: username ?? name, sha256, created },
);

const filedKeys = listOf('a list of API keys', filedKey);

/** The keys that a file holds, or every fault in it. An empty file holds none. Pure, and never throws. */
export function parseKeyFile(text: string, file: string): KeyFileResult {
  const errors: ConfigError[] = [];
  const report = (at: Place, where: string, expected: string) => errors.push({ ...at, key: where, expected });
  const value = readYaml(text, { file, line: 1, column: 1 }, report);
  if (errors.length > 0) return { ok: false, errors: inReadingOrder(errors, file) };
  const context = { report, places: new Map(), failed: new Set<string>() };
  const keys = value === undefined ? [] : filedKeys.parse(value, 'keys', context);
  if (keys !== undefined && errors.length === 0)
    checkOnce(value?.kind === 'list' ? value.items : [], keys, report);
  if (keys === undefined || errors.length > 0) return { ok: false, errors: inReadingOrder(errors, file) };
  return { ok: true, keys };
}

/** A domain has one key, and a key one domain, as in the table of wspubsub. */
function checkOnce(
  items: readonly { readonly at: Place }[],
  keys: readonly FiledKey[],
  report: (at: Place, where: string, expected: string) => void,
): void {
  const domains = new Set<string>();
  const hashes = new Set<string>();
  for (const [index, { domain: name, sha256 }] of keys.entries()) {
    const at = items[index]?.at;
    const hash = sha256.toString('hex');
    if (at !== undefined && domains.has(name)) {
      report(at, `keys[${index}]`, 'one key for each domain; this domain has one already');
    } else if (at !== undefined && hashes.has(hash)) {
      report(at, `keys[${index}]`, 'a key of its own; another domain has this one already');
    }
    domains.add(name);
    hashes.add(hash);
  }
}

/** The longest text that is read, in characters: some six thousand keys. */
export const longestKeyFile = longestText;
