import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { Arrivals, eventually } from '../support/arrivals.ts';
import { freePorts } from '../support/cluster.ts';
import { faultyProxy } from '../support/faulty-proxy.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { configFile, packageRoot, temporaryFolder } from '../support/relay-process.ts';
import { hasTerminals, onTerminal } from '../support/terminal.ts';
import { runCommand } from './run-command.ts';

const urlOf = (relay: TestRelay) => `ws://127.0.0.1:${relay.port('pusu')}`;
const membersOf = (relay: TestRelay, channel: string) =>
  relay.relay.topics.find('main', channel)?.members.size ?? 0;

/** Waits until somebody listens to the channel. */
const heard = (relay: TestRelay, channel: string) =>
  eventually(() => membersOf(relay, channel) > 0, `a subscriber of ${channel}`);

/** A `sub` that is connected; its lines as they come, and its end. */
async function listening(t: ExecutionContext, relay: TestRelay, ...args: readonly string[]) {
  const channels = args.filter((arg) => !arg.startsWith('--'));
  const lines = new Arrivals<string>('lines of sub');
  const interrupted = new AbortController();
  t.teardown(() => interrupted.abort());
  const ended = runCommand(['sub', '--url', urlOf(relay), ...args], '', {
    interruption: () => interrupted.signal,
    stdout: () =>
      new Writable({
        write(chunk, _encoding, done) {
          for (const line of String(chunk).split('\n').slice(0, -1)) lines.push(line);
          done();
        },
      }),
  });
  await heard(relay, channels[0] ?? '');
  return { lines, ended, interrupt: () => interrupted.abort() };
}

const pub = (relay: TestRelay, ...args: readonly string[]) =>
  runCommand(['pub', '--url', urlOf(relay), ...args]);

const plain = { doors: { pusu: {} } };
const kept = { ...plain, topics: [{ pattern: 'kept.*', history: true }] };

test('a text goes from pub to sub, which ends when it has as many as were asked for', async (t) => {
  const relay = await startTestRelay(t, plain);
  const sub = await listening(t, relay, 'news', '--count=2');
  t.deepEqual(await pub(relay, 'news', 'Hello'), { code: 0, out: '', err: '' });
  t.deepEqual(await pub(relay, 'news', '--', '-5 °C'), { code: 0, out: '', err: '' });
  t.deepEqual(await sub.ended, { code: 0, out: '', err: '' });
  t.deepEqual(sub.lines.all, ['Hello', '-5 °C']);
});

test('standard input is one message, or with --lines a message a line', async (t) => {
  const relay = await startTestRelay(t, plain);
  const sub = await listening(t, relay, 'news', '--count=4', '--json');
  const publish = (input: string, ...args: string[]) =>
    runCommand(['pub', 'news', '--url', urlOf(relay), ...args], input);
  t.like(await publish('a\nb\n', '-'), { code: 0, err: '' });
  t.like(await publish('c\r\n\nd', '--lines'), { code: 0, err: '' });
  t.is((await sub.ended).code, 0);
  t.deepEqual(
    sub.lines.all.map((line) => JSON.parse(line).content),
    ['a\nb', 'c', '', 'd'],
  );
});

test('a file, a message many times, and contents that are JSON', async (t) => {
  const relay = await startTestRelay(t, plain);
  const file = join(temporaryFolder(t), 'messages');
  writeFileSync(file, '{"a":1}\n"text"\n3\n');
  const sub = await listening(t, relay, 'news', '--count=6');
  t.like(await pub(relay, 'news', '--file', file, '--lines', '--json-content'), { code: 0, err: '' });
  t.deepEqual(await pub(relay, 'news', 'again', '--count', '3', '--json'), {
    code: 0,
    out: '{"channel":"news","published":3}\n',
    err: '',
  });
  t.is((await sub.ended).code, 0);
  t.deepEqual(sub.lines.all, ['{"a":1}', 'text', '3', 'again', 'again', 'again']);
});

