import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { NodeClient } from '../../src/attach/client/node-client.ts';
import { auditLog } from '../../src/host/audit-log.ts';
import type { Pid } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { Arrivals, eventually } from '../support/arrivals.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { connectWs } from '../support/ws-client.ts';

interface Attached {
  readonly relay: TestRelay;
  readonly folder: string;
  readonly client: NodeClient;
  readonly said: Arrivals<string>;
}

async function attached(t: ExecutionContext, settings = {}): Promise<Attached> {
  const folder = join(temporaryFolder(t), 'node');
  const audit = auditLog(folder, { note: () => undefined, warn: () => undefined });
  const relay = await startTestRelay(t, settings, 10, { folder, version: '9.9', audit });
  const client = await NodeClient.connect(folder);
  if (client === undefined) throw new Error('nobody answers');
  t.teardown(() => client.close());
  const said = new Arrivals<string>('said');
  client.onSay = (text) => said.push(text);
  return { relay, folder, client, said };
}

test('only the owner can open the socket and enter its folder', async (t) => {
  const { folder, client } = await attached(t);
  t.is(statSync(folder).mode & 0o777, 0o700);
  t.is(statSync(join(folder, 'attach.sock')).mode & 0o777, 0o600);
  t.like(client.hello, { node: 'test', pid: process.pid, version: '9.9', evaluation: true });
  t.is(await client.status(), 'ready');
});

