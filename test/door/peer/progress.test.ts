import test from 'ava';
import { Progress } from '../../../src/door/peer/progress.ts';

test('the lag is the age of the oldest number that has not been confirmed', (t) => {
  const progress = new Progress();
  t.is(progress.lag(1000), 0);
  progress.sent(0, 0);
  t.is(progress.lag(1000), 0, 'nothing was sent');
  progress.sent(5, 1000);
  progress.sent(5, 2000);
  progress.sent(9, 3000);
  t.is(progress.lag(3500), 2500);
  progress.confirmed(4);
  t.is(progress.lag(3500), 2500, 'one is missing');
  progress.confirmed(5);
  t.is(progress.lag(3500), 500);
  progress.confirmed(9);
  t.is(progress.lag(3500), 0);
  progress.sent(9, 4000);
  t.is(progress.lag(5000), 0, 'what was confirmed is not noted again');
});
