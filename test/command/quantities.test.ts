import test from 'ava';
import { BadUsage } from '../../src/command/command.ts';
import { countIn, rateIn, sizeIn, timeIn, wordIn } from '../../src/command/quantities.ts';

const refused = (
  t: import('ava').ExecutionContext,
  read: (text: string) => unknown,
  texts: readonly string[],
) => {
  for (const text of texts) t.throws(() => read(text), { instanceOf: BadUsage, message: /^--x / }, text);
};

test('counts', (t) => {
  t.is(countIn('--x', '7'), 7);
  t.is(countIn('--x', '0', 0), 0);
  refused(t, (text) => countIn('--x', text), ['0', '-1', '1.5', '', 'many', '1e3', ' 1']);
});

test('times are seconds, or have a unit', (t) => {
  const times = {
    '2': 2000,
    '0.5': 500,
    '500ms': 500,
    '10s': 10_000,
    '2m': 120_000,
    '1h': 3_600_000,
    '0': 0,
  };
  for (const [text, time] of Object.entries(times)) t.is(timeIn('--x', text), time, text);
  t.is(timeIn('--x', '2147483647ms'), 2 ** 31 - 1);
  refused(t, (text) => timeIn('--x', text), ['', '-1', '10 days', 's', '2147483648ms', '.5', '1e3']);
});

test('rates are for a second, or say for what', (t) => {
  const rates = { '100': 100, '100/s': 100, '2.5k/s': 2500, '30/m': 0.5, '3600/h': 1, '0.5': 0.5 };
  for (const [text, rate] of Object.entries(rates)) t.is(rateIn('--x', text), rate, text);
  refused(t, (text) => rateIn('--x', text), ['', '0', '-5', 'max', '5/d', '1e9']);
});

test('sizes', (t) => {
  const sizes = { '128': 128, '4KiB': 4096, '1MiB': 1048576, '1kB': 1000, '0': 0 };
  for (const [text, size] of Object.entries(sizes)) t.is(sizeIn('--x', text), size, text);
  refused(t, (text) => sizeIn('--x', text), ['', '-1', '1TB', '1.5KiB', '1constructor']);
});

test('words', (t) => {
  t.is(wordIn('--x', 'links', ['topics', 'links']), 'links');
  refused(t, (text) => wordIn('--x', text, ['topics', 'links']), ['', 'link']);
});
