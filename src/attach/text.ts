import { size } from '../measure/size.ts';
import type { Page } from '../view/page-of.ts';

/**
 * Texts for an operator's terminal: safe, bounded, in short units, in aligned columns.
 *
 * Topic names and close reasons come from clients: on a terminal a control character could move the cursor, rename the
 * window or answer for the operator, and a bidirectional one could turn the text around.
 */
const UNSAFE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
/** The colours of Node's own inspector are left alone, and line ends. */
const UNSAFE_OR_COLOUR = new RegExp(`\\x1b\\[\\d{1,3}m|${UNSAFE.source}`, 'gu');

/** Text for one line: what is unsafe, line ends too, is written as an escape. */
export function safeLine(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** JSON, in which what is unsafe can only stand in strings, where an escape means the same. */
export function safeJson(json: string): string {
  return json.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Text of several lines, which may be coloured. */
export function safeBlock(text: string): string {
  return text.replace(UNSAFE_OR_COLOUR, (found) =>
    found === '\n' || found.length > 2 ? found : escaped(found),
  );
}

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  if (character === '\r') return '\\r';
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** At most `limit` characters, the last one an ellipsis where something was left out. */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const characters = [...text];
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
}

/** At most so many lines and characters of a block; says how much was left out. */
export function bounded(text: string, lines = 500, characters = 65_536): string {
  const all = text.split('\n');
  const kept = all.length > lines ? all.slice(0, lines).join('\n') : text;
  const cut = kept.length > characters ? kept.slice(0, characters) : kept;
  const left = text.length - cut.length;
  return left === 0 ? text : `${cut}\n… ${left} more characters`;
}

/** `250ms`, `3.2s`, `5m 12s`, `3h 2m`, `12d 4h`. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds));
  if (ms < 1000) return `${ms}ms`;
  if (ms < 60_000) return `${Math.floor(ms / 100) / 10}s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d ${Math.floor((seconds % 86_400) / 3600)}h`;
}

/** A whole number in groups of three: `1 234 567`. */
export function whole(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly right: boolean;
  /** Characters of a cell; longer ones are cut. */
  readonly limit: number;
  readonly value: (row: Row) => string;
  /** Left out where there is no room for all columns. */
  readonly spare?: boolean;
  /** Characters that it has before columns are left out. */
  readonly least?: number;
  /** Its texts are not cut: half of a time or a ref tells nothing. */
  readonly isWhole?: boolean;
}

/** A column that is left out where there is no room for all, the last of them first. */
export function spare<Row>(column: Column<Row>): Column<Row> {
  return { ...column, spare: true };
}

const CELL_LIMIT = 60;
const GAP = '  ';
/** Characters of a text that is cut: so many say what it is, and so many that it is there. */
const READABLE = 24;
const FEW = 8;

export function left<Row>(
  title: string,
  value: (row: Row) => string,
  limit = CELL_LIMIT,
  least = READABLE,
): Column<Row> {
  return { title, right: false, limit, value, least };
}

export function right<Row>(title: string, value: (row: Row) => string): Column<Row> {
  return { title, right: true, limit: CELL_LIMIT, value };
}

/** The same, to be left out where there is no room. */
export function spareRight<Row>(title: string, value: (row: Row) => string): Column<Row> {
  return spare(right(title, value));
}

/** A column of times, in milliseconds since 1970, as `11-28 17:48:31` (UTC). */
export function times<Row>(title: string, value: (row: Row) => number): Column<Row> {
  const text = (row: Row) => new Date(value(row)).toISOString().slice(5, 19).replace('T', ' ');
  return { ...left(title, text), isWhole: true };
}

type Of<Key extends string, Value> = Column<Readonly<Record<Key, Value | null>>>;

/** Columns of the fields of that name; what is not known is a dash. */
export function texts<Key extends string>(...keys: readonly Key[]): Of<Key, string>[] {
  return keys.map((key) => ({ ...left(key, (row) => row[key] ?? '-'), isWhole: key === 'ref' }));
}

export function counts<Key extends string>(...keys: readonly Key[]): Of<Key, number>[] {
  return keys.map((key) => right(key, (row) => known(row[key], whole)));
}

export function sizes<Key extends string>(...keys: readonly Key[]): Of<Key, number>[] {
  return keys.map((key) => right(key, (row) => known(row[key], size)));
}

export function known(value: number | null, text: (value: number) => string): string {
  return value === null ? '-' : text(value);
}

/** Aligned lines, the titles first; no rows make one line that says so. */
export function table<Row>(rows: readonly Row[], ...columns: readonly Column<Row>[]): string {
  return tableWithin(Number.POSITIVE_INFINITY, rows, ...columns);
}

/**
 * The same in lines of so many characters, as far as that can be: texts are cut first, the longest first, then spare columns
 * go, and then texts are cut to a few characters. What room a column has left that went, the texts have, the shortest first.
 */
export function tableWithin<Row>(
  most: number,
  rows: readonly Row[],
  ...columns: readonly Column<Row>[]
): string {
  if (rows.length === 0) return '(none)';
  const cells = columns.map((column) => ({
    column,
    texts: [column.title, ...rows.map((row) => shorten(safeLine(column.value(row)), column.limit))],
    whole: 0,
    width: 0,
  }));
  for (const cell of cells) {
    cell.whole = cell.texts.reduce((most, text) => Math.max(most, width(text)), 0);
    cell.width = cell.whole;
  }
  let kept = cells;
  const excess = () => kept.reduce((sum, cell) => sum + cell.width + GAP.length, -GAP.length) - most;
  const cut = (leastOf: (column: Column<Row>) => number) => {
    for (let over = excess(); over > 0; over = excess()) {
      const texts = kept.filter(
        ({ column, width }) => !column.right && column.isWhole !== true && width > leastOf(column),
      );
      const longest = texts.reduce<(typeof cells)[number] | undefined>(
        (one, other) => (one === undefined || other.width > one.width ? other : one),
        undefined,
      );
      if (longest === undefined) return;
      const others = texts.filter((text) => text !== longest).map((text) => text.width - 1);
      const next = Math.max(leastOf(longest.column), ...others);
      longest.width = Math.max(longest.width - over, Math.min(next, longest.width - 1));
    }
  };
  cut(({ least = READABLE }) => least);
  while (excess() > 0) {
    const at = kept.findLastIndex(({ column }) => column.spare === true);
    if (at < 0) break;
    kept = kept.toSpliced(at, 1);
  }
  cut(() => FEW);
  for (const cell of kept.toSorted((a, b) => a.whole - a.width - (b.whole - b.width)))
    cell.width = Math.min(cell.whole, cell.width + Math.max(0, -excess()));
  return Array.from({ length: rows.length + 1 }, (_, line) =>
    kept
      .map(({ column, texts, width: wanted }) => {
        const text = shorten(texts[line] ?? '', wanted);
        const fill = ' '.repeat(wanted - width(text));
        return column.right ? fill + text : text + fill;
      })
      .join(GAP)
      .trimEnd(),
  ).join('\n');
}

/** One field a line, the names aligned; a value that does not fit goes on in the next line. */
export function fieldLines(
  entries: readonly (readonly [name: string, value: string])[],
  most = Number.POSITIVE_INFINITY,
): string {
  const longest = entries.reduce((most, [name]) => Math.max(most, name.length), 0);
  return entries
    .map(([name, value]) => wrapped(safeLine(value), most, `${name.padEnd(longest)}  `))
    .join('\n');
}

/** Behind `lead` the same words in lines of so many characters. Lines that go on are indented; a longer word goes on, too. */
export function wrapped(text: string, limit: number, lead = '', indent = lead.length || 2): string {
  const lines: string[] = [];
  let line = lead;
  let isEmpty = true;
  const next = () => {
    lines.push(line.trimEnd());
    line = ' '.repeat(indent);
    isEmpty = true;
  };
  for (const word of text.split(' ')) {
    if (!isEmpty && width(line) + 1 + width(word) > limit) next();
    let left = [...(isEmpty ? word : ` ${word}`)];
    while (left.length > Math.max(limit - width(line), 1)) {
      const room = Math.max(limit - width(line), 1);
      line += left.slice(0, room).join('');
      left = left.slice(room);
      next();
    }
    line += left.join('');
    isEmpty = false;
  }
  return [...lines, line.trimEnd()].join('\n');
}

/** Characters; wide ones count as one, which is wrong by a column at the most where names are in such scripts. */
function width(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

export function rateOf(rate: number): string {
  return rate < 10 ? String(Math.round(rate * 10) / 10) : whole(rate);
}

export function fieldsOf(values: Readonly<Record<string, unknown>>): (readonly [string, string])[] {
  return Object.entries(values).map(([name, value]) => [name, plainText(value)] as const);
}

export function plainText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number') return Number.isInteger(value) ? whole(value) : String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    return value.length === 0 ? 'none' : value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A page as a table, and how much it leaves out. */
export function pageText<Row>(
  width: number,
  { rows, total }: Page<Row>,
  what: string,
  ...columns: readonly Column<Row>[]
): string {
  const text = tableWithin(width, rows, ...columns);
  if (rows.length >= total) return text;
  return `${text}\n${wrapped(`${whole(rows.length)} of ${whole(total)} ${what}`, width, '… ')}`;
}
