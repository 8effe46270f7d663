import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { Difference, Effective } from '../../src/config/effective.ts';
import { configFile, runRelay, temporaryFolder } from '../support/relay-process.ts';
import { runCommand } from './run-command.ts';

const settings = (limits: string) =>
  `node: a\nlimits: { ${limits} }\ndoors: { pusu: { host: 127.0.0.1, port: 0 } }\n`;

test('config show has all keys with their values and where they come from', async (t) => {
  const file = configFile(t, settings('drain: 5s'));
  const { code, out } = await runCommand(['config', 'show', '--config', file, '--set', 'limits.pong=7s']);
  t.is(code, 0);
  const lines = out.trimEnd().split('\n');
  t.regex(
    lines.find((line) => line.startsWith('limits.drain:')) ?? '',
    /^limits\.drain: 5s +# .*relay\.yaml:2$/,
  );
  t.regex(lines.find((line) => line.startsWith('limits.pong:')) ?? '', /^limits\.pong: 7s +# --set$/);
  t.regex(
    lines.find((line) => line.startsWith('limits.message:')) ?? '',
    /^limits\.message: 64KiB +# default$/,
  );
  const json = await runCommand(['config', 'show', '--json', '--config', file]);
  t.is((JSON.parse(json.out) as Effective[]).find(({ key }) => key === 'limits.drain')?.value, '5s');
  t.is((await runCommand(['config', 'show', '--config', configFile(t, 'nod: a')])).code, 78);
  for (const words of [['config'], ['config', 'hide'], ['config', 'show', '--against', 'x.json']])
    t.is((await runCommand(words)).code, 1);
});

test('config show --diff is what a reload or a restart would change in the relay that runs; --against compares with another', async (t) => {
  const var_dir = temporaryFolder(t);
  const env = { FANFARE_VAR_DIR: var_dir, FANFARE_ADMIN_PORT: '0' };
  const file = configFile(t, settings('drain: 5s'));
  const config = (...words: readonly string[]) =>
    runCommand(['config', 'show', ...words, '--config', file], '', { env });
  t.regex((await config('--diff')).out + (await config('--diff')).err, /not running/);
  const relay = runRelay(t, ['--config', file], env);
  await relay.log.find(({ msg }) => msg === 'ready');
  t.deepEqual(await config('--diff'), { code: 0, out: '', err: '' });
  writeFileSync(file, settings('drain: 6s').replace('node: a', 'node: a\nvar_dir: null'));
  const { code, out } = await config('--diff', '--json');
  t.is(code, 1);
  t.deepEqual(JSON.parse(out) as Difference[], [
    { key: 'limits.drain', before: '5s', after: '6s', from: `${file}:3` },
  ]);
  t.regex((await config('--diff')).out, /^limits\.drain: 5s -> 6s {2}# /);
  t.regex((await config('--running')).out, /^limits\.drain: 5s /m);
  const other = join(var_dir, 'other.json');
  writeFileSync(other, (await config('--json')).out);
  t.is((await config('--diff', '--running', '--against', other)).code, 1);
  relay.signal('SIGHUP');
  await relay.log.find(({ msg }) => msg === 'reloaded');
  t.is((await config('--diff')).code, 0);
  t.is((await config('--diff', '--running', '--against', other)).code, 0);
  writeFileSync(other, '{}');
  t.regex((await config('--diff', '--against', other)).err, /not the output of config show --json/);
});
