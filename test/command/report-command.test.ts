import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { tarOf } from '../../src/command/report/tar.ts';
import { configFile, runRelay, temporaryFolder } from '../support/relay-process.ts';
import { connectWs } from '../support/ws-client.ts';
import { runCommand } from './run-command.ts';

const SECRET = 'hunter2hunter2hunter2';

/** Unpacks an archive with the system's own tar. Returns its files by name. */
function unpacked(t: ExecutionContext, archive: string): ReadonlyMap<string, string> {
  const folder = temporaryFolder(t);
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  const [inside = ''] = readdirSync(folder);
  const names = readdirSync(join(folder, inside));
  return new Map(names.map((name) => [name, readFileSync(join(folder, inside, name), 'utf8')]));
}

test('an archive is read by tar, whatever the lengths of its files', (t) => {
  const folder = temporaryFolder(t);
  const lengths = [0, 1, 511, 512, 513, 100_000];
  const files = lengths.map((length) => ({ name: `${length}.txt`, content: 'ä'.repeat(length) }));
  const file = join(folder, 'x.tar');
  writeFileSync(file, tarOf('top', files, 1_700_000_000));
  execFileSync('tar', ['-xf', file, '-C', folder]);
  for (const { name, content } of files) {
    t.is(readFileSync(join(folder, 'top', name), 'utf8'), content);
    t.is(statSync(join(folder, 'top', name)).mtimeMs, 1_700_000_000_000);
  }
  t.throws(() => tarOf('top', [{ name: 'x'.repeat(97), content: '' }], 0), { message: /too long a name/ });
  t.notThrows(() => tarOf('top', [{ name: 'x'.repeat(96), content: '' }], 0));
});

test('a report of a relay that runs has all that somebody needs who is to help, and no secret', async (t) => {
  const var_dir = temporaryFolder(t);
  const env = { FANFARE_VAR_DIR: var_dir, FANFARE_ADMIN_PORT: '0' };
  const log = join(var_dir, 'relay.log');
  const file = configFile(
    t,
    `node: a\nlog: { file: ${log} }\nnetwork: { secret: ${SECRET} }\ndoors: { pusu: { host: 127.0.0.1, port: 0 } }\n`,
  );
  const relay = runRelay(t, ['--config', file, '--set', 'log.file=null'], env);
  const one = await connectWs(t, await relay.port('pusu'));
  await one.next();
  one.send(JSON.stringify({ type: 'subscribe', channel: 'chat' }));
  await one.next();
  writeFileSync(log, `${'x'.repeat(3 * 1024 * 1024)}\nthe last line\n`);
  const archive = join(var_dir, 'report.tar.gz');
  const { code, out, err } = await runCommand(['report', '-o', archive, '--config', file], '', { env });
  t.deepEqual([code, out], [0, `${archive}\n`]);
  t.is(statSync(archive).mode & 0o777, 0o600);
  const files = unpacked(t, archive);
  const of = (name: string) => files.get(name) ?? `there is no ${name}`;
  t.regex(of('settings-of-the-file.txt'), /^network\.secret: \[hidden\]/m);
  t.regex(of('settings-of-the-relay.txt'), /^log\.file +null +--set/m);
  t.regex(of('tree.txt'), /├─ topics/);
  t.regex(of('runtime.txt'), /Node\.js/);
  t.regex(of('topics-by-members.txt'), /chat/);
  t.regex(of('connections-by-pending.txt'), /127\.0\.0\.1/);
  t.regex(of('peers.txt'), /alone/);
  t.regex(of('process-limits.txt'), /Max open files/);
  t.regex(of('log.txt'), /the last line/);
  t.true(of('log.txt').length < 2.1 * 1024 * 1024);
  t.regex(of('README.txt'), /^- metrics\.txt: /m, 'the port of this relay is any free one');
  t.regex(err, /not in it: metrics\.txt/);
  t.false([...files.values()].join().includes(SECRET));
  const again = await runCommand(['report', '-o', archive, '--config', file], '', { env });
  t.deepEqual([again.code, again.out], [1, '']);
  t.true(again.err.includes(`${archive} is there already: name another with --output\n`));
  const nowhere = join(var_dir, 'no', 'report.tar.gz');
  const away = await runCommand(['report', '-o', nowhere, '--config', file], '', { env });
  t.deepEqual([away.code, away.out], [1, '']);
  t.true(away.err.includes(`${nowhere}: its folder is not there\n`));
});

test('a report of a node that does not run has what there is', async (t) => {
  const env = { FANFARE_VAR_DIR: temporaryFolder(t) };
  const file = configFile(t, 'node: a\nadmin: false\n');
  const archive = join(env.FANFARE_VAR_DIR, 'report.tar.gz');
  t.is((await runCommand(['report', '-o', archive, '--config', file], '', { env })).code, 0);
  const files = unpacked(t, archive);
  t.regex(files.get('README.txt') ?? '', /No node ran\.[\s\S]*tree\.txt: no node runs/);
  t.regex(files.get('settings-of-the-file.txt') ?? '', /^node: a /m);
});
