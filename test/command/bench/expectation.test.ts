import test from 'ava';
import { expectationIn } from '../../../src/command/bench/expectation.ts';
import { BadUsage } from '../../../src/command/command.ts';

test('a comparison of a time or a rate holds, or does not', (t) => {
  const cases = [
    ['p99<20ms', 'p99', 19.9, 20],
    ['p99.9 <= 1s', 'p99.9', 1000, 1000.1],
    ['max<500us', 'max', 0.49, 0.5],
    ['rate>=10000', 'rate', 10_000, 9999],
    ['deliveries>10k/s', 'deliveries', 10_001, 10_000],
  ] as const;
  for (const [text, of, holds, fails] of cases) {
    const expectation = expectationIn(text);
    t.is(expectation.of, of);
    t.true(expectation.holds(holds), text);
    t.false(expectation.holds(fails), text);
  }
});

test('what was not measured has not come true', (t) => {
  t.false(expectationIn('p99<20ms').holds(null));
});

test('anything else is refused with what may be said', (t) => {
  for (const text of [
    '',
    'p99',
    'p99<20',
    'p99=20ms',
    'p98<20ms',
    'rate>10ms',
    'constructor>1',
    'p99<-1ms',
    'p99<20constructor',
  ])
    t.throws(() => expectationIn(text), { instanceOf: BadUsage, message: /p99<20ms/ }, text);
});
