import test from 'ava';
import { growth } from './slope.ts';

const series = (values: readonly number[]) => values.map((value, index) => ({ at: index / 60, value }));

test('a straight line has its slope, and grows', (t) => {
  const { perHour, grows } = growth(series(Array.from({ length: 60 }, (_, i) => 100 + i)));
  t.true(Math.abs(perHour - 60) < 1e-6);
  t.true(grows);
});

test('what wobbles about a level does not grow', (t) => {
  t.false(growth(series(Array.from({ length: 60 }, (_, i) => 100 + (i % 7) * 10))).grows);
  t.false(growth(series(Array.from({ length: 60 }, () => 5))).grows);
  t.false(growth(series([])).grows);
});
