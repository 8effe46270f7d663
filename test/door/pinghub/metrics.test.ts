import test from 'ava';
import { look, type MovingRate, metricsText, still, TICK } from '../../../src/door/pinghub/metrics.ts';

test('metrics are lines sorted by name, rates with three decimals', (t) => {
  const metrics = {
    channels: 1,
    websockets: 2,
    drops5m: 0,
    postmsgs5m: 0.0004,
    sends5m: 1234.5678,
    websocketmsgs5m: 0.5,
  };
  t.is(
    metricsText(metrics),
    'channels.value 1\ndrops5m.value 0.000\npostmsgs5m.value 0.000\nsends5m.value 1234.568\n' +
      'websocketmsgs5m.value 0.500\nwebsockets.value 2\n',
  );
});

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
