import test from 'ava';
import { Review } from '../../src/authenticator/review.ts';
import type { Standing } from '../../src/authenticator/standing.ts';
import type { Pid } from '../../src/otp/process.ts';
import { Hidden } from '../../src/secret/hidden.ts';

const standing = (ref: number): Standing<never> => ({
  from: {} as Pid<never>,
  ref,
  question: new Hidden({ authorization: '', door: '', address: '' }),
});
const many = (count: number) => Array.from({ length: count }, (_, index) => standing(index));

test('after a change all are asked about, so many at a time', (t) => {
  const review = new Review<never>();
  review.changed();
  review.begin(many(100), 0);
  t.is(review.take(0).length, 64);
  t.is(review.take(0).length, 0);
  t.false(review.waiting);
  review.done();
  t.true(review.waiting);
  t.is(review.take(0).length, 1);
  t.is(review.changes, 1);
});

test('all that got no answer is asked about again, however much it is', (t) => {
  const review = new Review<never>();
  for (const each of many(200_000)) review.failed(each, 0);
  review.begin([], 1000);
  t.is(review.take(1000).length, 64);
});

test('at a rate, a tenth of a second’s come together, and the others as time goes by', (t) => {
  const review = new Review<never>(100);
  review.again(many(30));
  t.is(review.take(1000).length, 10);
  t.is(review.pacedUntil, 1020);
  t.false(review.waiting);
  t.is(review.take(1009).length, 0);
  t.is(review.take(1020).length, 2);
  t.is(review.take(1120).length, 10);
  t.is(review.take(9999).length, 8);
  t.is(review.pacedUntil, null);
  t.true(review.isBusy);
});

test('who rates one in ten seconds asks one in ten seconds', (t) => {
  const review = new Review<never>(0.1);
  review.again(many(2));
  t.is(review.take(20_000).length, 1);
  t.is(review.pacedUntil, 30_000);
  t.is(review.take(29_999).length, 0);
  t.is(review.take(30_000).length, 1);
});

test('what got no answer is asked again a second later, and once only when a round begins before', (t) => {
  const review = new Review<never>();
  review.again(many(2));
  for (const each of review.take(0)) {
    review.done();
    review.failed(each, 0);
  }
  t.is(review.retryAt, 1000);
  review.begin([], 999);
  t.is(review.take(999).length, 0);
  review.begin([], 1000);
  const [first, second] = review.take(1000);
  for (const each of [first, second]) {
    review.done();
    review.failed(each as Standing<never>, 1000);
  }
  t.false(review.isBusy);
  review.again(many(2));
  t.is(review.retryAt, null);
  t.is(review.take(1000).length, 2);
});
