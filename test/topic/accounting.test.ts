import test from 'ava';
import { Accounting } from '../../src/topic/accounting.ts';

test('a message is counted once, whether it is fanned out or lost', (t) => {
  const accounting = new Accounting();
  accounting.take(3);
  accounting.lose(2, 'stale');
  accounting.lose(1, 'unheard');
  t.is(accounting.messages, 6);
  t.like(accounting.lost, { stale: 2, unheard: 1, crash: 0 });
  t.is(accounting.attempts, 0);
});

test('attempts are delivered or dropped, and drops of all reasons add up', (t) => {
  const accounting = new Accounting();
  accounting.attempt(10);
  accounting.deliver(4);
  accounting.drop(5, 'slow');
  accounting.drop(1, 'gone');
  t.is(accounting.droppedInAll, 6);
  t.is(accounting.attempts, accounting.delivered + accounting.droppedInAll);
  t.is(String(accounting), '0 messages, 10 attempts, 4 delivered, 6 dropped');
});

test('the first message is timed, one in 64 after it, and the next one on demand', (t) => {
  const accounting = new Accounting();
  const timed = (count: number) => Array.from({ length: count }, () => accounting.isTimed());
  t.deepEqual(
    timed(129).flatMap((is, index) => (is ? [index] : [])),
    [0, 64, 128],
  );
  accounting.timeNext();
  t.deepEqual(timed(2), [true, false]);
});
