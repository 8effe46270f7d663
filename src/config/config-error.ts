import { redactText } from '../secret/redaction.ts';
import type { Place } from './value.ts';

/** One fault of a configuration. */
export interface ConfigError extends Place {
  /** Path of the key, such as `limits.pending` or `relays[2]`; `yaml` when the text itself cannot be read. */
  readonly key: string;
  /** What should stand there. Never contains a secret. */
  readonly expected: string;
}

/** One line, whatever the key contains: `FILE:LINE:COLUMN key.path: what was expected`. */
export function formatError({ file, line, column, key, expected }: ConfigError): string {
  // A key that nobody knows may be a value in the wrong place.
  return `${file}:${line}:${column} ${redactText(key)}: ${expected}`.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/gu,
    '?',
  );
}

/** In reading order: the file from top to bottom, then the variables by name, then the flags. */
export function inReadingOrder(errors: readonly ConfigError[], file: string): ConfigError[] {
  const rank = (error: ConfigError): number => (error.file === file ? 0 : error.file === '--set' ? 2 : 1);
  return errors.toSorted(
    (a, b) => rank(a) - rank(b) || compare(a.file, b.file) || a.line - b.line || a.column - b.column,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
