import test from 'ava';
import fc from 'fast-check';
import { Outbox } from '../../src/connection/outbox.ts';
import { Accounting } from '../../src/topic/accounting.ts';
import { Delivery } from '../../src/topic/message.ts';

const accounting = new Accounting();

function delivery(size: number, count = 1): Delivery {
  return new Delivery(Buffer.alloc(size), count, accounting);
}

function asList(taken: Delivery | Delivery[] | undefined): Delivery[] {
  return taken === undefined ? [] : [taken].flat();
}

test('an empty outbox has nothing to take', (t) => {
  const outbox = new Outbox();
  t.true(outbox.empty);
  t.is(outbox.take(100), undefined);
  t.is(outbox.clear(), 0);
});

test('a write takes what fits the limit exactly, and not a byte more', (t) => {
  const outbox = new Outbox();
  for (const size of [40, 60, 1]) outbox.push(delivery(size));
  t.deepEqual(
    asList(outbox.take(100)).map(({ bytes }) => bytes.length),
    [40, 60],
  );
  t.is(outbox.bytes, 1);
  const tight = new Outbox();
  for (const size of [40, 61]) tight.push(delivery(size));
  t.is(asList(tight.take(100)).length, 1);
});

test('the first delivery is taken however large it is', (t) => {
  const outbox = new Outbox();
  outbox.push(delivery(1000));
  outbox.push(delivery(1));
  t.deepEqual(
    asList(outbox.take(100)).map(({ bytes }) => bytes.length),
    [1000],
  );
});

const step = fc.oneof(
  fc.record({ do: fc.constant('push' as const), size: fc.nat(60), count: fc.nat(5) }),
  fc.record({ do: fc.constant('take' as const), limit: fc.nat(100) }),
  fc.record({ do: fc.constant('clear' as const) }),
);

test('an outbox behaves as a plain queue: order, bytes, counts and the limit of a write', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const outbox = new Outbox();
      let queue: Delivery[] = [];
      for (const one of steps) {
        if (one.do === 'push') {
          const pushed = delivery(one.size, one.count);
          outbox.push(pushed);
          queue.push(pushed);
        } else if (one.do === 'take') {
          let size = 0;
          const end = queue.findIndex(({ bytes }, index) => {
            size += bytes.length;
            return index > 0 && size > one.limit;
          });
          const expected = end === -1 ? queue : queue.slice(0, end);
          const taken = asList(outbox.take(one.limit));
          if (taken.length !== expected.length || taken.some((next, index) => next !== expected[index]))
            return false;
          queue = queue.slice(expected.length);
        } else {
          const messages = queue.reduce((sum, { count }) => sum + count, 0);
          if (outbox.clear() !== messages) return false;
          queue = [];
        }
        if (outbox.bytes !== queue.reduce((sum, { bytes }) => sum + bytes.length, 0)) return false;
        if (outbox.empty !== (queue.length === 0)) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  t.pass();
});
