import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { makeFolder } from '../../src/host/folder.ts';
import { temporaryFolder } from '../support/relay-process.ts';

test('a folder is made with those above it, and one that is there is left as it is', (t) => {
  const root = temporaryFolder(t);
  const folder = join(root, 'a', 'b', 'c');
  makeFolder(folder, 0o700);
  for (const made of [folder, join(root, 'a')]) t.is(statSync(made).mode & 0o777, 0o700);
  mkdirSync(join(root, 'd'), { mode: 0o750 });
  symlinkSync(join(root, 'd'), join(root, 'link'));
  for (const there of [folder, join(root, 'd'), join(root, 'link'), root, '/'])
    t.notThrows(() => makeFolder(there, 0o700));
  t.is(statSync(join(root, 'd')).mode & 0o777, 0o750);
});

test('where something else is in the way the error says so', (t) => {
  const root = temporaryFolder(t);
  writeFileSync(join(root, 'file'), '');
  symlinkSync(join(root, 'nowhere'), join(root, 'link'));
  t.throws(() => makeFolder(join(root, 'file')), { code: 'EEXIST' });
  t.throws(() => makeFolder(join(root, 'file', 'a', 'b')), { code: 'ENOTDIR' });
  t.throws(() => makeFolder(join(root, 'link')), { code: 'EEXIST' });
});

test('where the file system has no such folders the error says so', (t) => {
  for (const folder of ['/proc/nope', '/proc/nope/a/b'])
    t.throws(() => makeFolder(folder), { code: 'ENOENT' });
});
