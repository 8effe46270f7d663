import { safeLine, shorten } from './safe-text.ts';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Characters of a cell; longer ones are cut. */
  readonly limit?: number;
  readonly value: (row: Row) => string;
}

const CELL_LIMIT = 60;

/** Aligned lines, the titles first; no rows make one line that says so. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  if (rows.length === 0) return '(none)';
  const cells = rows.map((row) =>
    columns.map(({ value, limit = CELL_LIMIT }) => shorten(safeLine(value(row)), limit)),
  );
  const titles = columns.map(({ title }) => title);
  const widths = titles.map((title, i) =>
    cells.reduce((widest, line) => Math.max(widest, width(line[i] ?? '')), title.length),
  );
  return [titles, ...cells]
    .map((line) =>
      line
        .map((text, i) => {
          const fill = ' '.repeat((widths[i] ?? 0) - width(text));
          return columns[i]?.align === 'right' ? fill + text : text + fill;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One field a line, the names aligned. */
export function fieldLines(entries: readonly (readonly [name: string, value: string])[]): string {
  const longest = entries.reduce((most, [name]) => Math.max(most, name.length), 0);
  return entries.map(([name, value]) => `${name.padEnd(longest)}  ${safeLine(value)}`.trimEnd()).join('\n');
}

/** Characters; wide ones count as one, which is wrong by a column at the most where names are in such scripts. */
function width(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