test('in JSON each message names its channel, and its position where there is one', async (t) => {
  const relay = await startTestRelay(t, kept);
  const sub = await listening(t, relay, 'kept.a', 'other', '--count=2', '--json');
  const { out } = await pub(relay, 'kept.a', 'one', '--json');
  const { at } = JSON.parse(out);
  t.regex(at, /^[0-9a-z]+:1$/);
  await pub(relay, 'other', 'two');
  t.is((await sub.ended).code, 0);
  t.deepEqual(
    sub.lines.all.map((line) => JSON.parse(line)),
    [
      { channel: 'kept.a', type: 'message', content: 'one', at, replayed: false },
      { channel: 'other', type: 'message', content: 'two', replayed: false },
    ],
  );
});

test('sub begins where it is told to, with what the relay has kept', async (t) => {
  const relay = await startTestRelay(t, kept);
  const first = JSON.parse((await pub(relay, 'kept.b', 'one', '--json')).out).at;
  await pub(relay, 'kept.b', 'two');
  const since = (at: string, count: string) =>
    runCommand(['sub', 'kept.b', '--url', urlOf(relay), '--since', at, '--count', count]);
  t.is((await since('all', '2')).out, 'one\ntwo\n');
  t.is((await since('last', '1')).out, 'two\n');
  t.is((await since(first, '1')).out, 'two\n');
});

test('what was missed is said, shown in JSON, and with --fail-on-gap ends with 1', async (t) => {
  const relay = await startTestRelay(t, kept);
  await pub(relay, 'kept.c', 'one');
  const sub = (...args: string[]) =>
    runCommand(['sub', 'kept.c', '--url', urlOf(relay), '--since', '1nowhere:7', ...args]);
  t.deepEqual(await sub('--fail-on-gap'), {
    code: 1,
    out: '',
    err: 'kept.c: messages may be missing (unknown_epoch)\n',
  });
  const { code, out } = await sub('--json', '--fail-on-gap');
  t.is(code, 1);
  t.like(JSON.parse(out), { channel: 'kept.c', type: 'gap', why: 'unknown_epoch' });
});

test('a connection that is lost is made again, and what may have been missed is said', async (t) => {
  const relay = await startTestRelay(t, plain);
  const proxy = await faultyProxy(t);
  proxy.target = relay.port('pusu');
  const running = runCommand([
    'sub',
    'news',
    '--json',
    '--count',
    '2',
    '--url',
    `ws://127.0.0.1:${proxy.port}`,
  ]);
  await heard(relay, 'news');
  await pub(relay, 'news', 'before');
  proxy.cut();
  await eventually(() => membersOf(relay, 'news') === 0, 'the end of the first connection');
  await heard(relay, 'news');
  await pub(relay, 'news', 'after');
  const { code, out, err } = await running;
  t.is(code, 0);
  t.deepEqual(
    out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).content ?? JSON.parse(line).type),
    ['before', 'gap', 'after'],
  );
  t.regex(err, /^the connection is lost.*; trying again\nconnected again\n$/);
});

