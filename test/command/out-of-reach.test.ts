import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { freePorts } from '../support/cluster.ts';
import { startTestRelay } from '../support/relay.ts';
import { configFile } from '../support/relay-process.ts';
import { runCommand } from './run-command.ts';

/** The options of a node whose folder nobody can make: it would be below a file. */
function options(t: ExecutionContext, port: number, node = 'test'): string[] {
  const file = configFile(t, `node: ${node}\nadmin: { host: 127.0.0.1, port: ${port} }\n`);
  return ['--config', file, '--set', `var_dir=${join(file, 'var')}`];
}

/** Commands that ask the relay of this machine something. */
const ASKING: readonly (readonly string[])[] = [
  ['reload'],
  ['attach'],
  ['eval', '1'],
  ['rpc', 'peers'],
  ['top', '--once'],
  ['config', 'show', '--running'],
  ['config', 'show', '--diff'],
];

test('what asks a relay ends with 75 where none runs: another try may find one', async (t) => {
  const file = configFile(t, 'node: none\nadmin: false\n');
  for (const words of ASKING) {
    const { code, out, err } = await runCommand([...words, '--config', file]);
    t.is(code, 75, words.join(' '));
    t.is(out + err, 'Node is not running!\n', words.join(' '));
  }
});

test('where the folder of a node is out of reach, ping and status ask its admin port', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const args = options(t, relay.port('admin'));
  t.like(await runCommand(['ping', ...args]), { code: 0, out: 'pong\n' });
  const status = await runCommand(['status', ...args]);
  t.is(status.code, 0);
  t.regex(status.out, /^running; its folder .* is out of reach\n$/);
});

test('where the folder of a node is out of reach, commands that need its process say that it serves, and why they cannot', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const args = options(t, relay.port('admin'));
  const said = `the node serves, as its admin port says, but its folder ${args.at(-1)?.slice('var_dir='.length)}/test cannot be reached\n`;
  for (const words of [['pid'], ['stop'], ['restart']])
    t.deepEqual(await runCommand([...words, ...args]), { code: 1, out: '', err: said }, words[0]);
  for (const words of ASKING)
    t.deepEqual(await runCommand([...words, ...args]), { code: 75, out: '', err: said }, words.join(' '));
});

test('another node at that port is not the one that is asked about, nor is a stranger', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const stranger = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
  t.teardown(() => stranger.close());
  await new Promise((resolve) => stranger.once('listening', resolve));
  const at = stranger.address() as { readonly port: number };
  const [nobody = 0] = await freePorts(1);
  for (const args of [options(t, relay.port('admin'), 'other'), options(t, at.port), options(t, nobody)]) {
    t.like(await runCommand(['ping', ...args]), { code: 1, out: 'Node is not running!\n' });
    t.like(await runCommand(['status', ...args]), { code: 3, out: 'stopped\n' });
    t.like(await runCommand(['stop', ...args]), { code: 1, out: 'Node is not running!\n', err: '' });
    t.like(await runCommand(['eval', ...args, '1']), { code: 75, out: '', err: 'Node is not running!\n' });
  }
});

test('a folder that is not there tells nothing: its node could not make it', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const file = configFile(t, `node: test\nadmin: { host: 127.0.0.1, port: ${relay.port('admin')} }\n`);
  t.like(await runCommand(['ping', '--config', file]), { code: 0, out: 'pong\n' });
  const stop = await runCommand(['stop', '--config', file]);
  t.is(stop.code, 1);
  t.regex(stop.err, /^the node serves, .* cannot be reached\n$/);
});

test('a node whose folder tells that it does not run is not looked for elsewhere', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const file = configFile(t, `node: test\nadmin: { host: 127.0.0.1, port: ${relay.port('admin')} }\n`);
  mkdirSync(join(dirname(file), 'var', 'test'), { recursive: true });
  t.like(await runCommand(['ping', '--config', file]), { code: 1, out: 'Node is not running!\n' });
});

test('the configuration is named once for all commands by a variable; --config counts above it', async (t) => {
  const [one, other] = ['one', 'other'].map((node) => configFile(t, `node: ${node}\nadmin: false\n`)) as [
    string,
    string,
  ];
  const env = { FANFARE_CONFIG: one };
  t.is((await runCommand(['check'], '', { env })).out, `${one}: ok\n`);
  t.is((await runCommand(['check', '--config', other], '', { env })).out, `${other}: ok\n`);
  const { code, out, err } = await runCommand(['status'], '', { env });
  t.is(code, 3);
  t.is(out, 'stopped\n');
  t.regex(err, /^no node runs in \S+\/one: was it started with another configuration\?\n$/);
  const away = await runCommand(['check'], '', { env: { FANFARE_CONFIG: `${one}.not` } });
  t.is(away.code, 78);
  t.regex(away.err, /relay\.yaml\.not:1:1/);
});
