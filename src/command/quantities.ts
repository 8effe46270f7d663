import { BadUsage } from './command.ts';

/** What stands behind an option, read as a quantity. Each throws `BadUsage`, which names the option. */

/** A whole number from `least` on. */
export function countIn(option: string, text: string, least = 1): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= least) return count;
  throw new BadUsage(`${option} takes a whole number from ${least} on`);
}

const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, '': 1000, s: 1000, m: 60_000, h: 3_600_000 };
/** A timer of Node's fires at once when its delay does not fit 31 bits. */
const LONGEST = 2 ** 31 - 1;

/** Milliseconds: a number of seconds, or one with its unit, such as `500ms`. */
export function timeIn(option: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?) ?(ms|s|m|h|)$/.exec(text) ?? [];
  const time = Number(number) * (TIME_UNITS[unit] as number);
  if (number !== '' && time <= LONGEST) return time;
  throw new BadUsage(`${option} takes seconds, or a time such as 500ms, 10s or 2m, of at most 24 days`);
}

const RATE_UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600 };

/** Messages per second: `100`, `100/s`, `2.5k/s`, `30/m`. */
export function rateIn(option: string, text: string): number {
  const [, number = '', thousands, unit = ''] =
    /^(\d{1,9}(?:\.\d{1,6})?)(k)?(?:\/(s|m|h))?$/i.exec(text) ?? [];
  const rate =
    (Number(number) * (thousands === undefined ? 1 : 1000)) / (RATE_UNITS[unit.toLowerCase()] as number);
  if (number !== '' && rate > 0) return rate;
  throw new BadUsage(`${option} takes a number of messages, such as 100/s or 30/m`);
}

const SIZE_UNITS = new Map([
  ['', 1],
  ['b', 1],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['kb', 1000],
  ['mb', 1000 ** 2],
]);

/** Bytes: a number, or one with its unit, such as `1KiB`. */
export function sizeIn(option: string, text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9}) ?([a-z]*)$/i.exec(text) ?? [];
  const factor = SIZE_UNITS.get(unit.toLowerCase());
  if (number !== '' && factor !== undefined) return Number(number) * factor;
  throw new BadUsage(`${option} takes bytes, or a size such as 4KiB`);
}

/** One of some words. */
export function wordIn<const T extends string>(option: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new BadUsage(`${option} is one of ${words.join(', ')}`);
}
