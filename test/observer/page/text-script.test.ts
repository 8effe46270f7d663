import { runInNewContext } from 'node:vm';
import test from 'ava';
import { textScript } from '../../../src/observer/page/text-script.ts';

type Say = (n: number) => string;
const { plural, rate, ms, bytes, about, whole, visible } = runInNewContext(
  `${textScript}; ({ plural, rate, ms, bytes, about, whole, visible })`,
) as {
  readonly plural: (n: number, one: string, many?: string) => string;
  readonly rate: Say;
  readonly ms: Say;
  readonly bytes: Say;
  readonly about: Say;
  readonly whole: Say;
  readonly visible: (text: string) => string;
};

test('one of something is no plural, and none is', (t) => {
  t.is(plural(1, 'message'), '1 message');
  t.is(plural(0, 'message'), '0 messages');
  t.is(plural(2, 'crash', 'crashes'), '2 crashes');
});

test('0 is none at all: what is only little is said to be', (t) => {
  t.is(rate(0), '0');
  t.is(rate(0.04), '< 0.1');
  t.is(rate(0.5), '0.5');
  t.is(rate(9.96), '10');
  t.is(ms(0), '0');
  t.is(ms(0.004), '< 0.01');
});

test('large numbers have groups, bytes their unit, times no zero at the end', (t) => {
  t.is(whole(1234567), '1\u2009234\u2009567');
  t.is(bytes(1536), '1.5 KiB');
  t.is(bytes(0), '0 B');
  t.is(about(600_000), '10 min');
  t.is(about(95_000), '1 min 35 s');
});

test('marks in names that turn the text round are shown', (t) => {
  t.is(visible('a\u202eb\n'), 'a\\u{202e}b\\u{a}');
});
