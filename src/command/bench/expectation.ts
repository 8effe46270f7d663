import { BadUsage } from '../command.ts';

/** What may be expected, in the unit that is shown: milliseconds, messages per second, or a number. */
export interface Measured {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly 'p99.9': number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Messages published per second. */
  readonly rate: number;
  /** Deliveries per second. */
  readonly deliveries: number;
}

const TIMES = ['p50', 'p90', 'p99', 'p99.9', 'max', 'mean'] as const;
const RATES = ['rate', 'deliveries'] as const;
const UNITS = new Map([
  ['us', 0.001],
  ['µs', 0.001],
  ['ms', 1],
  ['s', 1000],
]);

/** One `--expect`, such as `p99<20ms`. */
export interface Expectation {
  readonly text: string;
  readonly of: keyof Measured;
  /** Whether it has come true; what was not measured has not. */
  holds(value: number | null): boolean;
}

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

export function expectationIn(text: string): Expectation {
  const [, name = '', operator = '', number = '', unit = ''] =
    /^\s*([a-z0-9.]+)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*([a-zµ/]*)\s*$/.exec(text) ?? [];
  const compare = COMPARE[operator];
  const time = TIMES.find((one) => one === name);
  const rate = RATES.find((one) => one === name);
  const factor = time === undefined ? (rate === undefined ? undefined : rateFactor(unit)) : UNITS.get(unit);
  const of = time ?? rate;
  if (compare === undefined || of === undefined || factor === undefined) {
    throw new BadUsage(
      `--expect takes a comparison such as 'p99<20ms' or 'rate>=10000': ${TIMES.join(', ')} with us, ms or s; ${RATES.join(', ')} per second`,
    );
  }
  const bound = Number(number) * factor;
  return { text: text.trim(), of, holds: (value) => value !== null && compare(value, bound) };
}

function rateFactor(unit: string): number | undefined {
  return unit === '' || unit === '/s' ? 1 : unit === 'k' || unit === 'k/s' ? 1000 : undefined;
}
