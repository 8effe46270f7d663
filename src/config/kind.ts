import type { Place, Report } from './config-error.ts';
import { asBoolean, isBlank, isNull, type Scalar, type Value } from './value.ts';

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

/** A kind that quotes turn into a text, which it is not. */
export function plainKind<T>(expected: string, parse: (scalar: Scalar) => T | undefined): Kind<T> {
  return textKind(expected, (_, scalar) => {
    if (!scalar.quoted) return parse(scalar);
    const bare = parse({ ...scalar, quoted: false });
    return bare === undefined ? undefined : new Refusal(`${expected}, without quotes`);
  });
}

export function orNull<T>(kind: Kind<T>): Kind<T | null> {
  const expected = `${kind.expected}, or null`;
  return {
    ...kind,
    expected,
    parse(value, path, context) {
      if (kind.writing === 'secret' && isBlank(value)) {
        context.report(value.at, path, `${kind.expected}; this one comes out empty; null is for none`);
        return undefined;
      }
      if (isNull(value)) return null;
      const report: Report = (at, key, why) =>
        context.report(at, key, why === kind.expected ? expected : why);
      return kind.parse(value, path, { ...context, report });
    },
  };
}

/** False is written for null. */
export function orOff<T>(kind: Kind<T>): Kind<T | null> {
  const expected = `${kind.expected}, or false`;
  return {
    ...kind,
    expected,
    parse(value, path, context) {
      if (asBoolean(value) === false) return null;
      const report: Report = (at, key, why) =>
        context.report(at, key, why === kind.expected ? expected : why);
      return kind.parse(value, path, { ...context, report });
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
