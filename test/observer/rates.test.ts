import test from 'ava';
import { Rates } from '../../src/observer/rates.ts';

test('a rate is the difference of two looks, per second', (t) => {
  const rates = new Rates();
  rates.begin(1000);
  rates.note(1, 10, 0, 100);
  rates.end();
  t.is(rates.of(1).handledRate, null);
  rates.begin(3000);
  rates.note(1, 40, 2, 100);
  rates.note(2, 7, 0, 0);
  rates.end();
  t.deepEqual({ ...rates.of(1) }.handledRate, 15);
  t.is(rates.of(1).trafficRate, 1);
  t.is(rates.of(1).deliveryRate, 0);
  t.is(rates.of(2).handledRate, null, 'it was not there before');
  rates.begin(4000);
  rates.note(2, 8, 0, 0);
  rates.end();
  t.is(rates.of(1).handledRate, null, 'it is there no more');
  t.is(rates.of(2).handledRate, 1);
  rates.clear();
  rates.begin(5000);
  rates.note(2, 80, 0, 0);
  t.is(rates.of(2).handledRate, null, 'after a pause it begins anew');
  t.is(rates.of(undefined).handledRate, null);
});
