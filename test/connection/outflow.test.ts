import test from 'ava';
import fc from 'fast-check';
import { Outflow } from '../../src/connection/outflow.ts';
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
  const outflow = new Outflow();
  t.false(outflow.ready);
  t.is(outflow.take(100), undefined);
  t.is(outflow.drop(), 0);
});

test('a write takes what fits the limit exactly, and not a byte more', (t) => {
  const outflow = new Outflow();
  for (const size of [40, 60, 1]) outflow.push(delivery(size));
  t.deepEqual(
    asList(outflow.take(100)).map(({ bytes }) => bytes.length),
    [40, 60],
  );
  t.is(outflow.pending(0), 1);
  const tight = new Outflow();
  for (const size of [40, 61]) tight.push(delivery(size));
  t.is(asList(tight.take(100)).length, 1);
});

test('the first delivery is taken however large it is', (t) => {
  const outflow = new Outflow();
  outflow.push(delivery(1000));
  outflow.push(delivery(1));
  t.deepEqual(
    asList(outflow.take(100)).map(({ bytes }) => bytes.length),
    [1000],
  );
});

const queueing = fc.oneof(
  fc.record({ do: fc.constant('push' as const), size: fc.nat(60), count: fc.nat(5) }),
  fc.record({ do: fc.constant('take' as const), limit: fc.nat(100) }),
  fc.record({ do: fc.constant('clear' as const) }),
);