test('a relay that stays away for several attempts is told of once', async (t) => {
  const relay = await startTestRelay(t, plain);
  const proxy = await faultyProxy(t);
  proxy.target = relay.port('pusu');
  let attempts = 0;
  const closed = createServer((socket) => {
    attempts++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  t.teardown(() => closed.close());
  await new Promise((resolve) => closed.once('listening', resolve));
  const running = runCommand(['sub', 'news', '--count', '1', '--url', `ws://127.0.0.1:${proxy.port}`]);
  await heard(relay, 'news');
  proxy.target = (closed.address() as AddressInfo).port;
  proxy.cut();
  await eventually(() => attempts >= 3, 'three attempts');
  proxy.target = relay.port('pusu');
  await heard(relay, 'news');
  await pub(relay, 'news', 'after');
  const { code, out, err } = await running;
  t.is(code, 0);
  t.is(out, 'after\n');
  t.regex(
    err,
    /^the connection is lost \(.+\); trying again\nconnected again\nnews: messages may be missing \(.*\)\n$/,
  );
});

test('short of its count when the time is up, it ends with 75; without a count with 0', async (t) => {
  const relay = await startTestRelay(t, plain);
  const sub = (...args: string[]) =>
    runCommand(['sub', 'quiet', '--url', urlOf(relay), '--wait', '0.2', ...args]);
  t.deepEqual(await sub('--count', '1'), { code: 75, out: '', err: '0 of 1 messages have come\n' });
  t.deepEqual(await sub(), { code: 0, out: '', err: '' });
});

test('interrupted, it ends in good order', async (t) => {
  const relay = await startTestRelay(t, plain);
  const sub = await listening(t, relay, 'news');
  sub.interrupt();
  t.deepEqual(await sub.ended, { code: 0, out: '', err: '' });
  await eventually(() => membersOf(relay, 'news') === 0, 'the end of its connection');
});

test('a relay that is out of reach ends all with 75', async (t) => {
  const [nobody = 0] = await freePorts(1);
  const away = ['--url', `ws://127.0.0.1:${nobody}`, '--timeout', '3'];
  for (const command of [
    ['sub', 'news'],
    ['pub', 'news', 'x'],
  ]) {
    const { code, out, err } = await runCommand([...command, ...away]);
    t.is(code, 75);
    t.is(out, '');
    t.regex(err, /^ws:\/\/127\.0\.0\.1:\d+\/ was out of reach for 3 s: .+\n$/);
  }
});

test('a relay that goes while pub publishes: it says how far it got', async (t) => {
  const relay = await startTestRelay(t, plain);
  const running = runCommand([
    'pub',
    'news',
    'x',
    '--count',
    '1000000',
    '--rate',
    '200/s',
    '--timeout',
    '3',
    '--url',
    urlOf(relay),
  ]);
  await eventually(() => relay.accounting.messages >= 10, 'ten messages');
  relay.relay.stop();
  await relay.relay.ended;
  const { code, err } = await running;
  t.true(code === 75 || code === 1, String(code));
  t.regex(err, /out of reach|unconfirmed/);
});

test('a channel or a credential that the relay refuses ends with 77', async (t) => {
  const folder = temporaryFolder(t);
  const [right, wrong] = ['right', 's3cret-wrong'].map((name) => {
    writeFileSync(join(folder, name), `${name}\n`);
    return `@${join(folder, name)}`;
  }) as [string, string];
  const relay = await startTestRelay(t, {
    ...plain,
    authenticator: 'PasswordAuthenticator',
    passwords: { right: ['open.*'] },
  });
  const run = (args: readonly string[], env = {}) =>
    runCommand([...args, '--url', urlOf(relay)], '', { env });
  t.like(await run(['pub', 'open.a', 'x', '--token', right]), { code: 0, err: '' });
  t.like(await run(['pub', 'open.a', 'x'], { FANFARE_TOKEN: 'right' }), { code: 0, err: '' });
  t.like(await run(['sub', 'open.a', '--token', right, '--wait', '0.1']), { code: 0, err: '' });
  for (const command of [
    ['pub', 'closed', 'x', '--token', right],
    ['sub', 'closed', '--token', right],
    ['pub', 'open.a', 'x', '--token', wrong],
    ['sub', 'open.a', '--token', wrong],
    ['sub', 'open.a'],
  ]) {
    const { code, out, err } = await run(command);
    t.is(code, 77, `${command}: ${err}`);
    t.is(out, '');
    t.regex(err, /^\S.*\n$/);
    t.notRegex(err, /s3cret/);
  }
});

test('without --url the PuSu door of the configuration is meant; a configuration without one ends with 78', async (t) => {
  const relay = await startTestRelay(t, plain);
  const file = configFile(t, `doors: { pusu: { host: 0.0.0.0, port: ${relay.port('pusu')} } }\n`);
  t.like(await runCommand(['pub', 'news', 'x', '--config', file]), { code: 0, err: '' });
  for (const [text, words] of [
    ['doors: { pinghub: true }\n', /no PuSu door: --url/],
    ['doors: { pusu: { port: 0 } }\n', /port is 0/],
    ['doors: { pusu: { prt: 1 } }\n', /relay\.yaml:1:18 doors\.pusu\.prt/],
  ] as const) {
    for (const command of [['pub', 'news', 'x'], ['sub', 'news'], ['bench']]) {
      const { code, out, err } = await runCommand([...command, '--config', configFile(t, text)]);
      t.is(code, 78, err);
      t.is(out, '');
      t.regex(err, words);
    }
  }
});

test('each message runs a command, one after the other; one that fails ends all with 1', async (t) => {
  const relay = await startTestRelay(t, kept);
  const file = join(temporaryFolder(t), 'log');
  for (const content of ['one', 'two', 'bad', 'four']) await pub(relay, 'kept.d', content);
  const exec = `read -r line; echo "$CHANNEL $line \${AT##*:}" >> '${file}'; [ "$line" != bad ]`;
  const { code, out, err } = await runCommand(
    ['sub', 'kept.d', '--since', 'all', '--exec', exec, '--url', urlOf(relay)],
    '',
    {
      env: { PATH: process.env['PATH'] ?? '' },
    },
  );
  t.is(code, 1);
  t.is(out, '');
  t.is(err, 'the command has ended with 1 at a message of kept.d\n');
  t.is(readFileSync(file, 'utf8'), 'kept.d one 1\nkept.d two 2\nkept.d bad 3\n');
});

test('when the reader of its output goes, a command ends with 0', async (t) => {
  const relay = await startTestRelay(t, plain);
  const start = (...args: readonly string[]) => {
    const child = spawn(process.execPath, [join(packageRoot, 'dist', 'start.js'), ...args], {
      cwd: packageRoot,
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, err }))) };
  };
  const sub = start('sub', 'news', '--url', urlOf(relay));
  await heard(relay, 'news');
  const first = new Promise((resolve) => sub.child.stdout.once('data', resolve));
  await pub(relay, 'news', 'one');
  t.is(String(await first), 'one\n');
  sub.child.stdout.destroy();
  await pub(relay, 'news', 'two');
  t.deepEqual(await sub.ended, { code: 0, err: '' });
  const help = start('help');
  help.child.stdout.destroy();
  t.deepEqual(await help.ended, { code: 0, err: '' });
});

