import test from 'ava';
import fc from 'fast-check';
import { pageOf } from '../../src/view/page-of.ts';

test('a page is what sorting everything and cutting it out would give', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 400 }),
      fc.nat(420),
      fc.integer({ min: 1, max: 20 }),
      (scores, offset, limit) => {
        const items = scores.map((score, index) => ({ score, index }));
        const sorted = items.toSorted((a, b) => b.score - a.score || a.index - b.index);
        const page = pageOf(items, ({ score }) => score, { offset, limit });
        t.deepEqual(page, { rows: sorted.slice(offset, offset + limit), total: items.length });
        const latestFirst = items.toSorted((a, b) => b.score - a.score || b.index - a.index);
        const tie = (a: { index: number }, b: { index: number }) => b.index - a.index;
        const first = pageOf(items, ({ score }) => score, { limit, tie });
        t.deepEqual(first, { total: items.length, rows: latestFirst.slice(0, limit) });
        const lowestFirst = items.toSorted((a, b) => a.score - b.score || a.index - b.index);
        const reversed = pageOf(items, ({ score }) => score, { offset, limit, reverse: true });
        t.deepEqual(reversed.rows, lowestFirst.slice(offset, offset + limit));
      },
    ),
  );
  t.pass();
});

test('texts begin with A, turned round with Z, and what is not known comes last both ways', (t) => {
  const names = ['b', null, 'c', 'a', null];
  const of = (reverse: boolean) => pageOf(names, (name) => name, { limit: 10, reverse }).rows;
  t.deepEqual(of(false), ['a', 'b', 'c', null, null]);
  t.deepEqual(of(true), ['c', 'b', 'a', null, null]);
});

test('a page far down a long list does not sort all of it', (t) => {
  const items = Array.from({ length: 20_000 }, (_, index) => (index * 7919) % 20_000);
  let compared = 0;
  const tie = () => {
    compared++;
    return 0;
  };
  // All scores alike, so that each comparison asks for the tie.
  const { rows } = pageOf(items, () => 0, { offset: 10_000, limit: 50, tie });
  t.deepEqual(rows, items.slice(10_000, 10_050));
  t.true(compared < 20_000 * 8, `${compared} comparisons; sorting takes some 280,000`);
});

test('an order of ties that never says that an item is like itself finds the page all the same', (t) => {
  const items = Array.from({ length: 9 }, (_, index) => index);
  for (const never of [-1, 1]) {
    const tie = (a: number, b: number) => (a === b ? never : a - b);
    for (let limit = 1; limit < 9; limit++)
      t.deepEqual(pageOf(items, () => 0, { limit, tie }).rows, items.slice(0, limit));
  }
});
