import test from 'ava';
import fc from 'fast-check';
import { NumberedOutbox, Progress } from '../../../src/door/peer/numbered-outbox.ts';

type Act =
  | { readonly push: number; readonly epoch: number }
  | { readonly drop: number }
  | 'take'
  | 'arrived'
  | 'clear';

const acts: fc.Arbitrary<readonly Act[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 4 }), epoch: fc.nat({ max: 1 }) }) },
    fc.record({ drop: fc.integer({ min: 1, max: 4 }) }),
    fc.constantFrom('take' as const, 'arrived' as const, 'clear' as const),
  ),
);

test('every number is taken, dropped or waiting; a frame has no gap, one epoch, and keeps its size', (t) => {
  fc.assert(
    fc.property(acts, (script) => {
      const outbox = new NumberedOutbox();
      const gone = new Set<number>();
      let [last, next, inFlight, arrived] = [0, 0, 0, 0];
      let waiting: number[] = [];
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
            inFlight += one.count;
          }
          waiting = waiting.filter((number) => number > last);
        } else if (act === 'arrived') {
          t.is(outbox.arrived(), inFlight);
          arrived += inFlight;
          inFlight = 0;
        } else if (act === 'clear') {
          t.is(outbox.clear(), waiting.length + inFlight);
          for (const number of waiting) gone.add(number);
          waiting = [];
          inFlight = 0;
        } else if ('drop' in act) {
          for (let i = 1; i <= act.drop; i++) gone.add(next + i);
          outbox.drop(act.drop, 'overflow');
          next += act.drop;
        } else {
          outbox.push(Buffer.alloc(act.push * 30), act.push, act.epoch);
          for (let i = 1; i <= act.push; i++) waiting.push(next + i);
          next += act.push;
        }
        t.is(outbox.last, next);
        t.true(outbox.settled >= last && outbox.settled <= next);
        const { overflow, unlinked } = outbox.dropped;
        t.is(arrived + overflow + unlinked + waiting.length + inFlight, next, 'each number is counted once');
      }
      outbox.clear();
      t.is(outbox.bytes, 0);
    }),
  );
});

test('a delivery larger than a frame goes alone', (t) => {
  const outbox = new NumberedOutbox();
  outbox.resume(7, 7);
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

test('the lag is the age of the oldest number that has not been confirmed', (t) => {
  const progress = new Progress();
  t.is(progress.lag(1000), 0);
  progress.sent(0, 0);
  t.is(progress.lag(1000), 0, 'nothing was sent');
  progress.sent(5, 1000);
  progress.sent(5, 2000);
  progress.sent(9, 3000);
  t.is(progress.lag(3500), 2500);
  progress.confirmed(4);
  t.is(progress.lag(3500), 2500, 'one is missing');
  progress.confirmed(5);
  t.is(progress.lag(3500), 500);
  progress.confirmed(9);
  t.is(progress.lag(3500), 0);
  progress.sent(9, 4000);
  t.is(progress.lag(5000), 0, 'what was confirmed is not noted again');
});
