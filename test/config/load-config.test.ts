import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { parse as parseYaml } from 'yaml';
import { formatError } from '../../src/config/config-error.ts';
import { keyPaths, relayKeys } from '../../src/config/keys.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { packageRoot } from '../support/relay-process.ts';

function load(
  file?: string,
  sets: string[] = [],
): { lines: string[]; result: ReturnType<typeof loadConfig> } {
  const result = loadConfig({ file, sets, env: {}, packageRoot });
  return { result, lines: result.ok ? [] : result.errors.map(formatError) };
}

function written(content: string | Buffer): string {
  const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'relay.yaml');
  writeFileSync(file, content);
  return file;
}

test("the package's file is the default, and says what the code's defaults say, with every door open", (t) => {
  const { result } = load();
  const { result: bare } = load(written('doors: { pusu: true, wspubsub: true, pinghub: true }'));
  t.true(result.ok && bare.ok);
  if (!result.ok || !bare.ok) return;
  t.is(result.file, join(packageRoot, 'config/relay.yaml'));
  t.deepEqual(result.warnings, []);
  // The keys of publishers are in a file beside the one that was read.
  const shown = ({ config, file }: typeof result) => JSON.stringify(config).replaceAll(dirname(file), '');
  t.is(shown(result), shown(bare));
});

test("the package's file holds every key", (t) => {
  const text = readFileSync(join(packageRoot, 'config/relay.yaml'), 'utf8');
  const root: unknown = parseYaml(text);
  for (const path of keyPaths(relayKeys)) {
    const name = path.join('.');
    const holder = path.slice(0, -1).reduce<unknown>((map, key) => Object(map)[key], root);
    if (relayKeys.keys?.get(name)?.aliasOf) t.regex(text, new RegExp(`^# ${name}: `, 'm'), name);
    else t.true(Object.hasOwn(Object(holder), path.at(-1) ?? ''), name);
  }
});

test('a file takes the place of the default, and flags count before it', (t) => {
  const file = written('node: a\nclient_port: 1\n');
  const { result } = load(file, ['client_port=2']);
  t.true(
    result.ok && result.file === file && result.config.node === 'a' && result.config.doors.pusu?.port === 2,
  );
});

test('a file that cannot be read is one clear error', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  const absent = join(folder, 'absent.yaml');
  t.deepEqual(load(absent, ['nod=1']).lines, [
    `${absent}:1:1 file: a configuration file; there is no file of this name`,
  ]);
  t.deepEqual(load(folder).lines, [`${folder}:1:1 file: a configuration file; this is a directory`]);
  const binary = written(Buffer.from([0x6e, 0xff, 0xfe]));
  t.deepEqual(load(binary).lines, [`${binary}:1:1 file: a configuration file; it is no text in UTF-8`]);
  t.deepEqual(load('a\0b').lines, [
    'a?b:1:1 file: a configuration file; reading it failed with ERR_INVALID_ARG_VALUE',
  ]);
  t.regex(load('/dev/zero').lines.join('\n'), /^\/dev\/zero:1:1 yaml: at most 1 MiB of text$/);
});
