import { closeSync, fstatSync, openSync } from 'node:fs';
import test from 'ava';
import { isJournal, priorityOf, withPriority } from '../../src/host/journal.ts';

test('a descriptor goes to the journal when systemd has named it by device and inode', (t) => {
  const descriptor = openSync('/dev/null', 'w');
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  t.true(isJournal(`${dev}:${ino}`, descriptor));
  t.false(isJournal(`${dev}:${ino + 1n}`, descriptor), 'it has been redirected since');
  t.false(isJournal('', descriptor));
  t.false(isJournal(undefined, descriptor));
  closeSync(descriptor);
  t.false(isJournal(`${dev}:${ino}`, descriptor), 'it is closed');
});

test('every level has its priority of syslog', (t) => {
  const priorities = [10, 20, 30, 40, 50, 60].map(priorityOf);
  t.deepEqual(priorities, ['<7>', '<7>', '<6>', '<4>', '<3>', '<2>']);
  t.is(priorityOf(Number.NaN), '<6>');
});

test('the priority stands in front of every line, and of no empty one', (t) => {
  const json = '{"level":40,"msg":"not linked"}\n';
  t.is(withPriority(json, json), `<4>${json}`);
  t.is(
    withPriority(json, '[10:00] WARN: not linked\n    why: "lost"\n'),
    '<4>[10:00] WARN: not linked\n<4>    why: "lost"\n',
  );
});
