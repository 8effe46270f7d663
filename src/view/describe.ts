import { EventEmitter } from 'node:events';
import { HIDDEN, isSecretName, redactText } from '../secret/redaction.ts';

/**
 * A value of the relay's inside as a bounded tree of plain values, for people to look at. Bytes are shown by their
 * number, functions and sockets by what they are, and what may hold a secret not at all.
 */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

const MAX_ITEMS = 20;
const MAX_TEXT = 200;
/** How much of a text is looked at, so that no secret is shown in part. */
const LOOKED_AT = 4096;

export function describe(value: unknown, depth = 3): Plain {
  switch (typeof value) {
    case 'string':
      return ofText(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
      return `${value}n`;
    case 'undefined':
      return null;
    case 'function':
      return `[function ${value.name}]`;
    case 'symbol':
      return '[symbol]';
    default:
      return value === null ? null : ofObject(value as object, depth);
  }
}

function ofText(text: string): string {
  const shown = redactText(text.slice(0, LOOKED_AT));
  return text.length > MAX_TEXT ? `${shown.slice(0, MAX_TEXT)}… (${text.length} characters)` : shown;
}

/** A value under a secret's name: numbers and switches are no secrets. */
function ofSecret(value: unknown): Plain {
  return typeof value === 'number' || typeof value === 'boolean' || value == null ? describe(value) : HIDDEN;
}

/** A header as Node lists it. */
function isHeader(value: Set<unknown> | readonly unknown[]): value is readonly [string, string] {
  if (value instanceof Set || value.length !== 2 || typeof value[1] !== 'string') return false;
  return typeof value[0] === 'string' && isSecretName(value[0]);
}

function ofObject(value: object, depth: number): Plain {
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (isProcess(value)) return String(value);
  if (value instanceof Error) return `[${value.name}]`;
  if (value instanceof Date) return value.toISOString();
  const kind = kindOf(value);
  if (FOREIGN.test(kind) || value instanceof EventEmitter) return `[${kind}]`;
  if (value instanceof Map) {
    if (depth <= 0) return `[Map of ${value.size}]`;
    return ofEntries(
      [...take(value.entries())].map(([key, item]) => [keyText(key), item]),
      value.size,
      depth,
    );
  }
  if (value instanceof Set || Array.isArray(value)) {
    const size = value instanceof Set ? value.size : value.length;
    if (depth <= 0) return `[${kind} of ${size}]`;
    const items = isHeader(value)
      ? [value[0], HIDDEN]
      : [...take(value.values())].map((item) => describe(item, depth - 1));
    return size > items.length ? [...items, `… ${size - items.length} more`] : items;
  }
  const named = Object.hasOwn(Object.getPrototypeOf(value) ?? {}, 'toString');
  if (named && kind !== 'Object') return ofText(String(value));
  if (depth <= 0) return `[${kind}]`;
  return inside(value, depth);
}

/** The fields of an object, of one that has a text of its own, too. */
export function inside(value: object, depth = 3): Plain {
  // Getters of an object alone are not run: they may do anything.
  const own = Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([key, { value: item }]) =>
    item === undefined ? [] : [[key, item] as const],
  );
  const fields = [...own, ...shownBy(value)];
  return ofEntries(fields.slice(0, MAX_ITEMS), fields.length, depth);
}

/** What the class of an object shows of its private fields: its getters, and what it lists. They only read. */
function shownBy(value: object): (readonly [string, unknown])[] {
  const fields = new Map<string, unknown>();
  for (
    let proto = Object.getPrototypeOf(value) as object | null;
    proto !== null && proto !== Object.prototype;
    proto = Object.getPrototypeOf(proto) as object | null
  ) {
    for (const [key, { get }] of Object.entries(Object.getOwnPropertyDescriptors(proto)))
      if (get !== undefined && !fields.has(key))
        fields.set(
          key,
          read(() => get.call(value) as unknown),
        );
  }
  if (Symbol.iterator in value)
    fields.set(
      'items',
      read(() => [...take(value as Iterable<unknown>)]),
    );
  return [...fields].filter(([, item]) => item !== undefined);
}

function read(of: () => unknown): unknown {
  try {
    return of();
  } catch (error) {
    return error;
  }
}

function ofEntries(entries: readonly (readonly [string, unknown])[], size: number, depth: number): Plain {
  const shown = entries.map(
    ([key, item]) => [key, isSecretName(key) ? ofSecret(item) : describe(item, depth - 1)] as const,
  );
  const more = size > entries.length ? [['…', `${size - entries.length} more`] as const] : [];
  // From entries, so that a key such as `__proto__` is one like any other.
  return Object.fromEntries<Plain>([...shown, ...more]);
}

/** Objects of Node's own, large and of no interest. */
const FOREIGN =
  /^(Socket|TLSSocket|Server|WebSocketServer|.*WebSocket|IncomingMessage|ServerResponse|Timeout|System|Hidden|Logger)$/;

function kindOf(value: object): string {
  const made: unknown = value.constructor;
  return typeof made === 'function' && made.name !== '' ? made.name : 'Object';
}

function isProcess(value: object): boolean {
  return kindOf(value) === 'Process';
}

function* take<T>(items: Iterable<T>): Iterable<T> {
  let left = MAX_ITEMS;
  for (const item of items) {
    if (left-- <= 0) return;
    yield item;
  }
}

function keyText(key: unknown): string {
  return typeof key === 'string' ? ofText(key) : String(describe(key, 0));
}
