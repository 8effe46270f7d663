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
const NEVER = Number.POSITIVE_INFINITY;
const many = (count: number) => Array.from({ length: count }, (_, index) => standing(index));

/** One in rounds; the first begins with the time. */
const rounds = (rate: number, every = 500) => new Review<never>({ every, rate }, -every);

test('after a change all are asked about, so many at a time', (t) => {
  const review = new Review<never>(undefined, 0);
  review.changed();
  review.begin(many(100), 0);
  t.is(review.take(0).length, 64);
  t.is(review.take(0).length, 0);
  t.false(review.waiting);
  review.done();
  t.true(review.waiting);
  t.is(review.take(0).length, 1);
  t.is(review.changes, 1);
  t.is(review.dueAt(true), NEVER);
});

test('all that got no answer is asked about again, however much it is', (t) => {
  const review = new Review<never>(undefined, 0);
  for (const each of many(200_000)) review.failed(each, 0);
  review.begin([], 1000);
  t.is(review.take(1000).length, 64);
});

test('at a rate, a tenth of a second’s come together, and the others as time goes by', (t) => {
  const review = rounds(100, 100_000);
  review.begin(many(30), 1000);
  t.is(review.take(1000).length, 10);
  t.is(review.dueAt(true), 1020);
  t.false(review.waiting);
  t.is(review.take(1009).length, 0);
  t.is(review.take(1020).length, 2);
  t.is(review.take(1120).length, 10);
  t.is(review.take(9999).length, 8);
  t.is(review.dueAt(true), NEVER, 'they are under way');
});

test('who rates one in ten seconds asks one in ten seconds', (t) => {
  const review = rounds(0.1, 100_000);
  review.begin(many(2), 20_000);
  t.is(review.take(20_000).length, 1);
  t.is(review.dueAt(true), 30_000);
  t.is(review.take(29_999).length, 0);
  t.is(review.take(30_000).length, 1);
});

test('what got no answer is asked again a second later, and once only when a round begins before', (t) => {
  const review = rounds(NEVER, 1000);
  review.begin(many(2), 500);
  for (const each of review.take(500)) {
    review.done();
    review.failed(each, 600);
  }
  t.is(review.dueAt(false), 1600);
  review.begin(many(2), 1499);
  t.is(review.take(1499).length, 0);
  review.begin(many(2), 1500);
  t.is(review.take(1500).length, 2);
  t.is(review.dueAt(false), NEVER);
});

test('what got no answer is asked again though nothing has changed', (t) => {
  const review = new Review<never>(undefined, 0);
  review.failed(standing(1), 0);
  review.begin([], 999);
  t.is(review.take(999).length, 0);
  review.begin([], 1000);
  t.is(review.take(1000).length, 1);
});

test('a round begins when its time has come and the one before is over, and not where nothing stands', (t) => {
  const review = new Review<never>({ every: 500, rate: NEVER }, 0);
  review.stands(100);
  t.is(review.dueAt(true), 600);
  t.is(review.dueAt(false), NEVER);
  review.begin(many(1), 599);
  t.is(review.take(599).length, 0);
  review.begin(many(1), 600);
  t.is(review.take(600).length, 1);
  t.is(review.dueAt(true), NEVER);
  review.begin(many(1), 1100);
  t.is(review.take(1100).length, 0, 'the first round is not over');
  review.done();
  review.begin(many(1), 1200);
  t.is(review.take(1200).length, 1);
  review.done();
  t.is(review.dueAt(true), 1700);
});
