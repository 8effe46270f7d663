import test from 'ava';
import { exportOf, formatIn } from '../../src/observer/export.ts';
import type { ShownTab } from '../../src/observer/tab.ts';

const shown: Pick<ShownTab, 'columns' | 'also'> = {
  columns: [
    { field: 'at', head: 'When', kind: 'when', natural: 'desc' },
    { field: 'topics', head: 'Topics', kind: 'names', natural: null },
  ],
  also: ['code', 'topics'],
};
const rows = [
  { at: 0, topics: ['a', '=b'], code: 1000, unseen: 1 },
  { at: 1000, code: null, topics: [], unseen: 2 },
];

test('a list as CSV has a line of fields, times as ISO 8601, and nothing for what is not known', (t) => {
  const pieces = [...exportOf('csv', shown, [[], rows])];
  t.deepEqual(pieces, [
    'at,topics,code\r\n',
    '',
    '1970-01-01T00:00:00.000Z,a; =b,1000\r\n1970-01-01T00:00:01.000Z,,\r\n',
  ]);
});

test('a list as JSON is an array of its rows, in however many portions they come, and of none', (t) => {
  const of = (portions: readonly object[][]) => [...exportOf('json', shown, portions)].join('');
  t.deepEqual(JSON.parse(of([[], rows.slice(0, 1), rows.slice(1)])), rows);
  t.deepEqual(JSON.parse(of([[]])), []);
});

test('what has the form of a secret is hidden in both', (t) => {
  const secret = [{ at: 0, topics: ['Bearer abcdefgh'], token: 'abc' }];
  for (const format of ['csv', 'json'] as const)
    t.false([...exportOf(format, shown, [secret])].join('').includes('abc'), format);
});

test('a format is csv or json, and nothing else', (t) => {
  t.is(formatIn('format=csv'), 'csv');
  t.is(formatIn('tab=a&format=json'), 'json');
  for (const query of ['', 'format=', 'format=xml', 'format=toString']) t.is(formatIn(query), undefined);
});