test('arguments that make no sense are refused before anything is sent', async (t) => {
  for (const [args, words] of [
    [['pub'], /^usage: /],
    [['pub', ''], /^usage: /],
    [['pub', 'news', 'a', 'b'], /^usage: /],
    [['pub', 'news', 'a', '--file', 'f'], /^--file and a text/],
    [['pub', 'news', 'a', '--lines'], /^--lines is for an input/],
    [['pub', 'news', '--lines', '--count', '2'], /^--count is for one message/],
    [['pub', 'news', 'a', '--rate', 'fast'], /^--rate takes/],
    [['pub', 'news', 'a', '--token', 's3cret'], /^--token takes @FILE/],
    [['pub', 'news', 'a', '--url', 'http://x'], /^--url takes an address/],
    [['sub'], /^usage: /],
    [['sub', 'a', 'a'], /^each channel once/],
    [['sub', 'a', '--since', 'yesterday'], /^--since takes a position/],
    [['sub', 'a', '--json', '--raw'], /^--json or --raw/],
    [['sub', 'a', '--exec', 'cat', '--json'], /^--exec shows nothing/],
    [['sub', 'a', '--count', '0'], /^--count takes a whole number/],
  ] as const) {
    const { code, out, err } = await runCommand(args);
    t.is(code, 1, args.join(' '));
    t.is(out, '');
    t.regex(err, words, args.join(' '));
    t.notRegex(err, /s3cret/);
  }
});

