import test from 'ava';
import { RelayTable } from '../../src/cluster/relay-table.ts';
import { NO_VITALS } from '../../src/measure/vitals.ts';

const vitals = (uptime: number) => ({ ...NO_VITALS, uptime });

test('what a relay has told last counts, and when', (t) => {
  const table = new RelayTable();
  table.heard('a', vitals(1), 10);
  table.heard('a', vitals(2), 20);
  t.deepEqual(table.of('a'), { vitals: vitals(2), at: 20, hasLeft: false });
  t.is(table.of('b'), undefined);
});

test('a relay that says goodbye has left until it tells something again', (t) => {
  const table = new RelayTable();
  table.heard('a', vitals(1), 10);
  table.left('a', 20);
  t.deepEqual(table.of('a'), { vitals: vitals(1), at: 20, hasLeft: true });
  table.heard('a', vitals(2), 30);
  t.false(table.of('a')?.hasLeft);
  table.left('b', 40);
  t.deepEqual(table.of('b'), { vitals: null, at: 40, hasLeft: true });
});

test('of more names than there is room for, the one that was heard longest ago is forgotten', (t) => {
  const table = new RelayTable();
  for (let i = 0; i < 256; i++) table.heard(`n${i}`, vitals(i), i);
  table.heard('n0', vitals(0), 256);
  t.is([...table.nodes].length, 256);
  table.heard('one more', vitals(0), 257);
  t.is([...table.nodes].length, 256);
  t.not(table.of('n0'), undefined);
  t.is(table.of('n1'), undefined);
  table.clear();
  t.deepEqual([...table.nodes], []);
});
