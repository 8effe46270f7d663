import test from 'ava';
import fc from 'fast-check';
import { Sequence } from '../../../src/command/bench/sequence.ts';

test('what was passed over and never comes is lost, and so is what is missing at the end', (t) => {
  const got = new Sequence();
  for (const number of [0, 1, 3, 4, 7]) got.take(number);
  t.is(got.lost(8), 3);
  t.is(got.lost(10), 5);
  t.like(got, { received: 5, doubles: 0, late: 0 });
});

test('one that comes after a later one is late and not lost; one that comes again is a double', (t) => {
  const got = new Sequence();
  t.deepEqual(
    [0, 2, 1, 1, 2].map((number) => got.take(number)),
    ['new', 'new', 'late', 'double', 'double'],
  );
  t.like(got, { received: 3, doubles: 2, late: 1 });
  t.is(got.lost(3), 0);
});

test('without any message all are lost, and nothing is lost of nothing', (t) => {
  t.is(new Sequence().lost(4), 4);
  t.is(new Sequence().lost(0), 0);
});

test('whatever comes in whatever order: received and lost are all that was sent, and each repetition is a double', (t) => {
  const arrivals = fc.array(fc.nat(30), { maxLength: 60 });
  fc.assert(
    fc.property(arrivals, (numbers) => {
      const got = new Sequence();
      for (const number of numbers) got.take(number);
      const distinct = new Set(numbers);
      return (
        got.received === distinct.size &&
        got.doubles === numbers.length - distinct.size &&
        got.lost(31) === 31 - distinct.size &&
        got.late === lateOnes(numbers)
      );
    }),
  );
  t.pass();
});

/** First arrivals that come after a higher number. */
function lateOnes(numbers: readonly number[]): number {
  return numbers.filter(
    (number, index) =>
      numbers.indexOf(number) === index && numbers.slice(0, index).some((earlier) => earlier > number),
  ).length;
}
