import test from 'ava';
import { Folding, LINES_PER_SECOND } from '../../src/log/log.ts';

test('of one event ten lines are written in a second, and the rest are counted', (t) => {
  const folding = new Folding();
  const written = Array.from({ length: LINES_PER_SECOND + 3 }, () =>
    folding.admits('a', () => ({ door: 'x' }), 5000),
  );
  t.deepEqual(written.filter(Boolean).length, LINES_PER_SECOND);
  t.true(
    folding.admits('b', () => ({}), 5001),
    'another event has lines of its own',
  );
  t.deepEqual(
    folding.take().map(({ fields, count }) => ({ fields, count })),
    [{ fields: { door: 'x' }, count: 3 }],
  );
  t.true(folding.admits('a', () => ({}), 6001));
  t.deepEqual(folding.take(), []);
});

test('events without number do not fill the memory, and none goes uncounted', (t) => {
  const folding = new Folding();
  let written = 0;
  for (let i = 0; i < 5000; i++) if (folding.admits(`event ${i}`, () => ({ i }), 0)) written++;
  t.is(written + folding.take().reduce((sum, { count }) => sum + count, 0), 5000);
});

test('the line of the rest shows some of them', (t) => {
  const folding = new Folding();
  for (let conn = 1; conn <= LINES_PER_SECOND + 7; conn++)
    folding.admits(
      'closed',
      () => ({}),
      0,
      () => ({ conn }),
    );
  const [rest] = folding.take();
  t.is(rest?.count, 7);
  t.deepEqual(
    rest?.samples,
    [1, 2, 3, 4, 5].map((each) => ({ conn: LINES_PER_SECOND + each })),
  );
});
