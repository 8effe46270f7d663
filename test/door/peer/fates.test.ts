import test from 'ava';
import fc from 'fast-check';
import { Fates } from '../../../src/door/peer/fates.ts';

test('what becomes of messages is told once, in the order of their numbers, whatever the order in which it is known', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }).chain((results) =>
        fc.record({
          results: fc.constant(results),
          order: fc.shuffledSubarray(
            results.map((_, i) => i),
            { minLength: results.length },
          ),
          telling: fc.array(fc.boolean(), { minLength: results.length, maxLength: results.length }),
        }),
      ),
      ({ results, order, telling }) => {
        const fates = new Fates();
        t.is(fates.take(results.length), 1);
        const known = new Set<number>();
        const failed: number[] = [];
        for (const [step, index] of order.entries()) {
          fates.settle(index + 1, results[index] as boolean);
          // What is settled stays as it is.
          fates.settle(index + 1, !results[index]);
          known.add(index);
          const prefix = results.findIndex((_, i) => !known.has(i));
          t.is(fates.areOpen, prefix !== -1);
          if (!telling[step] && step < order.length - 1) continue;
          const fate = fates.tell();
          if (fate === null) continue;
          t.is(fate.count, prefix === -1 ? results.length : prefix);
          failed.push(...fate.failed);
          t.is(fates.tell(), null);
        }
        t.deepEqual(
          failed,
          results.flatMap((isDone, i) => (isDone ? [] : [i + 1])),
        );
      },
    ),
  );
});

test('numbers go on, what was never taken is not settled, and what nobody will hear of has failed', (t) => {
  const fates = new Fates();
  t.is(fates.take(2), 1);
  t.is(fates.take(3), 3);
  t.is(fates.taken, 5);
  fates.settle(6, true);
  fates.settle(1, true);
  fates.settle(3, true);
  t.deepEqual(fates.tell(), { count: 1, failed: [] });
  fates.giveUp();
  t.false(fates.areOpen);
  t.deepEqual(fates.tell(), { count: 5, failed: [2, 4, 5] });
});
