import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { commands } from '../src/command/main.ts';
import { eventually } from './support/arrivals.ts';
import { clientFrame, connectRaw, post, upgradeRequest } from './support/raw-client.ts';
import { configFile, packageRoot, runRelay, temporaryFolder } from './support/relay-process.ts';
import { connectWs, refusedWs } from './support/ws-client.ts';

// The program as it is run: dist/start.js, which the script `pretest` builds. One after the other, because twenty
// processes that start at once take their time.

/** No port of this file is a fixed one. */
const others = 'network: { host: 127.0.0.1, port: 0 }\nadmin: { host: 127.0.0.1, port: 0 }\nnode: n1\n';
const pusuAlone = `${others}doors:\n  pusu: { host: 127.0.0.1, port: 0 }\n`;
const allDoors = `${pusuAlone}  wspubsub: { host: 127.0.0.1, port: 0, apikeys: { list: [{ domain: d, key: the-key }] } }
  pinghub: { host: 127.0.0.1, port: 0, metrics_port: 0 }
`;

test.serial('--check of a good file: ok, exit 0, and nothing starts', async (t) => {
  const file = configFile(t, allDoors);
  t.deepEqual(await runRelay(t, ['--config', file, '--check']).exited, {
    code: 0,
    out: `${file}: ok\n`,
    err: '',
  });
  t.like(await runRelay(t, ['start', '--config', file, '--check']).exited, { code: 0, out: `${file}: ok\n` });
  t.deepEqual(await runRelay(t, ['start', '--version']).exited, await runRelay(t, ['--version']).exited);
  const packaged = await runRelay(t, ['--check']).exited;
  t.like(packaged, { code: 0, out: `${join(packageRoot, 'config', 'relay.yaml')}: ok\n` });
  t.regex(packaged.err, /^warning: \S+ doors\.pusu\.origin: any web page may use this door.*\n$/);
});

test.serial('all faults at once, one line each, exit 78, with --check and without', async (t) => {
  const file = configFile(
    t,
    'doors:\n  pusu: { host: 127.0.0.1, port: 99999 }\nlimits:\n  mesage: 3\n  drain: soon\nlimits: {}\n',
  );
  for (const args of [['--check'], []]) {
    const { code, out, err } = await runRelay(t, ['--config', file, ...args]).exited;
    t.is(code, 78);
    t.is(out, '');
    const lines = err.trimEnd().split('\n');
    t.true(lines.length >= 2, err);
    for (const line of lines) t.regex(line, /^\S+relay\.yaml:\d+:\d+ \S+: \S/);
  }
  const faults = configFile(t, 'doors:\n  pusu: { host: 127.0.0.1, port: 99999 }\nlimits:\n  mesage: 3\n');
  const both = await runRelay(t, ['--config', faults, '--set', 'limits.drain=soon'], {
    FANFARE_LIMITS_PENDING: 'lots',
  }).exited;
  const size = 'a size such as 64KiB (B, KiB, MiB, GiB, kB, MB, GB, or a plain number of bytes; 0: none)';
  const lines = both.err.split('\n');
  t.is(lines[0], `${faults}:2:34 doors.pusu.port: a port from 0 to 65535 (0: any free one)`);
  t.is(lines[1], `${faults}:4:3 limits.mesage: unknown key; did you mean "message"?`);
  t.is(lines[2], `FANFARE_LIMITS_PENDING:1:1 limits.pending: ${size}`);
  t.regex(lines[3] ?? '', /^--set:1:\d+ limits\.drain: a time such as /);
  t.is(lines.length, 5);
});

test.serial('a file that is not there is a fault of the configuration', async (t) => {
  const { code, err } = await runRelay(t, ['--config', '/no/such/file.yaml']).exited;
  t.is(code, 78);
  t.is(err, '/no/such/file.yaml:1:1 file: a configuration file; there is no file of this name\n');
});

