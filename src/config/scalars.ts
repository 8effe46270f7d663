import { bounded, type Kind, nearest, plainKind, Refusal, textKind, writtenAs } from './kind.ts';
import { asBoolean } from './value.ts';

/** True or false; also yes, no, on and off, as pusud reads them. */
export const flag: Kind<boolean> = plainKind('true or false', asBoolean);

/** `expected` says what the number is for and its range. */
export function wholeNumber(expected: string, lowest: number, highest: number): Kind<number> {
  return plainKind(expected, ({ text }) => {
    const number = digits(text);
    return number !== undefined && number >= lowest && number <= highest ? number : undefined;
  });
}

const mostCounted = 1_000_000_000;

export const count = wholeNumber(`a whole number from 0 (none) to ${mostCounted}`, 0, mostCounted);

const sizeUnits = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1000],
  ['mb', 1000 ** 2],
  ['gb', 1000 ** 3],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['gib', 1024 ** 3],
]);

/** Bytes. */
export const size: Kind<number> = {
  ...textKind(
    'a size such as 64KiB (B, KiB, MiB, GiB, kB, MB, GB, or a plain number of bytes; 0: none)',
    (text) => {
      const [number, unit] = withUnit(text, sizeUnits);
      if (number === undefined || unit === undefined) return undefined;
      return number * unit <= 1024 ** 3 ? number * unit : new Refusal('a size of at most 1GiB');
    },
  ),
  unit: 'size',
};

/** Bytes of the head of a request: each connection may hold as many before anything is known of it. */
export const headSize = bounded(
  size,
  'a size from 4KiB to 1MiB',
  (bytes) => bytes >= 4096 && bytes <= 1024 ** 2,
);

/** Bytes of a topic's messages that are kept. */
export const historySize = bounded(size, 'a size from 1KiB to 1GiB', (bytes) => bytes >= 1024);

/** Bytes that one resume may replay, or that all histories may have: what is sent in one portion at least. */
export const historyShare = bounded(size, 'a size from 64KiB to 1GiB', (bytes) => bytes >= 64 * 1024);

/** Messages of a topic that are kept. */
export const historyCount = wholeNumber('a whole number from 1 to 1000000', 1, 1_000_000);

const timeUnits = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

// A timer of Node's fires at once when its delay does not fit 31 bits.
const longestHours = 596;

/** Milliseconds. */
export const time: Kind<number> = {
  ...textKind('a time such as 10s (ms, s, m, h; 0: none)', (text) => {
    const [number, unit] = withUnit(text, timeUnits);
    if (number === 0 && text === '0') return 0;
    if (number !== undefined && /\d$/.test(text)) {
      return new Refusal(`a time with its unit: ${text}ms, ${text}s, ${text}m or ${text}h`);
    }
    if (number === undefined || unit === undefined) return undefined;
    const milliseconds = number * unit;
    return milliseconds <= longestHours * 3_600_000
      ? milliseconds
      : new Refusal(`a time of at most ${longestHours}h`);
  }),
  unit: 'time',
};

/** Milliseconds, and not none: something happens every so often. */
export const period = bounded(
  time,
  'a time such as 10s (ms, s, m, h), at least 10ms',
  (milliseconds) => milliseconds >= 10,
);

/** Milliseconds that somebody may take: there is no waiting without end. */
export const timeLimit = bounded(
  time,
  'a time such as 2s (ms, s, m)',
  (milliseconds) => milliseconds > 0 && milliseconds <= 60_000,
  'a time from 1ms to 1m',
);

/** Milliseconds by which clocks may differ; a token that has expired holds for so long. */
export const leeway = bounded(
  time,
  time.expected,
  (milliseconds) => milliseconds <= 600_000,
  'a time of at most 10m',
);

/** Milliseconds that messages are kept: looked at about once a second. */
export const historyAge = bounded(time, 'a time from 1s to 596h', (milliseconds) => milliseconds >= 1000);

export function oneOf<const T extends string>(names: readonly T[]): Kind<T> {
  const expected = `one of ${names.join(', ')}`;
  return textKind(expected, (text) => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    const near = nearest(text, names);
    return near === undefined ? undefined : new Refusal(`${expected}; did you mean "${near}"?`);
  });
}

export const anyText = (expected: string) =>
  writtenAs(
    'text',
    textKind(expected, (text) => (text === '' ? undefined : text)),
  );

/** A text that `pattern` matches as a whole. */
export function matching(expected: string, pattern: RegExp): Kind<string> {
  return textKind(expected, (text) => (pattern.test(text) ? text : undefined));
}

export const name = matching(
  'a name of at most 64 letters, digits, dots, dashes and underscores',
  /^[A-Za-z0-9_][\w.-]{0,63}$/,
);

/** A relay's name is also the name of a folder. */
export const nodeName = matching(
  'a name of at most 255 letters, digits, dots, dashes and underscores',
  /^[A-Za-z0-9_][\w.-]{0,254}$/,
);

/** What subjects of NATS begin with: tokens of plain characters between dots. */
export const subjectPrefix = matching(
  'a prefix of at most 64 letters, digits, dashes, underscores and dots, with none first or last',
  /^(?=.{1,64}$)[\w-]+(\.[\w-]+)*$/,
);

/** RFC 6265, section 4.1.1. */
export const cookieName = matching('the name of a cookie', /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/);

export const filePath: Kind<string> = writtenAs(
  'text',
  textKind('the path of a file', (text) => {
    if (text === '' || text.includes('\0')) return undefined;
    return whyNoPath(text) ?? text;
  }),
);

/** A file's content, or its URL, in place of its path. */
export function whyNoPath(text: string): Refusal | undefined {
  if (/-----BEGIN |[\r\n]/.test(text)) return new Refusal('the path of a file, and not what is in it');
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return new Refusal('the path of a file, and no URL');
  return /^(["']).*\1$/.test(text) ? new Refusal('the path of a file, without quotes around it') : undefined;
}

/** A whole number in decimal digits, without a leading zero (YAML 1.1 reads 010 as 8, YAML 1.2 as 10). */
function digits(text: string): number | undefined {
  return /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined;
}

function withUnit(
  text: string,
  units: ReadonlyMap<string, number>,
): [number | undefined, number | undefined] {
  const [, number, unit] = /^(\d+) ?([A-Za-z]*)$/.exec(text) ?? [];
  return [digits(number ?? ''), units.get((unit ?? '').toLowerCase())];
}
