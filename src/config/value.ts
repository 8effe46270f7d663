/** Where something was written; lines and columns count from 1. */
export interface Place {
  /** The file as it was named, `--set`, or the name of the environment variable. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Where readers put the faults that they find. */
export type Report = (at: Place, key: string, expected: string) => void;

/**
 * What was written, each part with its place: the same for a file, a flag and a variable. Scalars stay text, so that
 * the key decides what they are: a node named `1e3`, a password `0123` and a channel `true` are what they look like.
 * Maps are lists of entries: repeated keys survive to be refused, and `__proto__` is a key like any other.
 */
export type Value = Scalar | List | Mapping;

export interface Scalar {
  readonly kind: 'scalar';
  readonly text: string;
  /** Written in quotes or as a block: text, whatever it looks like. */
  readonly quoted: boolean;
  readonly at: Place;
}

export interface List {
  readonly kind: 'list';
  readonly items: readonly Value[];
  readonly at: Place;
}

export interface Mapping {
  readonly kind: 'map';
  readonly entries: readonly Entry[];
  readonly at: Place;
}

export interface Entry {
  readonly key: string;
  readonly value: Value;
  /** Place of the key. */
  readonly at: Place;
  /** The path to show in errors, where it differs from the key's own: the alias that was written. */
  readonly writtenAs?: string;
}

const nulls = new Set(['', '~', 'null', 'Null', 'NULL']);

export function isNull(value: Value): boolean {
  return value.kind === 'scalar' && !value.quoted && nulls.has(value.text);
}

/** Nothing stands there: `key:`, or a comment after it; or blanks alone, in quotes. A pair of quotes is a text. */
export function isBlank(value: Value): boolean {
  return value.kind === 'scalar' && value.text.trim() === '' && !(value.quoted && value.text === '');
}

// pusud's YAML library reads the words of YAML 1.1 as booleans, so its settings files may hold any of them.
const words = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['no', false],
  ['off', false],
]);

/** True or false as YAML 1.1 writes them; undefined: neither. */
export function asBoolean(value: Value): boolean | undefined {
  if (value.kind !== 'scalar' || value.quoted) return undefined;
  return /^([a-z]+|[A-Z][a-z]*|[A-Z]+)$/.test(value.text) ? words.get(value.text.toLowerCase()) : undefined;
}

/** `value` as it would stand in a file under `path`: nested maps of one key each. */
export function nest(
  path: readonly string[],
  places: readonly Place[],
  value: Value,
  writtenAs?: string,
): Value {
  return path.reduceRight<Value>((inner, key, index) => {
    const at = places[index] ?? value.at;
    const last = index === path.length - 1;
    const entry =
      last && writtenAs !== undefined ? { key, value: inner, at, writtenAs } : { key, value: inner, at };
    return { kind: 'map', entries: [entry], at };
  }, value);
}

/** The entry at `path`, or undefined; of a repeated key the last one. */
export function entryAt(root: Value, path: readonly string[]): Entry | undefined {
  let found: Entry | undefined;
  let value: Value | undefined = root;
  for (const key of path) {
    found = value?.kind === 'map' ? value.entries.findLast((entry) => entry.key === key) : undefined;
    value = found?.value;
  }
  return found;
}

/** What is in a file, or why that is not known, in words for an operator that never quote it. */
export type FileText = { readonly text: string } | { readonly why: string; readonly missing?: true };
