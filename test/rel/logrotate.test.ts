import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { eventually } from '../support/arrivals.ts';
import { configFile, packageRoot, temporaryFolder } from '../support/relay-process.ts';

const recipe = readFileSync(join(packageRoot, 'rel', 'logrotate', 'fanfare'), 'utf8');

test('logrotate rotates both logs of a relay that runs, and loses no line', async (t) => {
  if (spawnSync('logrotate', ['--version']).error !== undefined) {
    t.pass('logrotate is not here');
    return;
  }
  const folder = temporaryFolder(t);
  const node = join(folder, 'n');
  mkdirSync(node, { mode: 0o700 });
  const log = join(node, 'fanfare.log');
  const audit = join(node, 'audit.log');
  const config = configFile(t, 'node: n\nadmin: false\ndoors: { pusu: { host: 127.0.0.1, port: 0 } }\n');
  const output = openSync(log, 'a');
  const child = spawn(process.execPath, [join(packageRoot, 'dist', 'start.js'), '--config', config], {
    env: { PATH: process.env['PATH'] ?? '', FANFARE_VAR_DIR: folder },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(() => {
    child.kill('SIGKILL');
    return gone;
  });
  const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await eventually(() => read(log).includes('"msg":"ready"'), 'it is ready');
  child.kill('SIGHUP');
  await eventually(() => read(audit).includes('SIGHUP'), 'it has written into its audit log');

  const file = join(folder, 'logrotate.conf');
  const { username, gid } = userInfo();
  const group = execFileSync('id', ['-gn', String(username)], { encoding: 'utf8' }).trim();
  t.true(gid >= 0);
  writeFileSync(
    file,
    recipe.replaceAll('/var/lib/fanfare', folder).replaceAll('fanfare fanfare', `${username} ${group}`),
    { mode: 0o644 },
  );
  const rotate = () => execFileSync('logrotate', ['--force', '--state', join(folder, 'state'), file]);
  rotate();
  await eventually(() => read(log).includes('log opened anew'), 'its log goes on');
  t.regex(read(`${log}.1`), /"msg":"ready"/);
  t.regex(read(`${audit}.1.gz`) || read(`${audit}.1`), /./);
  child.kill('SIGTERM');
  await gone;
  t.regex(read(log), /"msg":"stopped"/);
  t.regex(read(audit), /SIGTERM/);
});
