import { Refusal } from '../../view/node-view.ts';

/** The fields of an operation's options; anything else than a plain object has none. */
export function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new Refusal('options are given as { key: value }');
  return value as Readonly<Record<string, unknown>>;
}

/** A whole number from 1 to `most`. */
export function count(value: unknown, name: string, fallback: number, most: number): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Refusal(`${name} is a whole number from 1 to ${most}`);
}

/** One of some words. */
export function word<T extends string>(value: unknown, name: string, words: readonly T[], fallback: T): T {
  if (value === undefined || value === null) return fallback;
  const found = words.find((one) => one === value);
  if (found === undefined) throw new Refusal(`${name} is one of ${words.join(', ')}`);
  return found;
}
