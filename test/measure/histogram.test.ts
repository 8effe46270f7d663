import test from 'ava';
import { Histogram, quantile } from '../../src/measure/histogram.ts';

test('an observation is counted in the first bucket that it is not above', (t) => {
  const histogram = new Histogram([1, 10]);
  for (const value of [0.5, 1, 1.001, 10, 10.001, 1e9]) histogram.observe(value);
  t.deepEqual(histogram.counts, [2, 2, 2]);
  t.is(histogram.count, 6);
});

test('a quantile lies in its bucket, and above the last bound is that bound', (t) => {
  t.is(quantile([1, 10], [0, 0, 0], 0.5), null);
  t.is(quantile([1, 10], [10, 0, 0], 0.5), 0.5);
  t.is(quantile([1, 10], [1, 1, 0], 1), 10);
  t.is(quantile([1, 10], [0, 0, 5], 0.5), 10);
});
