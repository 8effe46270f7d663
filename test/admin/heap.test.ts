import { once } from 'node:events';
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { longLivedHeap, youngByFlags } from '../../src/admin/watchdog.ts';

const MIB = 1024 * 1024;

test('the young generation is what flags say, or left to V8', (t) => {
  t.is(youngByFlags([], 512 * MIB), undefined);
  t.is(youngByFlags(['--max-old-space-size=512'], 512 * MIB), undefined);
  t.is(youngByFlags(['--enable-source-maps', '--max-semi-space-size=64'], 512 * MIB), 192 * MIB);
  t.is(youngByFlags(['--max_semi_space_size=64', '--max-semi-space-size=1'], 512 * MIB), 3 * MIB);
  t.is(youngByFlags(['--max-heap-size=512'], 512 * MIB), 32 * MIB);
  t.is(youngByFlags(['--max-heap-size=512', '--max-semi-space-size=1'], 512 * MIB), 3 * MIB);
});

test('what is kept for longer is less than the whole heap, and so is its limit', async (t) => {
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
  t.teardown(() => worker.terminate());
  await once(worker, 'online');
  const young = worker.resourceLimits?.maxYoungGenerationSizeMb;
  t.true(Number(young) > 0, 'V8 says what it would choose');
  const { used, limit } = longLivedHeap(young);
  const whole = getHeapStatistics();
  t.true(used > 0 && used <= whole.used_heap_size);
  t.is(limit, whole.heap_size_limit - Number(young) * MIB);
  for (const unknown of [undefined, -1]) t.is(longLivedHeap(unknown).limit, whole.heap_size_limit);
});
