import { csvLine } from '../../view/csv.ts';
import type { Outcome } from '../protocol.ts';
import type { NodeClient } from './node-client.ts';

type Row = Readonly<Record<string, unknown>>;

/** A list that an operation has come to. `total`: how many rows there are on all pages; null: it has none. */
interface Listing {
  readonly rows: readonly Row[];
  readonly total: number | null;
}

/** Rows of one page. */
const PAGE = 1000;

/**
 * All pages of a list, one after the other, or what went wrong. The relay goes on meanwhile: where rows change their places, one
 * may be on two pages, or on none.
 */
export async function everyPage(
  client: Pick<NodeClient, 'call'>,
  name: string,
  args: readonly unknown[],
): Promise<Outcome> {
  const last = args.at(-1);
  const hasOptions = typeof last === 'object' && last !== null && !Array.isArray(last);
  const before = hasOptions ? args.slice(0, -1) : args;
  const options = hasOptions ? last : {};
  const rows: Row[] = [];
  for (;;) {
    const page = { ...options, n: PAGE, offset: rows.length };
    const outcome = await client.call(name, [...before, page], 'json');
    if (!outcome.ok) return outcome;
    const listing = listingIn(outcome.text);
    if (listing === null || listing.total === null) return { ok: false, text: `${name} has no pages` };
    rows.push(...listing.rows);
    if (listing.rows.length === 0 || rows.length >= listing.total)
      return { ok: true, text: JSON.stringify({ total: rows.length, rows }) };
  }
}

/** A list as CSV, without the end of the last line. `leftOut`: fields that are lists of their own in their rows. */
interface Csv {
  readonly text: string;
  readonly leftOut: readonly string[];
}

/** The rows of a list as CSV; null: it is no list. A tree is none. */
export function csvIn(json: string): Csv | null {
  const listing = listingIn(json);
  if (listing === null || listing.rows.some(({ children }) => Array.isArray(children))) return null;
  const all = [...new Set(listing.rows.flatMap((row) => Object.keys(row)))];
  const leftOut = all.filter((field) => listing.rows.some((row) => isListOfRows(row[field])));
  const fields = all.filter((field) => !leftOut.includes(field));
  const lines = listing.rows.map((row) => csvLine(fields.map((field) => cell(field, row[field]))));
  return { text: [csvLine(fields), ...lines].join('').replace(/\r\n$/, ''), leftOut };
}

function isListOfRows(value: unknown): boolean {
  return Array.isArray(value) && value.some((item) => typeof item === 'object' && item !== null);
}

function listingIn(json: string): Listing | null {
  const data: unknown = JSON.parse(json);
  const { rows = data, total = null } = (data ?? {}) as { readonly rows?: unknown; readonly total?: unknown };
  if (!Array.isArray(rows) || !rows.every((row) => typeof row === 'object' && row !== null)) return null;
  return { rows: rows as readonly Row[], total: typeof total === 'number' ? total : null };
}

/** Milliseconds since 1970 are some 10 ** 12, and what else is called `at` is far less. */
const FIRST_TIME = 10 ** 11;

/** Times as ISO 8601, several names in one text. */
function cell(field: string, value: unknown): string | number | boolean | null {
  switch (typeof value) {
    case 'number':
      return field === 'at' && value > FIRST_TIME ? new Date(value).toISOString() : value;
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      return Array.isArray(value) && value.every((item) => typeof item === 'string')
        ? value.join('; ')
        : JSON.stringify(value);
    default:
      return null;
  }
}
