import test from 'ava';
import { codeLabel, Tally } from '../../src/view/chronicle.ts';

test('close codes that anybody may choose are one label for each thousand', (t) => {
  const labels = [1000, 1015, 1016, 2999, 3000, 3999, 4000, 4999, 5000, 0, 503].map(codeLabel);
  t.deepEqual(labels, [
    '1000',
    '1015',
    'other',
    'other',
    '3xxx',
    '3xxx',
    '4xxx',
    '4xxx',
    'other',
    'other',
    '503',
  ]);
});

test('a tally has an end, and counts what is beyond it as other', (t) => {
  const tally = new Tally<{ readonly door: string; readonly reason: string }>();
  for (let i = 0; i < 1000; i++) tally.add({ door: 'a', reason: `reason ${i}` });
  for (let i = 0; i < 5; i++) tally.add({ door: 'a', reason: 'reason 0' });
  const all = [...tally];
  t.true(all.length <= 201);
  t.is(all.find(({ labels }) => labels.reason === 'reason 0')?.count, 6);
  t.is(
    all.reduce((sum, { count }) => sum + count, 0),
    1005,
  );
  t.is(all.find(({ labels }) => labels.reason === 'other')?.count, 800);
});
