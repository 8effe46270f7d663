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
  for (const words of [
    ['config'],
    ['config', 'hide'],
    ['config', 'show', 'x.json'],
    ['config', 'show', '--diff', '--running'],
  ])
    t.is((await runCommand(words)).code, 1);
});

test('config show --diff is what a reload or a restart would change in the relay that runs; with a file it compares with another relay', async (t) => {
  const var_dir = temporaryFolder(t);
  const env = { FANFARE_VAR_DIR: var_dir, FANFARE_ADMIN_PORT: '0' };
  const file = configFile(t, settings('drain: 5s'));
  const config = (...words: readonly string[]) =>
    runCommand(['config', 'show', ...words, '--config', file], '', { env });
  t.like(await config('--diff'), { code: 75, out: '', err: 'Node is not running!\n' });
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
  t.is((await config('--diff', other, '--running')).code, 1);
  relay.signal('SIGHUP');
  await relay.log.find(({ msg }) => msg === 'reloaded');
  t.is((await config('--diff')).code, 0);
  t.is((await config('--diff', other, '--running')).code, 0);
});

test('config show --diff - compares with what another relay says, and of secrets only whether there is one', async (t) => {
  const show = async (text: string, words: readonly string[], input = '') =>
    runCommand(['config', 'show', ...words, '--config', configFile(t, text)], input);
  const there = (await show(`${settings('drain: 5s')}network: { secret: ${'x'.repeat(40)} }\n`, ['--json']))
    .out;
  const own = settings('drain: 6s');
  const { code, out } = await show(own, ['--diff', '-'], there);
  t.is(code, 1);
  t.regex(out, /^limits\.drain: 5s -> 6s +# .*relay\.yaml:2$/m);
  t.regex(out, /^network\.secret: only there/m);
  const secret = `network: { secret: ${'y'.repeat(40)} }\n`;
  t.regex(
    (await show(own + secret, ['--diff', '-'], (await show(own, ['--json'])).out)).out,
    /^network\.secret: only here/m,
  );
  const both = await show(settings('drain: 5s') + secret, ['--diff', '-'], there);
  t.deepEqual(both, { code: 0, out: 'network.secret: both set, not compared\n', err: '' });
  const json = await show(own + secret, ['--diff', '-', '--json'], there);
  t.is((JSON.parse(json.out) as Difference[]).find(({ key }) => key === 'limits.drain')?.before, '5s');
  t.notRegex(json.out + both.out + out, /xxx|yyy/);
});

test('what is no output of config show ends with 78, and says what is wrong', async (t) => {
  const file = configFile(t, settings('drain: 5s'));
  const diff = (from: string, input: string | Buffer = '') =>
    runCommand(['config', 'show', '--diff', from, '--config', file], input);
  for (const [input, said] of [
    ['', /^standard input is empty: has the other relay said nothing\?\n$/],
    ['limits.drain: 5s', /^standard input: not the output of config show --json\n$/],
    ['{}', /not the output of config show --json/],
    ['[]', /not the output of config show --json/],
    ['[{"key":"a","value":1,"from":"b"}]', /not the output of config show --json/],
    [Buffer.from([0xff, 0xfe]), /^standard input: not text in UTF-8\n$/],
    ['x'.repeat(4 * 1024 * 1024 + 1), /^standard input: more than 4 MiB\n$/],
  ] as const) {
    const { code, out, err } = await diff('-', input);
    t.is(code, 78);
    t.is(out, '');
    t.regex(err, said);
  }
  const missing = await diff('/nowhere/b.json');
  t.is(missing.code, 78);
  t.regex(missing.err, /^\/nowhere\/b\.json: ENOENT/);
});

test('what another relay says cannot move the cursor', async (t) => {
  const file = configFile(t, settings('drain: 5s'));
  const input = JSON.stringify([{ key: 'a\u001b[2J', value: '\u202e', from: 'b' }]);
  for (const json of [[], ['--json']]) {
    const { out } = await runCommand(['config', 'show', '--diff', '-', '--config', file, ...json], input);
    t.regex(out, /x1b|u001b/);
    t.notRegex(out.replaceAll('\n', ''), /[\p{Cc}\u202e]/u);
  }
});