test('a folder may be deeper than the address of a socket is long, and is let go of in the end', async (t) => {
  const folder = join(temporaryFolder(t), 'deep'.repeat(30), 'node');
  const isHeld = () =>
    readdirSync('/proc/self/fd').some((name) => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`) === folder;
      } catch {
        return false;
      }
    });
  const { relay } = await startTestRelay(t, {}, 10, { folder });
  const client = await NodeClient.connect(folder);
  t.is(await client?.status(), 'ready');
  client?.close();
  t.true(isHeld());
  relay.stop();
  await relay.ended;
  t.false(isHeld());
  t.false(existsSync(join(folder, 'attach.sock')));
});

test('an operation is a function whose answer is aligned for people, or JSON', async (t) => {
  const { client } = await attached(t);
  for (const style of ['lines', 'shell'] as const)
    for (const { text } of [await client.evaluate('tree()', style), await client.call('tree', [], style)])
      t.regex(text, /\n {3}├─ topics/);
  const tree = JSON.parse((await client.call('tree', [], 'json')).text) as readonly unknown[];
  t.like(tree, [{ id: 1, children: [{ name: 'root' }] }]);
  t.is((JSON.parse((await client.evaluate('topics()', 'json')).text) as { total: number }).total, 0);
  t.regex((await client.evaluate('top({window: 1})', 'lines')).text, /^ref +process/);
  for (const style of ['lines', 'shell'] as const) {
    t.regex((await client.evaluate('h()', style)).text, /\n +.*\nnode_stats/s);
    t.regex((await client.call('h', [], style)).text, /\n +.*\nnode_stats/s);
  }
  t.regex((await client.evaluate('h(tree)', 'lines')).text, /^tree/);
});

test('help is asked for as h, as help, and in words without brackets', async (t) => {
  const { client } = await attached(t);
  for (const style of ['lines', 'shell'] as const) {
    const all = await client.evaluate('h()', style);
    const one = await client.evaluate("h('timeline')", style);
    t.regex(one.text, /^timeline/);
    for (const typed of ['help', ' help ', 'help()'])
      t.deepEqual(await client.evaluate(typed, style), all, typed);
    for (const typed of ["help('timeline')", 'help(timeline)', 'help timeline', 'h timeline'])
      t.deepEqual(await client.evaluate(typed, style), one, typed);
  }
  t.false((await client.evaluate('help nothing', 'shell')).ok);
  t.true((await client.complete('hel')).includes('help'));
  t.true((await client.complete("help('timel")).includes('timeline'));
  const { text } = await client.call('timeline', [{ kind: 'operator' }], 'json');
  t.is((JSON.parse(text) as { total: number }).total, 0, 'it is nothing that an operator has done');
});

test('for the shell a text of several lines is those lines, and an error is one', async (t) => {
  const { client } = await attached(t);
  t.is((await client.evaluate('"a\\nb\\u001b[2J"', 'shell')).text, 'a\nb\\x1b[2J');
  t.is((await client.evaluate('const a = 1\nconst b = 2\na + b', 'shell')).text, '3');
  t.is((await client.evaluate('[1, 2]\n  .map((n) => n + 1)', 'shell')).text, '[ 2, 3 ]');
  t.deepEqual(await client.evaluate('null.x', 'shell'), {
    ok: false,
    text: "Uncaught TypeError: Cannot read properties of null (reading 'x')",
  });
});

test('what an operation is given and cannot use is an error, with its usage', async (t) => {
  const { client } = await attached(t);
  const usage = "usage: topics({by: 'rate', n: 20, offset: 0, window: 1000})";
  for (const [name, args, why] of [
    [
      'topics',
      [{ by: 'nothing' }],
      `by is one of rate, deliveries, members, queue, handled, kept, keptBytes, name\n${usage}`,
    ],
    ['topics', [{ bye: 'name' }], `there is no option bye; there are by, n, offset, window\n${usage}`],
    ['topics', ['members'], `options are given as {key: value}; there are by, n, offset, window\n${usage}`],
    ['topics', [{}, 1], `topics takes one argument, and these are 2\n${usage}`],
    ['peers', ['x'], 'peers takes no arguments, and these are 1\nusage: peers()'],
    ['state', [], 'state needs one argument\nusage: state(ref)'],
    ['node_stats', [1, 2, 3], 'node_stats takes 2 arguments, and these are 3\nusage: node_stats(n, ms)'],
  ] as const)
    t.deepEqual(await client.call(name, args, 'shell'), { ok: false, text: why });
  t.like(await client.call('nothing', [], 'lines'), { ok: false });
  t.like(await client.evaluate('topics({by: "nothing"})', 'lines'), { ok: false });
});

test('a trace of a command of the shell ends with its lines: whoever asked leaves with the answer', async (t) => {
  const { client, said, folder } = await attached(t);
  const trace = client.call('trace', ['attach.listener', { max: 1, period: 60_000 }], 'shell');
  const other = await NodeClient.connect(folder);
  t.teardown(() => other?.close());
  t.regex((await trace).text, /^attach\.listener 1\/1 .*connection/);
  const none = await client.call('trace', ['attach.publisher', { max: 2, period: 1 }], 'shell');
  t.is(none.text, 'it has handled no message');
  t.deepEqual(JSON.parse((await client.call('trace', ['root', { period: 1 }], 'json')).text), []);
  t.is((await client.evaluate("trace('root', {period: 1})", 'shell')).text, 'it has handled no message');
  t.deepEqual(said.all, []);
});

test('an error is told with what of its stack is the operator’s, and habits do not stop the node', async (t) => {
  const { client, relay } = await attached(t);
  const { ok, text } = await client.evaluate('function f() { null.x }\nf()', 'lines');
  t.false(ok);
  t.regex(text, /^Uncaught TypeError: .*\n {4}at f \(prompt:1:21\)\n {4}at prompt:2:1$/);
  for (const habit of ['process.exit()', 'exit()', 'quit()', 'process.abort()'])
    t.regex((await client.evaluate(habit, 'lines')).text, /\^D detaches/, habit);
  t.true(relay.relay.node.ready());
});

test('what a timer throws later and what it prints comes unasked', async (t) => {
  const { client, said } = await attached(t);
  await client.evaluate('setTimeout(() => { console.log("hi\\u001b"); null.x }); 1', 'lines');
  t.is(await said.next(), 'hi\\x1b');
  t.regex(await said.next(), /^Uncaught TypeError/);
});

test('an operation that takes long is given up when it is cancelled', async (t) => {
  const { client } = await attached(t);
  const under = client.evaluate('node_stats(100, 1000)', 'lines');
  client.cancel();
  t.deepEqual(await under, { ok: false, text: 'cancelled' });
  const waiting = client.evaluate('await new Promise(() => {})', 'lines');
  client.cancel();
  t.deepEqual(await waiting, { ok: false, text: 'cancelled' });
});

test('everything that is asked is in the audit log: who, what, and what came of it', async (t) => {
  const { client, folder } = await attached(t);
  await client.evaluate('1 + 1', 'shell');
  await client.call('topics', [{ n: 1 }], 'shell');
  await client.command('kill <99999>', 'shell');
  const command = await NodeClient.connect(folder, { by: 'command', who: 'alice as root' });
  await command?.call('peers', [], 'json');
  command?.close();
  const file = join(folder, 'audit.log');
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>);
  t.like(lines, [
    { by: 'prompt', what: '1 + 1', outcome: 'begun' },
    { by: 'prompt', what: '1 + 1', outcome: 'done' },
    { by: 'prompt', what: 'topics({"n":1})', outcome: 'done' },
    { by: 'prompt', what: 'kill <99999>' },
    { by: 'command', what: 'peers()', outcome: 'done' },
  ]);
  t.regex(lines[0]?.['who'] ?? '', /^<\d+>$/);
  t.regex(lines[3]?.['outcome'] ?? '', /^failed: /);
  t.regex(lines[4]?.['who'] ?? '', /^alice as root <\d+>$/);
  t.is(statSync(file).mode & 0o777, 0o600);
});

test('what operators do is in the time line, and what they only look at is not', async (t) => {
  const { client } = await attached(t);
  for (const text of [
    'topics({n: 1})',
    "i('topic:main:a-b(c)')",
    'await topics()',
    'h()',
    "log_level('debug')",
    'nothing = 1',
    'topics(h())',
  ])
    await client.evaluate(text, 'shell');
  await client.call('peers', [], 'shell');
  await client.call('kill', ['<99999>'], 'shell');
  await client.command('tree', 'shell');
  await client.command('resume <99999>', 'shell');
  const { text } = await client.call('timeline', [{ kind: 'operator' }], 'json');
  const rows = (JSON.parse(text) as { rows: { of: string; what: string }[] }).rows.toReversed();
  t.deepEqual(
    rows.map(({ what }) => what.replace(/: failed.*/, ': failed')),
    [
      "prompt: log_level('debug')",
      'prompt: an expression',
      'prompt: an expression: failed',
      'prompt: kill("<99999>"): failed',
      'prompt: resume <99999>: failed',
    ],
  );
  t.regex(rows[0]?.of ?? '', /^<\d+>$/);
});

test('the time line has no message and nothing of what was evaluated, and the audit log has both', async (t) => {
  const { client, folder } = await attached(t);
  const name = 'topic:main:kept.a';
  for (const text of [
    `publish('${name}', 'SECRETone')`,
    `publish("${name}", {content: "SECRETtwo"})`,
    `publish('${name}', 'it\\'s SECRETthree')`,
    `await publish('${name}', SECRETfour)`,
    "globalThis.kept = 'SECRETfive'",
    "throw new Error('SECRETsix')",
    `publish('${name}')`,
    "kill('<99999>'); 'SECRETeight'",
    "disconnect({address: '10.9.9.9'}, 'maintenance')",
  ])
    await client.evaluate(text, 'shell');
  await client.call('publish', [name, 'SECRETnine'], 'json');
  await client.call('publish', [name], 'json');
  await client.command(`publish ${name}, SECRETten`, 'shell');
  await client.command(`publish ${name}, {SECRETeleven`, 'shell');
  const { text } = await client.call('timeline', [{ kind: 'operator', n: 100 }], 'json');
  const rows = (JSON.parse(text) as { rows: { what: string }[] }).rows.toReversed();
  t.notRegex(text, /SECRET/);
  t.deepEqual(
    rows.map(({ what }) => what),
    [
      `prompt: publish("${name}", …)`,
      `prompt: publish("${name}", …)`,
      'prompt: publish(…)',
      `prompt: publish("${name}", …): failed`,
      'prompt: an expression',
      'prompt: an expression: failed',
      `prompt: publish("${name}"): failed`,
      'prompt: an expression: failed',
      "prompt: disconnect({address: '10.9.9.9'}, 'maintenance'): failed: no such client is there",
      `prompt: publish("${name}", …)`,
      `prompt: publish("${name}"): failed`,
      `prompt: publish("${name}", …)`,
      'prompt: publish(…): failed',
    ],
  );
  const audited = readFileSync(join(folder, 'audit.log'), 'utf8');
  for (const secret of ['one', 'two', 'three', 'five', 'six', 'eight', 'nine', 'ten', 'eleven'])
    t.true(audited.includes(`SECRET${secret}`), secret);
});

