import test from 'ava';
import { Overflow } from '../../src/cluster/overflow.ts';

test('what was dropped is named by topic, once', (t) => {
  const overflow = new Overflow();
  t.is(overflow.take(), null);
  overflow.add({ realm: 'main', name: 'a' }, 3);
  overflow.add({ realm: 'main', name: 'b' }, 1);
  overflow.add({ realm: 'main', name: 'a' }, 2);
  t.deepEqual(overflow.take(), { 'main a': 5, 'main b': 1 });
  t.is(overflow.take(), null);
});

test('a hundred topics are named; what is dropped of others is one number', (t) => {
  const overflow = new Overflow();
  for (let topic = 0; topic < 102; topic++) overflow.add({ realm: 'main', name: String(topic) }, 1);
  overflow.add({ realm: 'main', name: '0' }, 1);
  const counts = overflow.take() ?? {};
  t.is(Object.keys(counts).length, 101);
  t.like(counts, { 'main 0': 2, 'main 99': 1, others: 2 });
});
