import test from 'ava';
import { Ring } from '../../src/view/ring.ts';

test('a ring keeps as many as its limit, and one more takes the place of the oldest', (t) => {
  const ring = new Ring<number>(3);
  t.deepEqual(ring.last(5), []);
  for (const item of [1, 2, 3]) ring.push(item);
  t.deepEqual(ring.last(5), [1, 2, 3]);
  ring.push(4);
  t.deepEqual(ring.last(5), [2, 3, 4]);
  t.deepEqual(ring.last(2), [3, 4]);
  t.deepEqual([...ring.newest()], [4, 3, 2]);
  for (const item of [5, 6, 7, 8]) ring.push(item);
  t.deepEqual(ring.last(3), [6, 7, 8]);
  t.is(ring.last(4).length, 3);
});
