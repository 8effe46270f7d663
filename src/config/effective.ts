import { Hidden } from '../secret/hidden.ts';
import { redactText } from '../secret/redaction.ts';
import { keyPaths, relayKeys } from './keys.ts';
import { knownPart, type Layer } from './layers.ts';
import type { Reader } from './section.ts';
import { type Entry, entryAt, type Place, type Value } from './value.ts';

/** A key as it counts, for people: what it is, and who has said so. */
export interface Effective {
  readonly key: string;
  /** As it may be written in a file; `[hidden]` for a secret. */
  readonly value: string;
  /** `relay.yaml:12`, `FANFARE_LIMITS_MESSAGE`, `--set`, or `default`. */
  readonly from: string;
}

export const HIDDEN = '[hidden]';
const DEFAULT = 'default';

/** All keys in the order of the table; of a section that is off, that alone. `settings`: what the layers have come to. */
export function effectiveKeys(layers: readonly Layer[], settings: object): Effective[] {
  const rows: Effective[] = [];
  const off: string[] = [];
  for (const path of keyPaths(relayKeys)) {
    const key = path.join('.');
    const { reader } = knownPart(path);
    if (reader.aliasOf !== undefined || off.some((section) => key.startsWith(`${section}.`))) continue;
    const value = valueAt(settings, path);
    const isSection = reader.keys !== undefined;
    if (isSection && value !== null) continue;
    if (isSection) off.push(key);
    rows.push({ key, ...shown(layers, path, reader, value, isSection) });
  }
  return rows;
}

function shown(
  layers: readonly Layer[],
  path: readonly string[],
  reader: Reader<unknown>,
  value: unknown,
  isOff: boolean,
): Omit<Effective, 'key'> {
  const written = lastWritten(layers, path);
  const from = written === undefined ? DEFAULT : sourceOf(written.value.at);
  if (isOff) return { value: 'false', from };
  if (value === null) return { value: 'null', from };
  if (reader.writing === 'secret' || holdsSecret(value)) return { value: HIDDEN, from };
  const text = written === undefined ? defaultText(value, reader.unit) : writtenText(written.value);
  return { value: redactText(text), from };
}

function lastWritten(layers: readonly Layer[], path: readonly string[]): Entry | undefined {
  return layers.map((layer) => entryAt(layer, path)).findLast((entry) => entry !== undefined);
}

/** Where a line and a column say nothing, as of a variable, the name alone. */
function sourceOf({ file, line }: Place): string {
  return file === '--set' || /^FANFARE_\w+$/.test(file) ? file : `${file}:${line}`;
}

/** `settings` has its names in camelCase. */
function valueAt(settings: object, path: readonly string[]): unknown {
  let value: unknown = settings;
  for (const name of path) {
    if (typeof value !== 'object' || value === null) return null;
    const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    value = (value as Readonly<Record<string, unknown>>)[camel];
  }
  return value ?? null;
}

/** Secrets are kept as hashes, or hidden. */
function holdsSecret(value: unknown): boolean {
  if (value instanceof Hidden || ArrayBuffer.isView(value)) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsSecret);
}

function writtenText(value: Value): string {
  switch (value.kind) {
    case 'scalar':
      return plain(value.text);
    case 'list':
      return `[${value.items.map(writtenText).join(', ')}]`;
    case 'map':
      return value.entries.length === 0
        ? '{}'
        : `{ ${value.entries.map(({ key, value: item }) => `${key}: ${writtenText(item)}`).join(', ')} }`;
  }
}

function plain(text: string): string {
  return /^[\w./:@*+~-][\w ./:@*+~-]*$/.test(text) && !/: |^- /.test(text) ? text : JSON.stringify(text);
}

function defaultText(value: unknown, unit: Reader<unknown>['unit']): string {
  if (typeof value === 'number') return unit === undefined ? String(value) : withUnit(value, UNITS[unit]);
  if (Array.isArray(value)) return `[${value.map((item) => defaultText(item, unit)).join(', ')}]`;
  return typeof value === 'string' ? plain(value) : JSON.stringify(value);
}

const UNITS = {
  time: [
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
    [1, 'ms'],
  ],
  size: [
    [1024 ** 3, 'GiB'],
    [1024 ** 2, 'MiB'],
    [1024, 'KiB'],
    [1, 'B'],
  ],
} as const;

function withUnit(value: number, units: readonly (readonly [number, string])[]): string {
  const [size, unit] = units.find(([each]) => value % each === 0) ?? [1, ''];
  return value === 0 ? '0' : `${value / size}${unit}`;
}

/** What differs between two configurations. Of secrets nobody can tell: they are left out where both have one. */
export interface Difference {
  readonly key: string;
  readonly before: string;
  readonly after: string;
  /** Who has said the latter. */
  readonly from: string;
}

export function differences(before: readonly Effective[], after: readonly Effective[]): Difference[] {
  const old = new Map(before.map((row) => [row.key, row]));
  const gone = before.filter(({ key }) => !after.some((row) => row.key === key));
  return [
    ...after.flatMap(({ key, value, from }): Difference[] => {
      const was = old.get(key)?.value ?? 'not there';
      return was === value ? [] : [{ key, before: was, after: value, from }];
    }),
    ...gone.map(({ key, value }) => ({ key, before: value, after: 'not there', from: DEFAULT })),
  ];
}

/** Keys of which both configurations have a secret: nobody can tell whether it is the same. */
export function secretInBoth(one: readonly Effective[], other: readonly Effective[]): readonly string[] {
  const secrets = new Set(one.filter(({ value }) => value === HIDDEN).map(({ key }) => key));
  return other.filter(({ key, value }) => value === HIDDEN && secrets.has(key)).map(({ key }) => key);
}
