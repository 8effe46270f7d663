import { LONGEST_KEY, type NewKey } from '../authenticator/api-keys/key-store.ts';

/** Keys to import, or what is wrong with each line; no fault repeats what stands in the file. */
type KeyCsvResult =
  | { readonly ok: true; readonly keys: readonly NewKey[]; readonly inactive: number }
  | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Keys as PostgreSQL exports its table: `\copy apikeys to 'apikeys.csv' csv header`. Columns are found by their names in
 * the first line: `domain` and `apikey`, and, when they are there, `username` and `active`; others do not count. Rows
 * that are not active are left out. Pure.
 */
export function parseKeyCsv(text: string): KeyCsvResult {
  const rows = parseCsv(text.startsWith('\uFEFF') ? text.slice(1) : text);
  if (rows === null) return { ok: false, faults: ['a quote at both ends of a value, or at neither'] };
  const [head, ...body] = rows;
  const column = (name: string): number =>
    head?.values.map((one) => one.trim().toLowerCase()).indexOf(name) ?? -1;
  const [domain, apikey, username, active] = ['domain', 'apikey', 'username', 'active'].map(column);
  if (domain === undefined || apikey === undefined || domain < 0 || apikey < 0) {
    return { ok: false, faults: ['a first line that names the columns, domain and apikey among them'] };
  }
  const faults: string[] = [];
  const keys: NewKey[] = [];
  const seen = { domains: new Set<string>(), keys: new Set<string>() };
  let inactive = 0;
  for (const { line, values } of body) {
    const at = (index: number | undefined): string => (index === undefined ? '' : (values[index] ?? ''));
    const state = at(active).toLowerCase();
    if (active !== undefined && active >= 0 && ['f', 'false', '0', 'no'].includes(state)) {
      inactive += 1;
      continue;
    }
    const key: NewKey = { domain: at(domain), username: at(username) || null, key: at(apikey) };
    const why =
      values.length !== head?.values.length
        ? `${head?.values.length} values`
        : active !== undefined && active >= 0 && !['t', 'true', '1', 'yes'].includes(state)
          ? 'true or false as active'
          : (faultOf(key) ??
            (seen.domains.has(key.domain) ? 'each domain once' : null) ??
            (seen.keys.has(key.key) ? 'each key once' : null));
    if (why !== null) faults.push(`line ${line}: ${why}`);
    seen.domains.add(key.domain);
    seen.keys.add(key.key);
    keys.push(key);
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, keys, inactive };
}

/** What should stand in place of a faulty value; null: all are good. */
export function faultOf({ domain, username, key }: NewKey): string | null {
  if (!isText(domain, 64) || domain.includes('/')) return 'a domain of at most 64 characters without a slash';
  if (username !== null && !isText(username, 254)) return 'a user name of at most 254 characters on one line';
  if (!isText(key, LONGEST_KEY) || key.trim() === '' || key.includes('/'))
    return `a key of at most ${LONGEST_KEY} characters without a slash`;
  return null;
}

function isText(text: string, longest: number): boolean {
  return text !== '' && [...text].length <= longest && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text);
}

interface Row {
  readonly line: number;
  readonly values: readonly string[];
}

/** RFC 4180; empty lines are none. Null: a quote out of place. */
function parseCsv(text: string): Row[] | null {
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\r|$)/y;
  const rows: Row[] = [];
  let values: string[] = [];
  let line = 1;
  let first = 1;
  while (field.lastIndex < text.length || values.length > 0) {
    const match = field.exec(text);
    if (match === null) return null;
    const [whole, quoted, plain = '', end] = match;
    values.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split(/\r?\n|\r/).length - 1;
    if (end === ',') continue;
    if (values.length > 1 || quoted !== undefined || plain !== '') rows.push({ line: first, values });
    values = [];
    first = line;
    if (end === '') break;
  }
  return rows;
}
