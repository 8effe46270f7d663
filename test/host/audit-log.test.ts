import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { AUDIT_FILE, appendToAudit, auditLog } from '../../src/host/audit-log.ts';
import type { AuditEntry } from '../../src/view/audit.ts';
import { temporaryFolder } from '../support/relay-process.ts';

const entry = { by: 'page', who: '10.0.0.1', what: 'kill <88>', outcome: 'done' } satisfies AuditEntry;

function world() {
  const said: string[] = [];
  const say = (message: string) => said.push(message);
  return { said, log: { note: say, warn: say } };
}

test('a line says when, who, what, and what came of it; only the owner reads the file', (t) => {
  const folder = temporaryFolder(t);
  auditLog(folder, world().log).write(entry);
  const file = join(folder, AUDIT_FILE);
  const { time, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as AuditEntry & { readonly time: string };
  t.deepEqual(rest, entry);
  t.true(Number.isFinite(Date.parse(time)));
  t.is(statSync(file).mode & 0o777, 0o600);
});

test('after it was renamed there is a new file', (t) => {
  const folder = temporaryFolder(t);
  const audit = auditLog(folder, world().log);
  const file = join(folder, AUDIT_FILE);
  audit.write(entry);
  renameSync(file, `${file}.1`);
  audit.write({ ...entry, what: 'resume <88>' });
  t.regex(readFileSync(file, 'utf8'), /resume/);
  t.notRegex(readFileSync(`${file}.1`, 'utf8'), /resume/);
});

test('a file that cannot be written is said once, and again after it could be', (t) => {
  const folder = join(temporaryFolder(t), 'gone');
  const { said, log } = world();
  const audit = auditLog(folder, log);
  audit.write(entry);
  audit.write(entry);
  t.deepEqual(said, ['the audit log cannot be written']);
});

test('without a folder the log has the lines', (t) => {
  const { said, log } = world();
  auditLog(null, log).write(entry);
  t.deepEqual(said, ['audit']);
});

test('a text of up to 1000 characters is whole; a longer one is cut', (t) => {
  const folder = temporaryFolder(t);
  const audit = auditLog(folder, world().log);
  const whats = () =>
    readFileSync(join(folder, AUDIT_FILE), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as AuditEntry).what);
  for (const length of [1000, 1001]) audit.write({ ...entry, what: 'x'.repeat(length) });
  t.deepEqual(whats(), ['x'.repeat(1000), `${'x'.repeat(1000)}…`]);
});

test('another process adds to a file that is there, and makes none', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, AUDIT_FILE);
  appendToAudit(folder, entry);
  t.false(existsSync(file));
  writeFileSync(file, '');
  appendToAudit(folder, entry);
  t.regex(readFileSync(file, 'utf8'), /kill <88>/);
  rmSync(folder, { recursive: true });
  t.notThrows(() => appendToAudit(folder, entry));
});