test('an input that is no message is refused before there is a connection, or with its line', async (t) => {
  const [nobody = 0] = await freePorts(1);
  const away = ['--url', `ws://127.0.0.1:${nobody}`];
  const run = (args: readonly string[], input: string | Buffer = '') =>
    runCommand(['pub', 'news', ...args, ...away], input);
  t.deepEqual(await run(['{a', '--json-content']).then(({ code, out }) => ({ code, out })), {
    code: 1,
    out: '',
  });
  t.regex(
    (await run(['--file', '/nonexistent/file'])).err,
    /^\/nonexistent\/file cannot be read \(ENOENT\)\n$/,
  );
  t.is((await run(['--lines'], Buffer.from([0xff]))).err, 'standard input, line 1: not text in UTF-8\n');
  const relay = await startTestRelay(t, plain);
  const { code, err } = await runCommand(
    ['pub', 'news', '--lines', '--json-content', '--url', urlOf(relay)],
    '1\n2\nnope\n',
  );
  t.is(code, 1);
  t.regex(err, /^standard input, line 3: not JSON/);
});

test('a message that the relay does not take ends with 1, and is named', async (t) => {
  const relay = await startTestRelay(t, { ...plain, limits: { message: '1KiB' } });
  const { code, err } = await runCommand(
    ['pub', 'news', '--lines', '--url', urlOf(relay)],
    `short\n${'x'.repeat(2000)}\n`,
  );
  t.is(code, 1);
  t.regex(err, /^message 2: news: too_large.*\nthe relay has 1 of 2 messages\n$/);
});

for (const command of ['pub', 'sub', 'bench', 'top', 'completion'])
  test(`${command} --help shows every option, and an example that can be typed`, async (t) => {
    const { code, out, err } = await runCommand([command, '--help']);
    t.is(code, 0);
    t.is(err, '');
    const [usage = '', example = ''] = [out.split('\n')[0], out.trimEnd().split('\n').at(-1)];
    t.true(usage.startsWith(`usage: node dist/start.js ${command}`));
    t.true(example.startsWith(`example: node dist/start.js ${command} `));
    for (const line of out.split('\n')) t.true(line.length <= 130, line);
  });

(hasTerminals ? test : test.skip)(
  'on a terminal sub shows time and channel, and what would move the cursor as text',
  async (t) => {
    const relay = await startTestRelay(t, plain);
    const sub = onTerminal(t, ['sub', 'news', '--count', '2', '--url', urlOf(relay)]);
    await heard(relay, 'news');
    await pub(relay, 'news', 'Hello');
    await pub(relay, 'news', 'a\u001b[2Jb\nc');
    t.is(await sub.exited, 0);
    const [first = '', second = ''] = sub.screen().split('\r\n');
    t.regex(first, /\d\d:\d\d:\d\d\.\d{3}.*news.* Hello$/);
    t.true(second.endsWith('a\\x1b[2Jb\\nc'), second);
    const raw = onTerminal(t, ['sub', 'news', '--raw', '--count', '1', '--url', urlOf(relay)]);
    await heard(relay, 'news');
    await pub(relay, 'news', 'plain');
    t.is(await raw.exited, 0);
    t.is(raw.screen(), 'plain\r\n');
  },
);

(hasTerminals ? test : test.skip)(
  'on a terminal pub shows how far it is, and takes the line away at its end',
  async (t) => {
    const relay = await startTestRelay(t, plain);
    const busy = onTerminal(t, [
      'pub',
      'news',
      'x',
      '--count',
      '60',
      '--rate',
      '100/s',
      '--url',
      urlOf(relay),
    ]);
    await busy.shows(/\r\d+ messages, \d+\/s/);
    t.is(await busy.exited, 0);
    t.true(busy.screen().endsWith('\r\u001b[K'), JSON.stringify(busy.screen().slice(-40)));
    t.is(relay.accounting.messages, 60);
  },
);
