import test from 'ava';
import { Rates } from '../../src/console/rates.ts';

test('a rate is the difference of two looks, per second', (t) => {
  const rates = new Rates();
  rates.begin(1000);
  rates.note(1, 10);
  t.is(rates.of(1), 0);
  rates.begin(3000);
  rates.note(1, 40);
  rates.note(2, 7);
  t.is(rates.of(1), 15);
  t.is(rates.of(2), 0, 'it was not there before');
  rates.begin(4000);
  rates.note(2, 8);
  t.is(rates.of(1), 0, 'it is there no more');
  t.is(rates.of(2), 1);
});
