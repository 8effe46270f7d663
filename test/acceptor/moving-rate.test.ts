import test from 'ava';
import { look, type MovingRate, still, TICK } from '../../src/acceptor/moving-rate.ts';

/** The rate after `seconds` in which the counter grows by `perSecond`. */
function after(from: MovingRate, seconds: number, perSecond: number): MovingRate {
  let rate = from;
  for (let i = 0; i < seconds / TICK; i++) rate = look(rate, rate.count + perSecond * TICK);
  return rate;
}

test('nothing stays nothing', (t) => {
  t.is(after(still, 600, 0).rate, 0);
});

test('the first look sets the rate', (t) => {
  t.is(look(still, 10 * TICK).rate, 10);
});

test('a steady counter keeps a steady rate', (t) => {
  t.true(Math.abs(after(still, 3600, 7).rate - 7) < 1e-9);
});

test('after five minutes of silence 1/e of the rate is left', (t) => {
  const quiet = after(after(still, 600, 100), 300, 0);
  t.true(Math.abs(quiet.rate - 100 / Math.E) < 0.01);
});

test('it rises as it falls', (t) => {
  const started = look(still, 0);
  t.true(Math.abs(after(started, 300, 100).rate - 100 * (1 - 1 / Math.E)) < 0.01);
});
