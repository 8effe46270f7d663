import { asBoolean, isBlank, isNull, type Place, type Report, type Scalar, type Value } from './value.ts';

/** What readers write down on their way: faults, and the place of each value that counts. */
export interface Context {
  readonly report: Report;
  /** By path; absent: the default stands. */
  readonly places: Map<string, Place>;
  /** Paths whose values were refused, so that rules over several keys do not judge the defaults in their place. */
  readonly failed: Set<string>;
}

/**
 * How a flag or a variable writes a value that is not YAML there. text: as it is, since quotes, `#` and line ends may be
 * part of it. secret: the same, and what comes out empty is a mistake, not none. words: with commas between them.
 */
export type Writing = 'text' | 'secret' | 'words';

/** The kind of value that a key takes. */
export interface Kind<T> {
  /** Absent: YAML everywhere. */
  readonly writing?: Writing;
  /** Of a number: milliseconds or bytes. Absent: it counts, or is no number. */
  readonly unit?: 'time' | 'size';
  /** What stands in an error: `a port from 0 to 65535`. */
  readonly expected: string;
  /** The value, or undefined after a report. */
  parse(value: Value, path: string, context: Context): T | undefined;
}

/** The reason why a text is refused, where a kind has a better one than what it expects. */
export class Refusal {
  readonly expected: string;
  constructor(expected: string) {
    this.expected = expected;
  }
}

/** A kind that is written as one word or text; `parse` answers undefined to refuse it. */
export function textKind<T>(
  expected: string,
  parse: (text: string, scalar: Scalar) => T | Refusal | undefined,
): Kind<T> {
  return {
    expected,
    parse(value, path, { report }) {
      const parsed = value.kind === 'scalar' && !isNull(value) ? parse(value.text, value) : undefined;
      if (parsed !== undefined && !(parsed instanceof Refusal)) return parsed;
      report(value.at, path, parsed instanceof Refusal ? parsed.expected : expected);
      return undefined;
    },
  };
}

/** The same kind, with a way to write it in flags and variables. */
export function writtenAs<T>(writing: Writing, kind: Kind<T>): Kind<T> {
  return { ...kind, writing };
}

/** A kind, such as a number, whose value must not stand in quotes: those make a text of it. */
export function plainKind<T>(expected: string, parse: (scalar: Scalar) => T | undefined): Kind<T> {
  return textKind(expected, (_, scalar) => {
    if (!scalar.quoted) return parse(scalar);
    const bare = parse({ ...scalar, quoted: false });
    return bare === undefined ? undefined : new Refusal(`${expected}, without quotes`);
  });
}

export function orNull<T>(kind: Kind<T>): Kind<T | null> {
  const { parse, ...relaxed } = orElse(kind, 'null', isNull);
  return {
    ...relaxed,
    parse(value, path, context) {
      if (kind.writing !== 'secret' || !isBlank(value)) return parse(value, path, context);
      context.report(value.at, path, `${kind.expected}; this one comes out empty; null is for none`);
      return undefined;
    },
  };
}

/** False is written for null. */
export function orOff<T>(kind: Kind<T>): Kind<T | null> {
  return orElse(kind, 'false', (value) => asBoolean(value) === false);
}

function orElse<T>(kind: Kind<T>, word: string, isNone: (value: Value) => boolean): Kind<T | null> {
  const expected = `${kind.expected}, or ${word}`;
  return {
    ...kind,
    expected,
    parse(value, path, context) {
      if (isNone(value)) return null;
      const report: Report = (at, key, why) =>
        context.report(at, key, why === kind.expected ? expected : why);
      return kind.parse(value, path, { ...context, report });
    },
  };
}

/** A kind with some of another kind's values. `otherwise`: what is expected where a value is not among them. */
export function bounded<T>(
  kind: Kind<T>,
  expected: string,
  isGood: (value: T) => boolean,
  otherwise = expected,
): Kind<T> {
  return {
    ...kind,
    expected,
    parse(value, path, context) {
      const parsed = kind.parse(value, path, context);
      if (parsed === undefined || isGood(parsed)) return parsed;
      context.report(value.at, path, otherwise);
      return undefined;
    },
  };
}

/** Words, all of one kind: a list of them, or one alone. */
export function wordsOf<T>(expected: string, kind: Kind<T>): Kind<readonly T[]> {
  const list = listOf(expected, kind);
  return {
    expected,
    writing: 'words',
    parse(value, path, context) {
      if (value.kind !== 'scalar' || isNull(value)) return list.parse(value, path, context);
      const one = kind.parse(value, path, context);
      return one === undefined ? undefined : [one];
    },
  };
}

/** A list, all of one kind; nothing after the colon is an empty one. */
export function listOf<T>(expected: string, kind: Kind<T>): Kind<readonly T[]> {
  return {
    expected,
    parse(value, path, context) {
      if (isNull(value)) return [];
      if (value.kind !== 'list') {
        context.report(value.at, path, expected);
        return undefined;
      }
      const items = value.items.map((item, index) => kind.parse(item, `${path}[${index}]`, context));
      return items.every((item) => item !== undefined) ? items : undefined;
    },
  };
}

/**
 * The candidate that `word` was most likely meant to be, or undefined when none is near. One slip (a missing, extra,
 * wrong or swapped letter) is near in a word of any length, and one more for every three letters.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(Math.min(word.length, 60) / 3));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    // The distance is at least the difference in length; this also bounds the work on a monstrous word.
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
