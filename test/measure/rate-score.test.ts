import test from 'ava';
import { rateScore } from '../../src/measure/rate-score.ts';

test('a topic that is held back comes before any rate, the one with most messages waiting first', (t) => {
  t.true((rateScore(0, 1, 1) ?? 0) > 1e9);
  t.true((rateScore(0, 2, 1) ?? 0) > (rateScore(5, 1, 9) ?? 0));
});

test('where nothing waits, or nobody is waited for, it is the rate', (t) => {
  t.is(rateScore(7, 0, 1), 7);
  t.is(rateScore(7, 1, 0), 7);
  t.is(rateScore(null, 0, 0), null);
});
