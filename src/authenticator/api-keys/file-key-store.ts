import {
  chmodSync,
  chownSync,
  closeSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { isMap, isScalar, isSeq, parseDocument, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { type FiledKey, parseKeyFile } from '../../config/api-keys.ts';
import { formatError } from '../../config/config-error.ts';
import { sha256 } from '../../secret/secret.ts';
import { type KeyRow, type KeyStore, type NewKey, type PutResult, StoreFault } from './key-store.ts';

const HEAD = ` The API keys of publishers, one for each domain: add and revoke them with "bin/fanfare apikey".
 A relay that runs notices changes. Of a key only its SHA-256 is here; the key itself is shown once, when it is added.`;

/**
 * Keys in a file, which a running relay notices. It is written beside and put in its place, so that a relay never reads
 * half of one; the file beside it is the lock, too. `like`: whoever may read that file may read a new file of keys.
 */
export function fileKeyStore(file: string, like: string): KeyStore {
  return {
    async list() {
      return parsed(textOf(file), file)
        .map(
          ({ domain, username, created }): KeyRow => ({
            domain,
            username,
            created: created ?? '',
            active: true,
          }),
        )
        .toSorted((a, b) => (a.domain < b.domain ? -1 : 1));
    },
    async put(keys, replace) {
      return locked(file, like, (text) => put(text, parsed(text, file), keys, replace));
    },
    async revoke(domain) {
      return locked(file, like, (text) => {
        const found = parsed(text, file).some((each) => each.domain === domain);
        return { text: found ? withKeys(text, new Set([domain]), []) : null, result: found };
      });
    },
    close: async () => undefined,
  };
}

interface Written<T> {
  /** Null: as it was. */
  readonly text: string | null;
  readonly result: T;
}

function put(
  text: string,
  present: readonly FiledKey[],
  keys: readonly NewKey[],
  replace: boolean,
): Written<PutResult> {
  const before = new Map(present.map((each) => [each.domain, each]));
  const added = keys
    .map(({ domain, username, key }) => ({
      domain,
      username: username ?? before.get(domain)?.username ?? domain,
      sha256: sha256(key),
      created: new Date().toISOString(),
    }))
    .filter(({ domain, sha256: hash }) => before.get(domain)?.sha256.equals(hash) !== true);
  const taken = added.map(({ domain }) => domain).filter((domain) => before.has(domain));
  if (taken.length > 0 && !replace) return { text: null, result: { ok: false, taken } };
  const domains = new Set(added.map(({ domain }) => domain));
  const others = new Set(
    present.filter(({ domain }) => !domains.has(domain)).map((each) => each.sha256.toString('hex')),
  );
  const twice = added.find((each) => others.has(each.sha256.toString('hex')));
  if (twice !== undefined)
    throw new StoreFault(`the key for ${twice.domain} is that of another domain already`);
  const result: PutResult = { ok: true, written: added.length, unchanged: keys.length - added.length };
  return { text: added.length === 0 ? null : withKeys(text, domains, added), result };
}

function parsed(text: string, file: string): readonly FiledKey[] {
  const result = parseKeyFile(text, file);
  if (!result.ok) throw new StoreFault(result.errors.map(formatError).join('\n'));
  return result.keys;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw new StoreFault(`${file} cannot be read (${codeOf(error)})`);
  }
}

function locked<T>(path: string, like: string, change: (text: string) => Written<T>): T {
  const file = behindLinks(path);
  const beside = `${file}.new`;
  let descriptor: number;
  try {
    descriptor = openSync(beside, 'wx', 0o600);
  } catch (error) {
    throw new StoreFault(
      codeOf(error) === 'EEXIST'
        ? `${beside} is there: another command is at work, or was ended in its work; then remove that file`
        : `${beside} cannot be written (${codeOf(error)})`,
    );
  }
  let placed = false;
  try {
    const { text, result } = change(textOf(file));
    if (text !== null) {
      parsed(text, file);
      writeFileSync(descriptor, text, { flush: true });
      permitLike(beside, file, like);
      renameSync(beside, file);
      placed = true;
    }
    return result;
  } catch (error) {
    if (error instanceof StoreFault) throw error;
    throw new StoreFault(`${file} cannot be written (${codeOf(error)})`);
  } finally {
    closeSync(descriptor);
    if (!placed) unlinkSync(beside);
  }
}

/** The relay may run as another user than the operator's, and must be able to read what the operator writes. */
function permitLike(beside: string, ...examples: readonly string[]): void {
  for (const example of examples) {
    try {
      const { mode, uid, gid } = statSync(example);
      if (process.getuid?.() === 0) chownSync(beside, uid, gid);
      chmodSync(beside, mode & 0o666);
      return;
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** A link stays one, and what it leads to is replaced. */
function behindLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/** The file of keys without those of the domains `without`, and with `added`. What people wrote into it stays. Pure. */
function withKeys(text: string, without: ReadonlySet<string>, added: readonly FiledKey[]): string {
  // The schema of the reader: every scalar is text, and is written as it was.
  const document = parseDocument(text, { schema: 'failsafe' });
  let list: YAMLSeq;
  if (isSeq(document.contents)) list = document.contents as YAMLSeq;
  else {
    list = new YAMLSeq();
    document.contents = list as unknown as typeof document.contents;
    if (text.trim() === '') document.commentBefore = HEAD;
  }
  list.flow = false;
  list.items = list.items.filter((item) => !without.has(domainOf(item)));
  for (const { domain, username, sha256, created } of added) {
    const item = new YAMLMap<string, Scalar>();
    item.set('domain', quoted(domain));
    item.set('username', quoted(username));
    item.set('sha256', new Scalar(sha256.toString('hex')));
    if (created !== null) item.set('created', new Scalar(created));
    list.items.push(item);
  }
  return document.toString({ lineWidth: 0 });
}

function domainOf(item: unknown): string {
  const domain = isMap(item) ? item.get('domain', true) : undefined;
  return isScalar(domain) ? String(domain.value) : '';
}

/** Some words are no text without quotes. */
function quoted(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = 'QUOTE_DOUBLE';
  return scalar;
}
