import { isAbsolute, join } from 'node:path';
import { Hidden } from '../secret/hidden.ts';
import { sha256 } from '../secret/secret.ts';
import { type ConfigError, inReadingOrder } from './config-error.ts';
import { type Instead, mistaken } from './evident.ts';
import { type Kind, listOf, orNull, Refusal, textKind, writtenAs } from './kind.ts';
import { filePath, matching, time } from './scalars.ts';
import { fromHex } from './secrets.ts';
import { itemOf, key, type Reader, section } from './section.ts';
import type { Place } from './value.ts';
import { longestText, readYaml } from './yaml.ts';

/** A publisher's key for one domain, kept as the SHA-256 of the key: 32 bytes. */
export interface ApiKey {
  readonly domain: string;
  readonly sha256: Buffer;
}

export type ApiKeysConfig =
  | { readonly store: 'list'; readonly keys: readonly ApiKey[] }
  /** `file`: its path, which is absolute or relative to the working directory. */
  | { readonly store: 'file'; readonly file: string }
  /** `recheck`: milliseconds between looks at a table that does not tell of its changes; 0: none. */
  | { readonly store: 'postgres'; readonly url: Hidden<string>; readonly recheck: number };

// A domain and a key are segments of a URL's path, so neither can hold a slash.
const keyDomain = textKind('a domain of at most 64 characters without a slash', (text) =>
  /^[^/\0]{1,64}$/u.test(text) && !/\p{Cs}/u.test(text) ? text : undefined,
);
const plainKey = textKind('a key without a slash', (text) => {
  if (!/^[^/\0]+$/.test(text) || text.trim() === '') return undefined;
  const why = mistaken(text, 'an API key', insteadOfApiKey);
  return why === null ? sha256(text) : new Refusal(why);
});
const asHash = 'if it is the key all the same, write sha256, with the 64 hex digits of its SHA-256';
const insteadOfApiKey: Instead = {
  key: asHash,
  'key set': asHash,
  path: `apikeys.file names a file with keys; ${asHash}`,
  address: asHash,
  hash: 'a hash stands in sha256, as 64 hex digits',
  token: asHash,
  placeholder: asHash,
};
const keyHash = textKind('the SHA-256 of a key: 64 hex digits', fromHex);

const listedKey = section({
  domain: key(orNull(keyDomain), null),
  key: key(orNull(plainKey), null),
  sha256: key(orNull(keyHash), null),
});

const apiKey = itemOf(
  listedKey,
  'a domain, and a key or sha256: { domain: example.com, key: … }',
  ({ domain: name, key: plain, sha256: hash }): ApiKey | null => {
    const one = plain ?? hash;
    return name === null || one === null || (plain !== null && hash !== null)
      ? null
      : { domain: name, sha256: one };
  },
  { hidesUnknown: true },
);

/** One key for each domain, as in the table of wspubsub. */
const apiKeys: Kind<readonly ApiKey[]> = {
  expected: 'a list of API keys',
  parse(value, path, context) {
    const domains = new Set<string>();
    const another: Kind<ApiKey> = {
      expected: apiKey.expected,
      parse(item, itemPath) {
        const parsed = apiKey.parse(item, itemPath, context);
        if (!parsed) return undefined;
        if (!domains.has(parsed.domain)) {
          domains.add(parsed.domain);
          return parsed;
        }
        context.report(item.at, itemPath, 'one key for each domain; this domain has one already');
        return undefined;
      },
    };
    return listOf(apiKeys.expected, another).parse(value, path, context);
  },
};

/** Beside the configuration in use: the store of a relay that names no other. */
export function embeddedIn(folder: string): string {
  return join(folder, 'apikeys.yaml');
}

const postgresUrl = writtenAs(
  'secret',
  textKind('a URL such as postgres://host:5432/database, with user:password@ before the host', (text) =>
    isPostgresUrl(text) ? new Hidden(text) : undefined,
  ),
);

/** Where API keys are: at most one of `list`, `file` and `postgres`. */
export const apiKeyStores = (recheck: number | null) =>
  section({
    list: key(apiKeys, []),
    file: key(orNull(filePath), null),
    postgres: key(orNull(postgresUrl), null),
    recheck: key(orNull(time), recheck),
  });

export type ApiKeyStores = ReturnType<typeof apiKeyStores> extends Reader<infer T> ? T : never;

/** The store that the first of `sections` names which names any; the embedded file, in `folder`, when none does. */
export function apiKeysOf(sections: readonly ApiKeyStores[], folder: string): ApiKeysConfig {
  const { list, file, postgres } = sections.find(namesStore) ?? { list: [], file: null, postgres: null };
  if (list.length > 0) return { store: 'list', keys: list };
  if (postgres !== null) {
    const recheck = sections.map((one) => one.recheck).find((one) => one !== null);
    return { store: 'postgres', url: postgres, recheck: recheck ?? 0 };
  }
  if (file === null) return { store: 'file', file: embeddedIn(folder) };
  return { store: 'file', file: isAbsolute(file) ? file : join(folder, file) };
}

function namesStore({ list, file, postgres }: ApiKeyStores): boolean {
  return list.length > 0 || file !== null || postgres !== null;
}

/** What pg can take apart, too: it leaves out a host before a database, and decodes the parts. */
function isPostgresUrl(text: string): boolean {
  if (!/^postgres(ql)?:\/\/[^\s\p{Cc}]+$/u.test(text)) return false;
  try {
    const { username, password, pathname } = new URL(text.replace('@/', '@host/'));
    for (const part of [username, password, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

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

const keyUsername = textKind('a user name of at most 254 characters on one line', (text) =>
  /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,254}$/u.test(text) ? text : undefined,
);

const lineOfFile = section({
  domain: key(orNull(keyDomain), null),
  username: key(orNull(keyUsername), null),
  sha256: key(orNull(keyHash), null),
  created: key(orNull(matching('a time such as 2026-01-31T12:00:00Z', /^[\d:.TZ+-]{1,40}$/)), null),
});

const filedKey = itemOf(
  lineOfFile,
  'a domain and the hash of its key: { domain: example.com, username: …, sha256: … }',
  ({ domain: name, username, sha256, created }): FiledKey | null =>
    name === null || sha256 === null ? null : { domain: name, username: username ?? name, sha256, created },
  { hidesUnknown: true },
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
