import test from 'ava';
import fc from 'fast-check';
import { Schedule } from '../../../src/command/bench/schedule.ts';

test('messages are due at an even rate, the first at once', (t) => {
  const schedule = new Schedule({ start: 1000, end: 2000, rate: 10, share: 0 });
  t.is(schedule.count, 10);
  t.deepEqual(
    [999, 1000, 1099, 1100, 1950, 5000].map((now) => schedule.dueAt(now)),
    [0, 1, 1, 2, 10, 10],
  );
  t.deepEqual(
    [0, 3, 9].map((number) => schedule.timeOf(number)),
    [1000, 1300, 1900],
  );
});

test('senders take turns within one period, and together send what the rate says', (t) => {
  const senders = [0, 0.25, 0.5, 0.75].map((share) => new Schedule({ start: 0, end: 1000, rate: 25, share }));
  t.is(
    senders.reduce((sum, { count }) => sum + count, 0),
    100,
  );
  t.deepEqual(
    senders.map((one) => one.timeOf(0)),
    [0, 10, 20, 30],
  );
});

test('what is due has its intended time in the past, and all the rest has it in the future', (t) => {
  const args = fc.record({
    start: fc.integer({ min: 0, max: 1e9 }),
    end: fc.integer({ min: 0, max: 1e4 }),
    rate: fc.double({ min: 0.1, max: 1e5, noNaN: true }),
    share: fc.double({ min: 0, max: 0.99, noNaN: true }),
    after: fc.double({ min: -10, max: 2e4, noNaN: true }),
  });
  const slack = 1e-3;
  fc.assert(
    fc.property(args, ({ start, end, rate, share, after }) => {
      const schedule = new Schedule({ start, end: start + end, rate, share });
      const due = schedule.dueAt(start + after);
      return (
        due <= schedule.count &&
        (due === 0 || schedule.timeOf(due - 1) <= start + after + slack) &&
        (due === schedule.count || schedule.timeOf(due) >= start + after - slack) &&
        (schedule.count === 0 || schedule.timeOf(schedule.count - 1) < start + end + slack)
      );
    }),
  );
  t.pass();
});
