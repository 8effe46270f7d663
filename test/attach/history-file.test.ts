import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { HISTORY, HistoryFile } from '../../src/attach/client/history-file.ts';
import { temporaryFolder } from '../support/relay-process.ts';

test('what was typed is there for the next session, the newest first, and for its owner alone', (t) => {
  const path = join(temporaryFolder(t), 'history');
  const first = new HistoryFile(path);
  t.deepEqual(first.lines(), []);
  for (const text of ['one', 'two {\n  a\n}', ' hidden', '  ', '']) first.add(text);
  t.deepEqual(new HistoryFile(path).lines(), ['two { a }', 'one']);
  t.is(statSync(path).mode & 0o777, 0o600);
  chmodSync(path, 0o644);
  first.add('three');
  t.is(statSync(path).mode & 0o777, 0o600);
});

test('of a long history the last thousand lines are known, and the file is cut back once it has twice of them', (t) => {
  const path = join(temporaryFolder(t), 'history');
  const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`).join('\n');
  const count = () => readFileSync(path, 'utf8').trimEnd().split('\n').length;
  writeFileSync(path, `${lines(2 * HISTORY)}\n`);
  t.is(new HistoryFile(path).lines().length, HISTORY);
  t.is(count(), 2 * HISTORY);
  writeFileSync(path, `${lines(2 * HISTORY + 1)}\n`, { mode: 0o644 });
  t.is(new HistoryFile(path).lines()[0], `line ${2 * HISTORY}`);
  t.is(count(), HISTORY);
  t.is(statSync(path).mode & 0o777, 0o600);
});

test('a file that cannot be had makes no trouble', (t) => {
  const file = new HistoryFile('/nowhere/history');
  file.add('one');
  t.deepEqual(file.lines(), []);
});
