import test from 'ava';
import fc from 'fast-check';
import { pageOf } from '../../src/view/page-of.ts';

test('a page is what sorting everything and cutting it out would give', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 400 }),
      fc.nat(60),
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
      },
    ),
  );
  t.pass();
});