test.serial('an unknown option, or a word too many: the usage, exit 1', async (t) => {
  for (const args of [['--nonsense'], ['nonsense'], ['--config']]) {
    const { code, out, err } = await runRelay(t, args).exited;
    t.is(code, 1);
    t.is(out, '');
    t.regex(err, /\nusage: (bin\/fanfare|node dist\/start\.js) /);
  }
});

test.serial('--version and --help', async (t) => {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  t.deepEqual(await runRelay(t, ['--version']).exited, { code: 0, out: `fanfare ${version}\n`, err: '' });
  t.regex((await runRelay(t, ['--help']).exited).out, /^usage: /);
});

test.serial('the log says who listens where, and then that all is ready', async (t) => {
  const relay = runRelay(t, ['--config', configFile(t, allDoors)]);
  await relay.log.find(({ msg }) => msg === 'ready');
  const lines = relay.log.all.filter(({ msg, door }) => msg !== 'console' && door !== 'admin');
  const [pusu, wspubsub, pinghub, metrics, ready, ...rest] = lines;
  t.like(pusu, { msg: 'listening', door: 'pusu', host: '127.0.0.1', level: 30, node: 'n1' });
  t.like(wspubsub, { msg: 'listening', door: 'wspubsub', host: '127.0.0.1' });
  t.like(pinghub, { msg: 'listening', door: 'pinghub', host: '127.0.0.1' });
  t.like(metrics, { msg: 'listening', door: 'pinghub-metrics', host: '127.0.0.1' });
  for (const line of [pusu, wspubsub, pinghub, metrics]) t.true((line?.['port'] as number) > 0);
  t.like(ready, { msg: 'ready' });
  t.deepEqual(rest, []);
  t.is(relay.output().err, '');
});

test.serial('a flag counts before a variable, a variable before the file', async (t) => {
  const file = configFile(t, `${pusuAlone}limits: { message: 100 }\nlog: { level: warn }\n`);
  const relay = runRelay(t, ['--config', file, '--set', 'limits.message=300', '--set', 'log.level=info'], {
    FANFARE_LIMITS_MESSAGE: '200',
    FANFARE_NODE: 'from-the-environment',
  });
  const one = await connectWs(t, await relay.port('pusu'));
  t.is((await relay.log.next())['node'], 'from-the-environment');
  await one.next();
  const frame = (size: number) => '{"type":"unsubscribe","channel":"c"}'.padEnd(size);
  one.send(frame(300), frame(301));
  t.like(await one.next(), { code: 1009 });
  const closed = await relay.log.find(({ msg }) => msg === 'closed');
  t.like(closed, { level: 30, door: 'pusu', code: 1009, address: '127.0.0.1', in: 0, out: 0 });
  for (const field of ['conn', 'ageMs']) t.true(Number.isInteger(closed[field]));
  t.is(typeof closed['reason'], 'string');
});

test.serial("pusud's settings.yaml starts the PuSu door alone and the network, as it is", async (t) => {
  const file = configFile(
    t,
    `relays:
  - relay-1.example.com
  - relay-2.example.com:55001
authenticator: PasswordAuthenticator
client_port: 0
network_port: 0
allowed_channels:
  - channel.*
passwords:
  - foo:
    - channel.1
  - bar:
    - "*"
allow_read_by_default: false
jwt_signing_algorithms: []
jwt_verification_key: ""
`,
  );
  const relay = runRelay(t, ['--config', file], {
    FANFARE_DOORS_PUSU_HOST: '127.0.0.1',
    FANFARE_NETWORK_HOST: '127.0.0.1',
    FANFARE_ADMIN_PORT: '0',
  });
  await relay.log.find(({ msg }) => msg === 'ready');
  t.deepEqual(
    relay.log.all.filter(({ msg }) => msg === 'listening').map((line) => line['door']),
    ['network', 'pusu', 'admin'],
  );
  const why = 'a configuration that says nothing of doors opens the PuSu door alone';
  const closed = relay.log.all.filter(({ msg }) => msg === 'door stays closed');
  t.deepEqual(
    closed.map((line) => [line['door'], line['why']]),
    [
      ['wspubsub', why],
      ['pinghub', why],
    ],
  );
  const one = await connectWs(t, await relay.port('pusu'));
  one.send('{"type":"authorize","authorization":"foo"}', '{"type":"subscribe","channel":"channel.1"}');
  t.deepEqual(await one.take(3), [
    '{"type":"hello"}',
    '{"type":"authorization_ok"}',
    '{"type":"subscribe_ok","channel":"channel.1"}',
  ]);
});

