type CsvValue = string | number | boolean | null | undefined;

/**
 * A line of CSV with its end (RFC 4180). What is not known is empty. A text that a spreadsheet would take for a formula has
 * an apostrophe before it: names come from clients, and a formula can send off what stands beside it.
 */
export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(csvValue).join(',')}\r\n`;
}

function csvValue(value: CsvValue): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const text = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
