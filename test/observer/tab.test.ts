import test from 'ava';
import fc from 'fast-check';
import { observerQuery } from '../../src/observer/query.ts';
import { Rates } from '../../src/observer/rates.ts';
import { type Look, listTab, sorted } from '../../src/observer/tab.ts';
import type { RelayView } from '../../src/view/relay-view.ts';

test('portions that are sorted one by one are what sorting all at once gives, and equal ones keep their order', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 3000 }), (numbers) => {
      const items = numbers.map((value, index) => ({ value, index }));
      const even = items.filter(({ value }) => value % 2 === 0);
      const portions = [
        ...sorted(
          items,
          (item) => (item.value % 2 === 0 ? item : undefined),
          (a, b) => a.value - b.value,
        ),
      ];
      t.deepEqual(
        portions.flat(),
        even.toSorted((a, b) => a.value - b.value),
      );
      t.true(portions.every(({ length }) => length <= 100));
    }),
    { numRuns: 50 },
  );
});

interface Fruit {
  readonly name: string;
  readonly weight: number | null;
}

/** 120 fruits, of which one has a weight that nobody knows. */
const fruits: readonly Fruit[] = Array.from({ length: 120 }, (_, index) => ({
  name: `fruit ${String((index * 7) % 120).padStart(3, '0')}`,
  weight: index === 60 ? null : (index * 11) % 120,
}));

const tab = listTab<Fruit>({
  title: 'Fruits',
  empty: 'None.',
  key: ['name'],
  pid: null,
  first: 'weight',
  items: () => fruits,
  matches: ({ name }, filter) => name.includes(filter),
  row: (fruit) => fruit,
  columns: [
    { field: 'name', head: 'Name', kind: 'text', natural: 'asc', order: ({ name }) => name },
    { field: 'weight', head: 'Weight', kind: 'count', order: ({ weight }) => weight },
    { field: 'shape', head: 'Shape', kind: 'text' },
  ],
});
const look: Look = { view: {} as RelayView, rates: new Rates() };

function names(query: string): string[] {
  return (tab.page(look, observerQuery(query)).rows as Fruit[]).map(({ name }) => name);
}

function allNames(query: string): string[] {
  return [...tab.all(look, observerQuery(query))].flat().map((row) => (row as Fruit).name);
}

test('a list is ordered by any of its columns both ways, and an export has the same order', (t) => {
  const byName = fruits.map(({ name }) => name).toSorted();
  t.deepEqual(names('by=name'), byName.slice(0, 50));
  t.deepEqual(names('by=name&dir=desc&offset=50'), byName.toReversed().slice(50, 100));
  t.deepEqual(allNames('by=name&dir=desc'), byName.toReversed());
  const known = fruits.filter(({ weight }) => weight !== null);
  const unknown = fruits.find(({ weight }) => weight === null)?.name ?? '';
  const heavy = known.toSorted((a, b) => (b.weight ?? 0) - (a.weight ?? 0)).map(({ name }) => name);
  t.deepEqual(allNames(''), [...heavy, unknown]);
  t.deepEqual(allNames('by=weight&dir=asc'), [...heavy.toReversed(), unknown]);
});

test('a column that is not there, or has no order, or a direction that is none counts as not given', (t) => {
  for (const query of ['by=shape', 'by=__proto__', 'by=nothing&dir=asc', 'by=weight&dir=up'])
    t.deepEqual(names(query), names(''), query);
});

test('a filter cuts down the list and its export', (t) => {
  t.is(tab.page(look, observerQuery('filter=FRUIT%2001')).total, 10);
  t.is(allNames('filter=fruit%2001').length, 10);
});

test('the page is told which columns there are an order by, and the direction that comes first', (t) => {
  t.deepEqual(
    tab.shown.columns.map(({ field, natural }) => [field, natural]),
    [
      ['name', 'asc'],
      ['weight', 'desc'],
      ['shape', null],
    ],
  );
});
