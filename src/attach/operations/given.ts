import { whom } from '../../view/whom.ts';

/** Arguments that make no sense. */
export class Misuse extends Error {}

export const ROWS = 20;
export const MOST_ROWS = 1000;
const FARTHEST = 10_000_000;
export const SECOND = 1000;
export const LONGEST = 10 * 60 * SECOND;

/** One option of an operation. */
export interface Option {
  /** What it says, for help. */
  readonly about: string;
  /** The words that it may be. */
  readonly words?: readonly string[];
  /** It is a switch, which is on or is left out. */
  readonly isSwitch?: boolean;
  /** It names a topic. */
  readonly isTopic?: boolean;
}

/** The options of an operation by their names: `fields` takes no others, help explains them, and completion offers them. */
export type OptionTable = Readonly<Record<string, Option>>;

/** Options of lists. */
export const ROWS_OPTION = {
  n: { about: 'how many rows: 20, or up to 1000' },
} as const satisfies OptionTable;
export const PAGE_OPTIONS = {
  ...ROWS_OPTION,
  offset: { about: 'how many rows to pass over, for the next page' },
} as const satisfies OptionTable;

/** What clients that are there may be looked for by. */
export const LIVE_OPTIONS = {
  address: { about: "of this address, such as '10.0.0.7'" },
  subject: { about: 'of this name, by which the authenticator knows it' },
  topic: { about: "in this topic: 'chat' or 'topic:main:chat'", isTopic: true },
  door: { about: "at this door, such as 'pusu'" },
} as const satisfies OptionTable;

export const SINCE_OPTION = {
  since: { about: "since when: so long ago, '10m', '1h', '2d', or a time" },
} as const satisfies OptionTable;

export const FORCE_OPTION = {
  force: { about: 'also a supervisor, with all that is below it', isSwitch: true },
} as const satisfies OptionTable;

type Given<Table extends OptionTable> = { readonly [K in keyof Table]?: unknown };

/** The options that were given, which are these alone. */
export function fields<Table extends OptionTable>(value: unknown, table: Table): Given<Table> {
  if (value === undefined || value === null) return {};
  const keys = Object.keys(table);
  const listed = `there ${keys.length === 1 ? 'is' : 'are'} ${keys.join(', ')}`;
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Misuse(`options are given as {key: value}; ${listed}`);
  const odd = Object.keys(value).find((key) => !keys.includes(key));
  if (odd !== undefined) throw new Misuse(`there is no option ${odd.slice(0, 100)}; ${listed}`);
  return value as Given<Table>;
}

/** A ref as it is, or the clients that are meant. */
export function oneOrMeant(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const meant = whom(fields(value, LIVE_OPTIONS), Date.now());
  if (Object.keys(meant).length === 0)
    throw new Misuse(`say which clients are meant, by ${Object.keys(LIVE_OPTIONS).join(', ')}`);
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
