import test from 'ava';
import { codeLabel, History, Tally } from '../../src/view/history.ts';

test('a certificate is found by the number of its pid until too many have followed', (t) => {
  const history = new History(2, () => 7);
  const closed = { door: 'pusu', code: 1000, reason: 'x', address: 'a', in: 0, out: 0, age: 0 };
  const details = {
    authorised: false,
    topics: [],
    topicCount: 0,
    owned: null,
    pendingHighWater: 0,
    roundTrip: null,
    event: '',
  };
  for (const conn of [1, 2]) history.closed({ ...closed, conn }, details);
  t.like(history.certificateOf(1), { conn: 1, at: 7 });
  history.closed({ ...closed, conn: 3 }, details);
  t.is(history.certificateOf(1), undefined);
  t.like(history.certificateOf(2), { conn: 2 });
});

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
  const countOf = (reason: string) => all.find(([, labels]) => labels.reason === reason)?.[0];
  t.is(countOf('reason 0'), 6);
  t.is(
    all.reduce((sum, [count]) => sum + count, 0),
    1005,
  );
  t.is(countOf('other'), 800);
});
