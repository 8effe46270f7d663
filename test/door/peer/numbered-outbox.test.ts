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

test('the lag is how old the oldest number was that had not come, when the other side told', (t) => {
  const progress = new Progress(3000);
  t.is(progress.lag(1000), 0);
  progress.sent(0, 0);
  t.is(progress.lag(1000), 0, 'nothing was sent');
  progress.sent(5, 1000);
  progress.sent(5, 1100);
  progress.sent(9, 1500);
  t.is(progress.lag(1900), 0, 'nothing is known of it yet');
  progress.confirmed(4, 2000);
  t.is(progress.lag(2900), 1000, 'one is missing');
  progress.confirmed(5, 3000);
  t.is(progress.lag(3900), 1500);
  progress.confirmed(9, 4000);
  t.is(progress.lag(4900), 0);
  progress.sent(9, 4950);
  t.is(progress.lag(8900), 0, 'what was confirmed is not noted again');
});

test('steady traffic that comes at once has no lag, whenever the other side tells of it', (t) => {
  const progress = new Progress(3000);
  for (let now = 1; now <= 5000; now++) {
    progress.sent(now, now);
    // A millisecond under way.
    if (now % 1000 === 0) progress.confirmed(now - 1, now);
    t.true(progress.lag(now) <= 21, `${now}: ${progress.lag(now)}`);
  }
});

test('a side that tells nothing for too long is as far behind as the oldest number is old', (t) => {
  const progress = new Progress(3000);
  progress.confirmed(0, 1000);
  progress.sent(1, 1500);
  t.is(progress.lag(4500), 0);
  t.is(progress.lag(4501), 3001);
});
