import test from 'ava';
import { TokenBucket } from '../../src/connection/token-bucket.ts';

test("a second's worth may be taken at once, and no more", (t) => {
  const bucket = new TokenBucket(3, 0);
  t.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)], [true, true, true, false]);
});

test('tokens come back with time, up to a second’s worth', (t) => {
  const bucket = new TokenBucket(4, 0);
  for (let n = 0; n < 4; n++) bucket.take(0);
  t.is(bucket.wait(0), 250);
  t.false(bucket.take(249));
  t.is(bucket.wait(250), 0);
  t.true(bucket.take(250));
  t.false(bucket.isFull(1249));
  t.true(bucket.isFull(1250));
  let taken = 0;
  while (bucket.take(60_000)) taken++;
  t.is(taken, 4);
});

test('a lower rate leaves no more than a second’s worth of it, a higher one leaves what there is', (t) => {
  const bucket = new TokenBucket(100, 0);
  bucket.change(2, 0);
  t.deepEqual([bucket.take(0), bucket.take(0), bucket.take(0)], [true, true, false]);
  t.true(bucket.take(500));
  bucket.change(10, 500);
  t.false(bucket.take(500));
  t.is(bucket.wait(500), 100);
});

test('what was gained before the rate changed was gained at the rate of then', (t) => {
  const bucket = new TokenBucket(4, 0);
  for (let n = 0; n < 4; n++) bucket.take(0);
  bucket.change(1000, 250);
  t.deepEqual([bucket.take(250), bucket.take(250)], [true, false]);
});
