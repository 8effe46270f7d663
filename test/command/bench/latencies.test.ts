import test from 'ava';
import fc from 'fast-check';
import { Latencies } from '../../../src/command/bench/latencies.ts';

test('nothing noted has no percentiles', (t) => {
  const none = new Latencies();
  t.deepEqual([none.percentile(0.5), none.worst, none.mean], [null, null, null]);
});

test('percentiles, the mean and the worst of a hundred times', (t) => {
  const times = new Latencies();
  for (let i = 1; i <= 100; i++) times.note(i / 100);
  t.is(times.worst, 1);
  t.is(times.mean, 0.505);
  t.is(times.percentile(0.5), 0.503);
  t.is(times.percentile(1), 1);
  t.is(times.percentile(0.001), 0.01);
});

test('a percentile is not too low, and at most 1.6 % too high', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(7_000_000_000), { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (micros, share) => {
        const times = new Latencies();
        for (const one of micros) times.note(one / 1000);
        const sorted = micros.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1] as number;
        const told = (times.percentile(share) as number) * 1000;
        return told >= exact - 0.5 && told <= exact * 1.016 + 1;
      },
    ),
  );
  t.pass();
});

test('what another process has noted adds up', (t) => {
  const [all, one, other] = [new Latencies(), new Latencies(), new Latencies()];
  for (let i = 0; i < 1000; i++) {
    const time = (i * 7919) % 1013;
    all.note(time);
    (i % 2 === 0 ? one : other).note(time);
  }
  const sum = new Latencies();
  for (const part of [one, other]) sum.add(JSON.parse(JSON.stringify(part.toTold())));
  t.deepEqual(sum.toTold(), all.toTold());
  t.is(sum.total, 1000);
  t.is(sum.mean, all.mean);
});

test('a time before the message was meant to be sent counts as none', (t) => {
  const times = new Latencies();
  times.note(-0.2);
  t.is(times.worst, 0);
});