test.serial('a port that is taken: one line on standard error, exit 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as { readonly port: number };
  for (const set of [
    `doors.pusu.port=${port}`,
    `doors.pinghub={host: 127.0.0.1, port: ${port}, metrics_port: false}`,
    `doors.pinghub={host: 127.0.0.1, port: 0, metrics_port: ${port}}`,
    `admin={host: 127.0.0.1, port: ${port}}`,
  ]) {
    const { code, err, out } = await runRelay(t, ['--config', configFile(t, pusuAlone), '--set', set]).exited;
    t.is(code, 1);
    t.is(err, `fanfare could not start: cannot listen on 127.0.0.1:${port}: the address is in use\n`);
    t.false(out.includes('"msg":"ready"'));
    // Nothing but that one line says so, and the rest is how far it has come.
    t.false(out.includes('in use'), out);
  }
});

test.serial('an address that this machine does not have is named', async (t) => {
  const file = configFile(t, `${others}doors:\n  pusu: { host: 192.0.2.1, port: 0 }\n`);
  const { code, err } = await runRelay(t, ['--config', file]).exited;
  t.is(code, 1);
  t.is(err, 'fanfare could not start: cannot listen on 192.0.2.1:0: this machine has no such address\n');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test.serial(`${signal}: 1001 to each client at every door, exit 0`, async (t) => {
    const relay = runRelay(t, ['--config', configFile(t, allDoors)]);
    const [pusu, wspubsub, pinghub] = [
      await relay.port('pusu'),
      await relay.port('wspubsub'),
      await relay.port('pinghub'),
    ];
    const clients = [
      await connectWs(t, pusu),
      await connectWs(t, wspubsub, '/ws/pub/the-key/d/t'),
      await connectWs(t, wspubsub, '/ws/sub/d/t'),
      await connectWs(t, pinghub, '/t'),
    ];
    const stream = await connectRaw(t, pinghub);
    stream.send('GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
    await stream.until('\r\n\r\n');
    // Keep-alive connections, and ones that have said nothing, hold nothing up.
    const idle = await connectRaw(t, pinghub);
    idle.send('POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    await idle.until('OK\n');
    const silent = await connectRaw(t, pusu);
    relay.signal(signal);
    for (const one of clients)
      t.deepEqual(await one.got.find((got) => typeof got === 'object' && 'code' in got), {
        code: 1001,
        reason: 'going away',
      });
    await stream.end();
    await idle.end();
    await silent.end();
    const { code, err } = await relay.exited;
    t.is(code, 0);
    t.is(err, '');
    t.is(relay.log.all.filter((line) => line.msg === 'closed' && line['code'] === 1001).length, 5);
    t.like(
      relay.log.all.find(({ msg }) => msg === 'stopping'),
      { signal },
    );
    t.like(
      relay.log.all.find(({ msg }) => msg === 'drained'),
      { connections: 5, left: 0 },
    );
    t.like(relay.log.all.at(-1), { msg: 'stopped', reason: 'shutdown' });
  });
}

test.serial('a second signal cuts the delay of a drain short, and the drain is in good order', async (t) => {
  const relay = runRelay(t, ['--config', configFile(t, `${pusuAlone}\nlimits: { drain_delay: 1h }\n`)]);
  const one = await connectWs(t, await relay.port('pusu'));
  await relay.log.find(({ msg }) => msg === 'ready');
  relay.signal('SIGTERM');
  await relay.log.find(({ msg }) => msg === 'leaving');
  relay.signal('SIGTERM');
  await one.got.find((got) => typeof got === 'object' && 'code' in got && got.code === 1001);
  t.is((await relay.exited).code, 0);
});

const MiB = 1024 * 1024;
/** More than the kernel takes for a client that does not read. */
const MESSAGES = 24;

/** A relay with a subscriber for whom much is queued because it does not read, and is not ended for that. */
async function withQueue(t: Parameters<typeof runRelay>[0], drain: string) {
  const limits = `limits: { message: 1MiB, pending: 64MiB, write_stall: 0, drain: ${drain} }\n`;
  const doors = 'doors:\n  pinghub: { host: 127.0.0.1, port: 0, metrics_port: false }\n';
  const relay = runRelay(t, ['--config', configFile(t, others + limits + doors)]);
  const port = await relay.port('pinghub');
  const slow = await connectWs(t, port, '/t');
  slow.webSocket.pause();
  const publisher = await connectWs(t, port, '/t');
  for (let i = 0; i < MESSAGES; i++) publisher.send(String(i).padEnd(MiB));
  // The topic has sent the last one to everybody.
  await publisher.take(MESSAGES);
  return { relay, slow, publisher };
}

test.serial('what is queued for a slow reader is flushed before its 1001', async (t) => {
  const { relay, slow, publisher } = await withQueue(t, '60s');
  relay.signal('SIGTERM');
  t.like(await publisher.next(), { code: 1001 });
  slow.webSocket.resume();
  const got = await slow.take(MESSAGES);
  t.deepEqual(
    got.map((message) => String(message).trimEnd()),
    Array.from({ length: MESSAGES }, (_, i) => String(i)),
  );
  t.like(await slow.next(), { code: 1001 });
  t.is((await relay.exited).code, 0);
});

test.serial('a client that never reads holds the end up for limits.drain at the most', async (t) => {
  const { relay, publisher } = await withQueue(t, '200ms');
  // Nobody else has to answer in so short a time.
  await publisher.leave();
  await relay.log.find(({ msg }) => msg === 'closed');
  relay.signal('SIGTERM');
  t.is((await relay.exited).code, 0);
  t.like(
    relay.log.all.find(({ msg }) => msg === 'drained'),
    { connections: 1, left: 1 },
  );
});

test.serial('a second signal ends it at once', async (t) => {
  const { relay } = await withQueue(t, '60s');
  relay.signal('SIGTERM');
  await relay.log.find(({ msg }) => msg === 'draining');
  relay.signal('SIGTERM');
  t.is((await relay.exited).code, 1);
});

test.serial('while it drains nobody new is let in', async (t) => {
  const { relay } = await withQueue(t, '60s');
  const port = await relay.port('pinghub');
  relay.signal('SIGTERM');
  await relay.log.find(({ msg }) => msg === 'draining');
  await t.throwsAsync(connectWs(t, port, '/t'), { message: /ECONNREFUSED/ });
  relay.signal('SIGTERM');
  await relay.exited;
});

test.serial('no key and no password comes to the log, not even at level trace', async (t) => {
  const file = configFile(
    t,
    `${allDoors}log: { level: trace }\nauthenticator: PasswordAuthenticator\npasswords: { hunter2: [t] }\n`,
  );
  const relay = runRelay(t, ['--config', file]);
  const [wspubsub, pinghub, pusu] = [
    await relay.port('wspubsub'),
    await relay.port('pinghub'),
    await relay.port('pusu'),
  ];
  const owner = await connectWs(t, wspubsub, '/ws/pub/the-key/d/t');
  await refusedWs(t, wspubsub, '/ws/pub/the-key/d/t');
  await refusedWs(t, wspubsub, '/ws/pub/the-key/e/t');
  await refusedWs(t, wspubsub, '/ws/pub/the-key');
  await connectWs(t, pinghub, '/t?access_token=hunter2');
  await connectWs(t, pinghub, '/t', { headers: { Authorization: 'Bearer hunter2' } });
  await post(pinghub, '/u?access_token=hunter2', 'x');
  const raw = await connectRaw(t, pusu);
  raw.send(upgradeRequest());
  await raw.until('hello');
  raw.send(clientFrame('{"type":"authorize","authorization":"hunter2"}'));
  await raw.until('authorization_ok');
  raw.send(clientFrame('hunter2'));
  await raw.until('unknown_message_received');
  await owner.leave();
  relay.signal('SIGTERM');
  const { code, out, err } = await relay.exited;
  t.is(code, 0);
  t.true(out.includes('"status":409'));
  t.notRegex(out + err, /the-key|hunter2/);
});

test.serial('the log can go to a file', async (t) => {
  const file = join(temporaryFolder(t), 'log', 'relay.log');
  const relay = runRelay(t, ['--config', configFile(t, pusuAlone), '--set', `log.file=${file}`]);
  const written = () => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };
  await eventually(() => written().includes('"msg":"ready"'), 'the log says that it is ready');
  relay.signal('SIGTERM');
  t.is((await relay.exited).out, '');
  t.true(written().trimEnd().endsWith('"msg":"stopped"}'));
});

test.serial('a folder that cannot be made keeps nobody waiting: the relay serves, and says so', async (t) => {
  for (const folder of ['/proc/nope', '/sys/nope']) {
    const relay = runRelay(t, ['--config', configFile(t, pusuAlone), '--set', `var_dir=${folder}`]);
    await relay.log.find(({ msg }) => msg === 'ready');
    const said = relay.log.all.find(({ msg }) => msg === 'nobody can attach: the folder cannot be used');
    t.like(said, { level: 40, folder: join(folder, 'n1') });
    relay.signal('SIGTERM');
    t.is((await relay.exited).code, 0);
  }
});

test.serial('a log in a folder that cannot be made is a fault of the configuration', async (t) => {
  for (const folder of ['/proc/nope', '/sys/nope']) {
    const args = ['--config', configFile(t, pusuAlone), '--set', `log.file=${folder}/a.log`];
    const { code, out, err } = await runRelay(t, args).exited;
    t.is(code, 78);
    t.is(out, '');
    t.regex(err, /^[^\n]*log\.file: the path of a file to write; [^\n]+\n$/);
  }
});

test.serial(
  'a Node that is too old gets one sentence, and the oldest that will do is that of package.json',
  async (t) => {
    const { engines } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
      readonly engines: { readonly node: string };
    };
    t.is(engines.node, '>=20.19');
    const runAs = (version: string, file: string, ...args: string[]) => {
      const code = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;
      const preload = `data:text/javascript,${encodeURIComponent(code)}`;
      return spawnSync(process.execPath, [`--import=${preload}`, join(packageRoot, file), ...args], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '' },
      });
    };
    for (const file of ['dist/start.js', 'rel/build-if-needed.js', 'rel/release.js', 'rel/node-version.js'])
      for (const version of ['20.18.9', '18.20.4']) {
        const { status, stdout, stderr } = runAs(version, file);
        t.is(status, 1);
        t.is(stdout, '');
        t.regex(stderr, /^fanfare needs Node\.js 20\.19 or newer, and this is \S+[^\n]*\n$/, file);
        t.true(stderr.includes(`this is ${version}`));
      }
    for (const version of ['20.19.0', '21.0.0', '100.0.0'])
      t.regex(runAs(version, 'dist/start.js', 'version').stdout, /^fanfare \d/);
  },
);

test.serial('help names every command, and says how the program is called', (t) => {
  const { stdout } = spawnSync(process.execPath, [join(packageRoot, 'dist', 'start.js'), 'help'], {
    encoding: 'utf8',
  });
  for (const name of commands.keys()) t.regex(stdout, new RegExp(`\\b${name}\\b`));
  t.true(stdout.startsWith('usage: node dist/start.js COMMAND'));
});
