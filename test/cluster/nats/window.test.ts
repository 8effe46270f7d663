import test from 'ava';
import fc from 'fast-check';
import { Window } from '../../../src/cluster/nats/window.ts';

test('an answer confirms what was handed over before its question', (t) => {
  const window = new Window(0);
  t.false(window.ask());
  window.add(2, 20);
  t.true(window.ask());
  window.add(3, 30);
  t.false(window.ask());
  t.is(window.answered(), 2);
  t.deepEqual([window.count, window.bytes], [3, 30]);
  t.true(window.ask());
  t.is(window.answered(), 3);
  t.is(window.answered(), 0);
});

test('it is full at its limit, and one message alone always fits', (t) => {
  const window = new Window(100);
  t.true(window.add(1, 101));
  t.false(window.add(1, 1));
  t.is(window.clear(), 1);
  t.true(window.add(1, 60));
  t.true(window.add(1, 40));
  t.false(window.add(1, 1));
  t.is(window.count, 2);
});

test('every message is confirmed, refused or left over, once', (t) => {
  const act = fc.oneof(
    fc.integer({ min: 1, max: 50 }),
    fc.constantFrom('ask' as const, 'answer' as const, 'clear' as const),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const window = new Window(100);
      let [given, over] = [0, 0];
      for (const one of acts) {
        if (one === 'ask') window.ask();
        else if (one === 'answer') over += window.answered();
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