test('what a program looks at again and again is in the audit log once for each session, and a failure each time', async (t) => {
  const { client, folder } = await attached(t);
  for (let i = 0; i < 3; i++) {
    await client.call('topics', [{ n: 1 }], 'json');
    await client.call('node_stats', [1, 1], 'json');
    await client.call('topics', [{ n: 0 }], 'json');
    await client.call('log_level', [], 'json');
  }
  const lines = readFileSync(join(folder, 'audit.log'), 'utf8').trimEnd().split('\n');
  const times = (what: string) =>
    lines.filter((line) => (JSON.parse(line) as { what: string }).what === what).length;
  t.is(times('topics({"n":1})'), 1);
  t.is(times('node_stats(1, 1)'), 1);
  t.is(times('topics({"n":0})'), 3);
  t.is(times('log_level()'), 3);
});

test('without attach.eval the operations are there, and nothing is evaluated', async (t) => {
  const { client } = await attached(t, { attach: { eval: false } });
  t.false(client.hello.evaluation);
  t.like(await client.evaluate('1 + 1', 'shell'), { ok: false });
  t.regex((await client.command('topics {by: name}', 'lines')).text, /none/);
  const help = (await client.command('h', 'lines')).text;
  t.true(help.split('\n').some((line) => line.startsWith('node_stats(n, ms)')));
  t.notRegex(help, /' \+$/m, 'the list is text, not the literal of a string');
  t.deepEqual(await client.complete('conn'), ['connections']);
});

test('without attach.enabled there is no socket', async (t) => {
  const folder = temporaryFolder(t);
  await startTestRelay(t, { attach: { enabled: false } }, 10, { folder });
  t.is(await NodeClient.connect(folder), undefined);
});

test('what is no request ends the connection, and no other', async (t) => {
  const { client, folder } = await attached(t);
  for (const line of [
    'hello',
    '{"type":"evaluate"}',
    '{"type":"nothing","id":1}',
    `"${'x'.repeat(1024 * 1024)}`,
  ]) {
    const socket = connect(join(folder, 'attach.sock'));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(`${line}\n`);
    await closed;
  }
  t.like(await client.evaluate('1', 'shell'), { text: '1' });
});

test('a listener that is killed is followed by another at the same place', async (t) => {
  const { client, relay, folder } = await attached(t, { doors: { pusu: {} } });
  for (const name of ['attach.listener', 'listener.pusu'])
    t.like(await client.call('kill', [name], 'shell'), { ok: true });
  await relay.log.count(({ msg }) => msg === 'console', 2);
  const again = await NodeClient.connect(folder);
  t.is(again?.hello.pid, process.pid);
  again?.close();
  await relay.log.count(({ msg, door }) => msg === 'listening' && door === 'pusu', 2);
  await connectWs(t, relay.port('pusu'));
});

test('the relay lives on when attach has used up its restarts', async (t) => {
  const { relay } = await attached(t, { doors: { pusu: {} } });
  const { names } = relay.relay.system;
  // As fast as it is there again: they count only within a few seconds of each other.
  let last: Pid<unknown> | undefined;
  let kills = 0;
  await eventually(() => {
    const publisher = names.get('attach.publisher');
    if (publisher !== undefined && publisher !== last) {
      exit(publisher as Pid<never>, 'kill');
      last = publisher;
      kills++;
    }
    return !names.has('attach.listener');
  }, 'attach is down');
  t.true(kills >= 6, `${kills} kills`);
  await relay.log.find(
    ({ context, supervisor }) => context === 'shutdown' && String(supervisor).startsWith('attach'),
  );
  await connectWs(t, relay.port('pusu'));
});
