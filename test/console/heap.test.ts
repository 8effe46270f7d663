import { getHeapStatistics } from 'node:v8';
import test from 'ava';
import { longLivedHeap, youngGeneration } from '../../src/console/heap.ts';

const MIB = 1024 * 1024;

test('the young generation has three times the size of a semi-space', (t) => {
  t.is(youngGeneration([]), 48 * MIB);
  t.is(youngGeneration(['--enable-source-maps', '--max-semi-space-size=64']), 192 * MIB);
  t.is(youngGeneration(['--max_semi_space_size=64', '--max-semi-space-size=1']), 3 * MIB);
});

test('what is kept for longer is less than the whole heap, and so is its limit', (t) => {
  const { used, limit } = longLivedHeap();
  const whole = getHeapStatistics();
  t.true(used > 0 && used <= whole.used_heap_size);
  t.true(limit < whole.heap_size_limit && limit > whole.heap_size_limit / 4);
});
