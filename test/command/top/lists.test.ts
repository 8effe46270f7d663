import test from 'ava';
import {
  listNames,
  lists,
  listText,
  plainRow,
  type Row,
  sorted,
  sortKeys,
  withRates,
} from '../../../src/command/top/lists.ts';

const topics: Row[] = [
  { topic: 'topic:main:b', members: 2, rate: 0.5, queue: 0, behind: 0 },
  { topic: 'topic:main:a', members: 30_000, rate: 12.4, queue: 7, behind: 1 },
  { topic: 'topic:main:c', members: 1, queue: 0, behind: 0 },
];
const names = (rows: readonly Row[]) => rows.map((row) => String(row['topic']).at(-1)).join('');

test('the most come first, and what is not known comes last, either way round', (t) => {
  t.is(names(sorted('topics', topics, 'rate')), 'abc');
  t.is(names(sorted('topics', topics, 'rate', true)), 'bac');
  t.is(names(sorted('topics', topics, 'members')), 'abc');
  t.is(names(sorted('topics', topics, 'name')), 'abc');
  t.is(names(sorted('topics', topics, 'name', true)), 'cba');
  t.is(names(sorted('topics', topics, 'nonsense')), 'bac');
});

test('a topic that is held back comes first where topics come by rate, either way round the last or the first', (t) => {
  const held = { topic: 'topic:main:d', rate: 0, deliveryRate: 0, queue: 316, behind: 1 };
  const calm = { topic: 'topic:main:e', rate: 0, deliveryRate: 0, queue: 0, behind: 1 };
  const rows = [...topics, calm, held];
  t.is(names(sorted('topics', rows, 'rate')), 'dabec');
  t.is(names(sorted('topics', rows, 'deliveries')).at(0), 'd');
  t.is(names(sorted('topics', rows, 'rate', true)), 'ebadc');
});

test('every list can be sorted as it usually is, and what is asked of the relay for it is known', (t) => {
  for (const name of listNames) {
    const { usual, operationBy, observerBy } = lists[name];
    t.true(sortKeys(name).includes(usual), name);
    t.is(new Set(sortKeys(name)).size, sortKeys(name).length);
    for (const by of [operationBy, observerBy])
      for (const key of Object.keys(by)) t.true(sortKeys(name).includes(key), `${name} ${key}`);
  }
});

test('a table has aligned columns, a mark at the one it is sorted by, and dashes for what is not known', (t) => {
  t.deepEqual(listText('topics', topics.slice(1), 'rate'), [
    'topic         members  msg/s*  deliv/s  queue  behind',
    'topic:main:a   30 000      12        -      7       1',
    'topic:main:c        1       -        -      0       0',
  ]);
});

test('a client that does not read, or is behind, is seen as that, and its name cannot move the cursor', (t) => {
  const row = { ref: '<8>', door: 'pusu', address: '\u001b[2J', phase: 'open', topics: 1, pending: 2048 };
  const state = (more: Row) => plainRow('connections', { ...row, ...more })['state'];
  t.is(state({}), 'open');
  t.is(state({ behind: true }), 'behind');
  t.is(state({ behind: true, stalled: true }), 'stalled');
  t.is(state({ state: 'stalled' }), 'stalled');
  const [, line = ''] = listText('connections', [row], 'pending');
  t.regex(line, /<8> {2}pusu {2}\\x1b\[2J {2}open +1 +2 KiB/);
});

const crowded: Row = {
  ...{
    ref: '<12345>',
    door: 'wspubsub',
    address: '192.168.100.200:65535',
    state: 'stalled',
    topics: 12,
    pending: 1e7,
  },
  ...{ inRate: 12_345, outRate: 12_345, roundTrip: 1234.5, age: 383_000 },
};

test('in 80 columns a column that does not fit is left out, and not cut', (t) => {
  const wide = listText('connections', [crowded], 'pending');
  t.regex(wide[1] ?? '', /6m 23s$/);
  const [heads = '', row = ''] = listText('connections', [crowded], 'pending', 80);
  for (const line of [heads, row]) t.true(line.length <= 80, line);
  t.regex(heads, /^ref +door +address +state +topics +pending\* +in\/s/);
  t.notRegex(heads, /\bage?$|round/);
  t.regex(row, /12 345$/);
  const [byAge = ''] = listText('connections', [crowded], 'age', 80);
  t.regex(byAge, / {2}age\*$/, 'the column that rows are sorted by stays');
});

test('why a relay lags is told in 80 columns, too', (t) => {
  const relay = {
    ...{
      node: 'relay-1',
      state: 'ready',
      in: 12_345,
      out: 123_456,
      connections: 12_345,
      loopDelay: 1234,
      busy: 0.98,
    },
    ...{ lag: 1234, roundTrip: 1234, heard: 1234, troubles: ['its event loop is 98% busy'] },
  };
  const [heads = '', row = ''] = listText('relays', [relay], 'name', 80);
  t.true(row.length <= 80, row);
  t.regex(heads, /^relay\* +state +in\/s +out\/s +clients +loop +busy/);
  t.regex(row, /its event loop/);
});

test('rates come from two looks, where the relay tells none itself', (t) => {
  const before = new Map([['<1>', { ref: '<1>', in: 100 }]]);
  const rows = [
    { ref: '<1>', in: 150 },
    { ref: '<2>', in: 9 },
    { ref: '<1>', in: 150, inRate: 7 },
    { ref: '<1>', in: 10 },
  ];
  t.deepEqual(
    withRates('connections', rows, before, 2000).map((row) => row['inRate']),
    [25, undefined, 7, 0],
  );
});
