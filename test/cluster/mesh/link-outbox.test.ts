import test from 'ava';
import fc from 'fast-check';
import { LinkOutbox } from '../../../src/cluster/mesh/link-outbox.ts';

type Act = { readonly push: number; readonly epoch: number } | { readonly skip: number } | 'take' | 'clear';

const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 4 }), epoch: fc.nat({ max: 1 }) }) },
    fc.record({ skip: fc.integer({ min: 1, max: 4 }) }),
    fc.constantFrom('take' as const, 'clear' as const),
  ),
);

test('every number is taken, dropped or waiting; a frame has no gap, one epoch, and keeps its size', (t) => {
  fc.assert(
    fc.property(acts, (script) => {
      const outbox = new LinkOutbox(0);
      const gone = new Set<number>();
      let last = 0;
      let next = 0;
      for (const act of script) {
        if (act === 'take') {
          const frame = outbox.take(100);
          t.true(frame.length <= 1 || frame.reduce((sum, { bytes }) => sum + bytes.length, 0) <= 100);
          for (const [index, one] of frame.entries()) {
            t.true(one.first > last, 'in order');
            if (index > 0) t.is(one.first, last + 1, 'without a gap');
            t.is(one.epoch, frame[0]?.epoch ?? -1);
            for (let number = last + 1; number < one.first; number++)
              t.true(gone.has(number), 'a gap was dropped');
            last = one.first + one.count - 1;
          }
        } else if (act === 'clear') {
          for (const one of outbox.clear()) for (let i = 0; i < one.count; i++) gone.add(one.first + i);
        } else if ('skip' in act) {
          for (let i = 1; i <= act.skip; i++) gone.add(next + i);
          outbox.skip(act.skip);
          next += act.skip;
        } else {
          outbox.push(Buffer.alloc(act.push * 30), act.push, act.epoch);
          next += act.push;
        }
        t.is(outbox.last, next);
        t.true(outbox.settled >= last && outbox.settled <= next);
      }
      let left = 0;
      for (const one of outbox.clear()) left += one.bytes.length;
      t.is(outbox.bytes, 0);
      t.true(left >= 0);
    }),
  );
});

test('a delivery larger than a frame goes alone', (t) => {
  const outbox = new LinkOutbox(7);
  outbox.push(Buffer.alloc(500), 1, 0);
  outbox.push(Buffer.alloc(1), 1, 0);
  t.deepEqual(
    outbox.take(100).map(({ first }) => first),
    [8],
  );
  t.deepEqual(
    outbox.take(100).map(({ first }) => first),
    [9],
  );
  t.deepEqual(outbox.take(100), []);
});