test('an outbox behaves as a plain queue: order, bytes, counts and the limit of a write', (t) => {
  fc.assert(
    fc.property(fc.array(queueing, { maxLength: 60 }), (steps) => {
      const outflow = new Outflow();
      let queue: Delivery[] = [];
      for (const one of steps) {
        if (one.do === 'push') {
          const pushed = delivery(one.size, one.count);
          outflow.push(pushed);
          queue.push(pushed);
        } else if (one.do === 'take') {
          let size = 0;
          const end = queue.findIndex(({ bytes }, index) => {
            size += bytes.length;
            return index > 0 && size > one.limit;
          });
          const expected = end === -1 ? queue : queue.slice(0, end);
          const taken = asList(outflow.take(one.limit));
          if (taken.length !== expected.length || taken.some((next, index) => next !== expected[index]))
            return false;
          queue = queue.slice(expected.length);
        } else {
          const messages = queue.reduce((sum, { count }) => sum + count, 0);
          if (outflow.drop() !== messages) return false;
          queue = [];
        }
        if (outflow.pending(0) !== queue.reduce((sum, { bytes }) => sum + bytes.length, 0)) return false;
        if (outflow.ready !== queue.length > 0) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
  t.pass();
});

/** One write is under way since 0, of which the kernel has not taken `unsent` bytes. */
function writing(unsent: number, pending: number): Outflow {
  const outflow = new Outflow();
  outflow.push(delivery(unsent));
  outflow.take();
  outflow.waits(1, unsent, pending, 0, 0);
  return outflow;
}

test('nothing is taken while a write is under way', (t) => {
  const outflow = writing(10, 1000);
  outflow.push(delivery(5, 3));
  t.is(outflow.take(), undefined);
  t.is(outflow.arrived(), 1);
  t.is((outflow.take() as Delivery).count, 3);
});

test('a client is behind past a quarter of its limit, until half of that waits', (t) => {
  const outflow = writing(1000, 4000);
  t.is(outflow.weigh(1000, 4000), 'go on');
  outflow.push(delivery(1));
  t.is(outflow.weigh(1000, 4000), 'behind');
  t.is(outflow.weigh(1000, 4000), 'go on', 'its topics are told once');
  t.is(outflow.lighten(500, 4000), 'go on', '501 bytes wait');
  t.is(outflow.lighten(499, 4000), 'caught up');
  t.is(outflow.highWater, 1001);
});

test('what comes in the turn in which a client falls behind is not held against it', (t) => {
  const outflow = writing(100, 400);
  outflow.push(delivery(301));
  t.is(outflow.weigh(100, 400), 'behind');
  t.is(outflow.weigh(100, 400), 'go on');
  outflow.settle();
  t.is(outflow.weigh(100, 400), 'too slow');
  t.is(outflow.weigh(99, 400), 'go on', 'at the limit it is within it');
});

test('a pending limit of 0 is none, and holds topics back all the same', (t) => {
  const outflow = writing(100, 0);
  outflow.push(delivery(256 * 1024));
  t.is(outflow.weigh(100, 0), 'behind');
  outflow.settle();
  outflow.push(delivery(64 * 1024 * 1024));
  t.is(outflow.weigh(100, 0), 'go on');
});

test('what a client has asked for of the past is not held against it, until it has it', (t) => {
  const outflow = new Outflow();
  outflow.allow(500);
  outflow.push(delivery(500));
  asList(outflow.take(1000));
  t.is(outflow.waits(1, 500, 400, 0, 0), 'behind');
  outflow.push(delivery(400));
  t.is(outflow.weigh(500, 400), 'go on', 'the past, and as much as any client may have waiting');
  outflow.push(delivery(1));
  t.is(outflow.weigh(500, 400), 'too slow');
  asList(outflow.take(1000));
  outflow.arrived();
  asList(outflow.take(1000));
  outflow.arrived();
  outflow.push(delivery(400));
  asList(outflow.take(1000));
  outflow.waits(1, 400, 400, 0, 0);
  outflow.push(delivery(1));
  t.is(outflow.weigh(400, 400), 'too slow', 'once it has the past, the limit is that of any client');
});

test('a client is too slow when nothing has moved for the time of the limit; any byte puts that off', (t) => {
  const outflow = writing(10, 1000);
  t.is(outflow.look(10, 1000, 0, 1000, 3000), 'go on');
  t.is(outflow.look(9, 1000, 1, 2999, 3000), 'go on');
  t.is(outflow.look(9, 1000, 1, 5998, 3000), 'go on');
  t.is(outflow.look(9, 1000, 1, 5999, 3000), 'too slow');
  t.is(outflow.look(9, 1000, 1, 99_999, 0), 'go on', 'without a limit it may take any time');
});

test('what is acknowledged is progress, the same again is none', (t) => {
  const outflow = writing(10, 1000);
  const acknowledged = (bytes: number, now: number) => outflow.acknowledged(bytes, bytes, now, 10, 1000);
  acknowledged(5, 100);
  t.is(outflow.look(10, 1000, 0, 3000, 3000), 'too slow', 'the first word only says where it stands');
  acknowledged(6, 2000);
  acknowledged(6, 2900);
  t.is(outflow.look(10, 1000, 0, 4999, 3000), 'go on');
  t.is(outflow.look(10, 1000, 0, 5000, 3000), 'too slow');
});

/** What the verdicts are of a look each second, and of an answer to each question, soon after it. */
function looks(outflow: Outflow, taken: readonly number[], acknowledged: readonly number[]): string[] {
  const verdicts: string[] = [];
  taken.forEach((bytes, index) => {
    const now = 1000 * (index + 1);
    verdicts.push(outflow.look(2000, 4000, bytes, now, 0));
    const answer = acknowledged[index];
    if (!outflow.doubtful || answer === undefined) return;
    verdicts.push(outflow.acknowledged(answer, answer, now + 20, 2000, 4000));
  });
  return verdicts.filter((one) => one !== 'go on');
}

test('where the kernel tells nothing, a client that takes less than 4 KiB in two seconds holds nobody back', (t) => {
  const outflow = writing(2000, 4000);
  t.true(outflow.behind);
  t.deepEqual(looks(outflow, [4095], []), []);
  t.true(outflow.behind, 'it may read from what the kernel has');
  t.deepEqual(looks(outflow, [2 * 4095], []), ['caught up']);
  t.true(outflow.stalled);
  t.is(outflow.weigh(2000, 4000), 'go on', 'a stalled client is not behind');
  t.is(outflow.look(2000, 4000, 2 * 4095 + 4096, 3000, 0), 'behind', 'it reads again');
  t.false(outflow.stalled);
});

test('a client that acknowledges reads, whatever the kernel takes; one that does not holds nobody back', (t) => {
  const reads = writing(2000, 4000);
  const fast = [1, 2, 3, 4, 5].map((seconds) => 200_000 * seconds);
  t.deepEqual(looks(reads, [0, 0, 0, 0, 0], fast), []);
  t.true(reads.behind);
  const stops = writing(2000, 4000);
  t.deepEqual(looks(stops, [0, 0], [5, 5]), ['caught up']);
  t.true(stops.stalled);
  t.is(stops.look(2000, 4000, 0, 3000, 0), 'go on');
  t.is(stops.acknowledged(6, 6, 3020, 2000, 4000), 'behind', 'it reads again');
});

test('a client that reads too slowly holds its neighbours for three seconds, however steadily, and no more until it has all', (t) => {
  for (const [taken, acknowledged] of [
    [
      [0, 0, 0, 0, 0],
      [30_000, 60_000, 90_000, 120_000, 150_000],
    ],
    [[30_000, 60_000, 90_000, 120_000, 150_000], []],
  ] as const) {
    const outflow = writing(2000, 4000);
    t.true(outflow.behind);
    t.deepEqual(looks(outflow, taken.slice(0, 2), acknowledged.slice(0, 2)), []);
    t.deepEqual(looks(outflow, taken, acknowledged), ['caught up']);
    t.true(outflow.stalled);
    t.is(outflow.weigh(2000, 4000), 'go on');
    t.is(outflow.weigh(4001, 4000), 'too slow', 'it may wait for as much as any other client');
    outflow.arrived();
    outflow.look(0, 4000, 150_000, 6000, 0);
    t.false(outflow.stalled);
  }
});

test('what was acknowledged a moment ago says nothing of a client that is asked about now', (t) => {
  const outflow = writing(2000, 4000);
  // For a heartbeat, say.
  outflow.acknowledged(5, 5, 900, 2000, 4000);
  t.deepEqual(looks(outflow, [0], [5]), []);
  t.false(outflow.stalled);
  t.is(outflow.look(2000, 4000, 0, 2000, 0), 'go on');
  t.is(outflow.acknowledged(5, 5, 2020, 2000, 4000), 'caught up');
});

test('with the write under way the stall is over, and the next one is looked at anew', (t) => {
  const outflow = writing(2000, 4000);
  looks(outflow, [0, 0], []);
  t.true(outflow.stalled);
  outflow.arrived();
  outflow.look(0, 4000, 2000, 3000, 0);
  t.false(outflow.stalled || outflow.watched);
  t.is(outflow.waits(1, 1001, 4000, 2000, 9000), 'behind');
  t.is(outflow.look(1001, 4000, 2000, 9999, 1000), 'go on', 'doubts begin anew');
  t.is(outflow.look(1001, 4000, 2000, 10_998, 2000), 'caught up');
});

const event = fc.oneof(
  fc.record({ do: fc.constant('push' as const), size: fc.nat(600), count: fc.nat(3) }),
  fc.record({
    do: fc.constantFrom('write' as const, 'look' as const, 'answer' as const),
    unsent: fc.nat(600),
  }),
  fc.record({ do: fc.constantFrom('arrive' as const, 'settle' as const, 'drop' as const, 'close' as const) }),
);

test('whatever happens, every message arrives or is dropped once, and topics are told by turns', (t) => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), fc.constantFrom(0, 1000), (events, pending) => {
      const outflow = new Outflow();
      const [told, seen] = [[] as string[], { pushed: 0, gone: 0, taken: 0, now: 0, unsent: 0 }];
      let closed = false;
      const heed = (verdict: string) => {
        if (verdict === 'behind' || verdict === 'caught up') told.push(verdict);
        if (closed && verdict === 'behind') throw new Error('holds its topics back when it is closed');
      };
      for (const one of events) {
        seen.now += 500;
        switch (one.do) {
          case 'push':
            outflow.push(delivery(one.size, one.count));
            seen.pushed += one.count;
            if (outflow.writing) heed(outflow.weigh(seen.unsent, pending));
            break;
          case 'write': {
            const count = [outflow.take() ?? []].flat().reduce((sum, each) => sum + each.count, 0);
            if (outflow.writing) break;
            seen.unsent = one.unsent;
            seen.taken += one.unsent;
            if (one.unsent === 0) seen.gone += count;
            else heed(outflow.waits(count, one.unsent, pending, seen.taken, seen.now));
            break;
          }
          case 'look':
            seen.taken += one.unsent;
            heed(outflow.look(seen.unsent, pending, seen.taken, seen.now, 3000));
            break;
          case 'answer':
            heed(outflow.acknowledged(one.unsent, one.unsent, seen.now, seen.unsent, pending));
            break;
          case 'arrive':
            seen.gone += outflow.arrived();
            seen.unsent = 0;
            heed(outflow.lighten(0, pending));
            break;
          case 'settle':
            outflow.settle();
            break;
          case 'drop':
            seen.gone += outflow.drop();
            break;
          case 'close':
            heed(outflow.close());
            closed = true;
            break;
        }
        if (outflow.highWater < 0 || outflow.behind !== (told.at(-1) === 'behind')) return false;
      }
      seen.gone += outflow.drop() + outflow.arrived();
      return (
        seen.gone === seen.pushed && told.every((one, at) => one === (at % 2 === 0 ? 'behind' : 'caught up'))
      );
    }),
    { numRuns: 500 },
  );
  t.pass();
});
