import { redacted, redacting } from '../secret/redaction.ts';
import { csvLine } from '../view/csv.ts';
import type { ShownTab } from './tab.ts';

export const formats = { csv: 'text/csv; charset=utf-8; header=present', json: 'application/json' } as const;
export type Format = keyof typeof formats;

export function formatIn(query: string): Format | undefined {
  const format = new URLSearchParams(query).get('format');
  return format === 'csv' || format === 'json' ? format : undefined;
}

/** A list as a file, piece by piece: each is the work of one portion, and may be empty. */
export function exportOf(
  format: Format,
  shown: Pick<ShownTab, 'columns' | 'also'>,
  portions: Iterable<readonly object[]>,
): Iterable<string> {
  return format === 'csv' ? csvOf(shown, portions) : jsonOf(portions);
}

function* csvOf(
  { columns, also = [] }: Pick<ShownTab, 'columns' | 'also'>,
  portions: Iterable<readonly object[]>,
): Iterable<string> {
  const times = new Set(columns.filter(({ kind }) => kind === 'when').map(({ field }) => field));
  const fields = [...new Set([...columns.map(({ field }) => field), ...also])];
  yield csvLine(fields);
  for (const rows of portions) {
    let text = '';
    for (const row of rows) {
      const shown = redacted(row) as Readonly<Record<string, unknown>>;
      text += csvLine(fields.map((field) => plain(shown[field], times.has(field))));
    }
    yield text;
  }
}

/** A value of a row as one cell: times as ISO 8601, several names in one text. */
function plain(value: unknown, isTime: boolean): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return isTime ? new Date(value).toISOString() : value;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  return Array.isArray(value) ? value.join('; ') : JSON.stringify(value);
}

function* jsonOf(portions: Iterable<readonly object[]>): Iterable<string> {
  let before = '[\n';
  for (const rows of portions) {
    let text = '';
    for (const row of rows) {
      text += `${before}${JSON.stringify(row, redacting)}`;
      before = ',\n';
    }
    yield text;
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}
