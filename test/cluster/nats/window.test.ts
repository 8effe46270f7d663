import test from 'ava';
import fc from 'fast-check';
import { Window } from '../../../src/cluster/nats/window.ts';

test('an answer confirms what was handed over before its question', (t) => {
  const window = new Window(0, 0);
  t.false(window.ask(0));
  window.add(2, 20);
  t.true(window.ask(0));
  window.add(3, 30);
  t.false(window.ask(0));
  t.is(window.answered(0).count, 2);
  t.deepEqual([window.count, window.bytes], [3, 30]);
  t.true(window.ask(0));
  t.is(window.answered(0).count, 3);
  t.is(window.answered(0).count, 0);
});

test('it is full at its limit, and one message alone always fits', (t) => {
  const window = new Window(100, 0);
  t.true(window.add(1, 101));
  t.false(window.add(1, 1));
  t.is(window.clear(), 1);
  t.true(window.add(1, 60));
  t.true(window.add(1, 40));
  t.false(window.add(1, 1));
  t.is(window.count, 2);
});

test('a question that has no answer yet has waited for so long', (t) => {
  const window = new Window(0, 0);
  t.is(window.unanswered(5), null);
  window.ask(10, true);
  t.is(window.unanswered(25), 15);
  window.answered(30);
  t.is(window.unanswered(35), null);
});

test('every message is confirmed, refused or left over, once', (t) => {
  const act = fc.oneof(
    fc.integer({ min: 1, max: 50 }),
    fc.constantFrom('ask' as const, 'answer' as const, 'clear' as const),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const window = new Window(100, 0);
      let [given, over] = [0, 0];
      for (const one of acts) {
        if (one === 'ask') window.ask(0);
        else if (one === 'answer') over += window.answered(0).count;
        else if (one === 'clear') over += window.clear();
        else {
          given += one;
          if (!window.add(one, one * 2)) over += one;
        }
        t.true(window.bytes <= 100);
        t.is(given, over + window.count);
      }
    }),
  );
});

test('a server is asked whether it is there though there is nothing to confirm, one question at a time', (t) => {
  const window = new Window(0, 0);
  t.true(window.ask(10, true));
  t.false(window.ask(11, true));
  t.deepEqual(window.answered(17), { count: 0, roundTrip: 7 });
  t.true(window.ask(18, true));
});

test('a server is silent when it was asked and has sent nothing for the time since', (t) => {
  const window = new Window(0, 0);
  t.false(window.isSilent(5000, 0, 1000), 'it was not asked');
  window.ask(5000, true);
  t.false(window.isSilent(5999, 0, 1000));
  t.true(window.isSilent(6000, 0, 1000));
  t.false(window.isSilent(6000, 1, 1000), 'it has sent something');
  t.false(window.isSilent(6999, 1, 1000));
  t.true(window.isSilent(7000, 1, 1000));
  window.answered(7000);
  t.false(window.isSilent(9000, 1, 1000));
});
