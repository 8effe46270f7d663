import { whom } from '../../view/whom.ts';

/** Arguments that make no sense. */
export class Misuse extends Error {}

export const ROWS = 20;
export const MOST_ROWS = 1000;
const FARTHEST = 10_000_000;
export const SECOND = 1000;
export const LONGEST = 10 * 60 * SECOND;

type Options<Key extends string> = { readonly [K in Key]?: unknown };

/** The fields of an operation's options, which has these alone. */
export function fields<Key extends string>(value: unknown, ...keys: readonly Key[]): Options<Key> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Misuse(
      `options are given as {key: value}; there ${keys.length === 1 ? 'is' : 'are'} ${keys.join(', ')}`,
    );
  const odd = Object.keys(value).find((key) => !(keys as readonly string[]).includes(key));
  if (odd !== undefined)
    throw new Misuse(
      `there is no option ${odd.slice(0, 100)}; there ${keys.length === 1 ? 'is' : 'are'} ${keys.join(', ')}`,
    );
  return value as Options<Key>;
}

/** What clients that are there may be looked for by. */
export const LIVE = ['address', 'subject', 'topic', 'door'] as const;

/** A ref as it is, or the clients that are meant. */
export function oneOrMeant(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const meant = whom(fields(value, ...LIVE), Date.now());
  if (Object.keys(meant).length === 0) throw new Misuse(`say which clients are meant, by ${LIVE.join(', ')}`);
  return meant;
}

export function pageWanted(n: unknown, offset: unknown): { readonly limit: number; readonly offset: number } {
  return { limit: rows(n, ROWS), offset: offset === 0 ? 0 : count(offset, 'offset', 0, FARTHEST) };
}

/** A whole number from 1 to `most`. */
export function count(value: unknown, name: string, fallback: number, most: number): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Misuse(`${name} is a whole number from 1 to ${most}`);
}

/** The same, where nothing may be said. */
export function optionalCount(value: unknown, name: string, most: number): number | undefined {
  return value === undefined || value === null ? undefined : count(value, name, 1, most);
}

export function rows(value: unknown, fallback: number): number {
  return count(value, 'n', fallback, MOST_ROWS);
}

/** One of some words; the first, where nothing is said. */
export function word<T extends string>(value: unknown, name: string, words: readonly T[]): T {
  const found = value === undefined || value === null ? words[0] : words.find((one) => one === value);
  if (found === undefined) throw new Misuse(`${name} is one of ${words.join(', ')}`);
  return found;
}

/** Milliseconds that something is looked at; 0: not at all, unless `usual`. */
export function windowOf(value: unknown, usual: boolean): number {
  return value === 0 ? 0 : count(value, 'window', usual ? SECOND : 0, LONGEST);
}
