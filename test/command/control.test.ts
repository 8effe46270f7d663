import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { runningPid } from '../../src/host/run-folder.ts';
import { PATIENCE } from '../support/arrivals.ts';
import { selfSigned } from '../support/certificate.ts';
import { packageRoot } from '../support/relay-process.ts';
import { connectWs } from '../support/ws-client.ts';

// One release, made once and used from a folder that no path of ours would be: a blank in it, and deeper than the
// address of a socket is long.

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let staging = '';
let release = '';

test.before(async () => {
  staging = await mkdtemp(join(tmpdir(), 'fanfare-control-'));
  const made = spawnSync(process.execPath, [join(packageRoot, 'rel', 'release.js'), staging], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(made.stderr);
  const folder = join(staging, 'un packed', 'deep'.repeat(25));
  spawnSync('mkdir', ['-p', folder]);
  spawnSync('tar', ['-xzf', made.stdout.trim(), '-C', folder]);
  const [name = ''] = readdirSync(folder);
  release = join(folder, name);
});

test.after.always(() => rm(staging, { recursive: true, force: true }));

/** The environment of a user who has set nothing. */
const env = { PATH: process.env['PATH'] ?? '', HOME: tmpdir() };

/** Settings of one node, whose folder is found by its name. It is dead with the test. */
function node(t: ExecutionContext, name: string, more = '') {
  const file = join(staging, name, `${name}.yaml`);
  mkdirSync(join(staging, name));
  writeFileSync(
    file,
    `node: ${name}\nadmin: { port: 0 }\ndoors: { pusu: { host: 127.0.0.1, port: 0 } }\n${more}`,
  );
  const run = (...args: readonly string[]): Ran => {
    const [command = '', ...rest] = args;
    const { status, stdout, stderr } = spawnSync(
      join(release, 'bin', 'fanfare'),
      [command, '--config', file, ...rest],
      {
        env,
        encoding: 'utf8',
      },
    );
    return { code: status, out: stdout.trimEnd(), err: stderr.trimEnd() };
  };
  const folder = join(staging, name, 'var', name);
  const pid = () => {
    const running = runningPid(folder);
    if (running === undefined) throw new Error(`${name} does not run`);
    return running;
  };
  t.teardown(() => {
    const left = runningPid(folder);
    if (left !== undefined) process.kill(left, 'SIGKILL');
  });
  return { run, folder, file, pid, log: () => readFileSync(join(folder, 'fanfare.log'), 'utf8') };
}

/** Polls, for what other processes do; gives up with the test. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(20);
}

const fanfare = (...args: readonly string[]) =>
  spawnSync(join(release, 'bin', 'fanfare'), args, { env, encoding: 'utf8', cwd: '/' });

test('a release holds what it needs and nothing to compile with, and its script can be run', (t) => {
  for (const part of [
    'bin/fanfare',
    'dist/start.js',
    'config/relay.yaml',
    'config/node.args',
    'rel/systemd/fanfare.service',
  ])
    t.true(existsSync(join(release, part)), part);
  t.is(statSync(join(release, 'bin', 'fanfare')).mode & 0o111, 0o111);
  for (const tool of ['typescript', 'ava', 'tsx', '@biomejs'])
    t.false(existsSync(join(release, 'node_modules', tool)), tool);
});

test('help, version, check, and what is unknown', (t) => {
  t.is(fanfare('help').status, 0);
  t.regex(fanfare('help', 'rpc').stdout, /^usage: bin\/fanfare rpc .*\n.*connections\(.*example: /s);
  t.regex(fanfare('help', 'nonsense').stderr, /^unknown command: nonsense/);
  t.regex(fanfare().stdout, /^usage/);
  t.regex(fanfare('version').stdout, /^fanfare \d+\.\d+\.\d+\n$/);
  t.regex(fanfare('versions').stdout, /^node +\d/m);
  t.regex(fanfare('check').stdout, /relay\.yaml: ok/);
  const unknown = fanfare('nonsense');
  t.is(unknown.status, 1);
  t.regex(unknown.stderr, /unknown command: nonsense\n\nusage/);
  t.is(fanfare('ping', '--nonsense').status, 1);
  t.is(fanfare('eval').status, 1);
});

test('the script is found through a symbolic link', (t) => {
  const link = join(staging, 'link');
  symlinkSync(join(release, 'bin', 'fanfare'), link);
  t.regex(spawnSync(link, ['version'], { env, encoding: 'utf8' }).stdout, /^fanfare/);
});

test('a faulty configuration ends with 78, and says where it is', (t) => {
  const { run } = node(t, 'faulty', 'limits: { pendng: 1MiB }\n');
  for (const command of ['start', 'daemon', 'check', 'restart']) {
    const { code, err } = run(command);
    t.is(code, 78, command);
    t.regex(err, /faulty\.yaml:4:11 limits\.pendng: unknown key/);
  }
});

test('a node from daemon to stop', async (t) => {
  const { run, folder, log } = node(t, 'whole');
  t.like(run('ping'), { code: 1, out: 'Node is not running!' });
  t.like(run('status'), { code: 3 });
  t.like(run('pid'), { code: 1 });
  t.like(run('stop'), { code: 1, out: 'Node is not running!' });
  t.like(run('eval', '1'), { code: 75, err: 'Node is not running!' });
  t.like(run('daemon'), { code: 0, err: '' });
  t.like(run('ping'), { code: 0, out: 'pong' });
  t.regex(log(), /"msg":"ready"/);
  const pid = run('pid').out;
  t.is(run('status').out, `running as pid ${pid}`);
  for (const command of ['start', 'foreground', 'daemon', 'console'])
    t.like(run(command), { code: 1, err: `whole is already running as pid ${pid}` }, command);
  t.like(run('eval', '1 + 1'), { code: 0, out: '2' });
  t.like(run('eval', '--json', 'Promise.resolve({ a: [1n] }).then(x => x)'), { code: 0 });
  t.like(run('eval', '--json', 'await Promise.resolve({ a: [1n] })'), { code: 0, out: '{"a":["1"]}' });
  t.like(run('eval', 'nope'), { code: 1, err: 'Uncaught ReferenceError: nope is not defined' });
  t.like(run('rpc', '--json', 'topics', '{"by":"name"}'), { code: 0, out: '{"total":0,"rows":[]}' });
  t.regex(run('rpc', 'i', 'listener.pusu').out, /^id +\d+\n(.*\n)*registered +listener\.pusu\n/);
  t.regex(run('rpc', 'h').out, /^tree\([\s\S]*\n *i\(ref\)/);
  t.regex(run('rpc', 'trace', 'listener.pusu', '{"period": 1}').out, /^it has handled no message$/);
  t.like(run('rpc', 'topics', '{"by"'), { code: 1, out: '' });
  t.regex(run('rpc', 'topics', 'members').err, /^options are given as .*\nusage: topics\(/);
  t.regex(run('rpc', 'topics', '{n:3,by:name}').out, /^\(none\)$/);
  t.like(run('rpc', 'nothing'), { code: 1 });
  t.regex(
    run('rpc', '--csv', '--all', 'timeline', '{kind: phase}').out,
    /^at,kind,of,what,count\r\n20\d\d-.*Z,phase,relay,ready,1\r\n/,
  );
  t.like(run('rpc', '--json', '--all', 'connections'), { code: 0, out: '{"total":0,"rows":[]}' });
  t.like(run('rpc', '--csv', 'runtime_info'), {
    code: 1,
    out: '',
    err: 'runtime_info is no list: --json prints it',
  });
  for (const words of [['--all'], ['--csv', '--json']])
    t.like(run('rpc', ...words, 'topics'), { code: 1, out: '' });
  const first = run('pid').out;
  t.like(run('restart'), { code: 0 });
  t.not(run('pid').out, first);
  t.deepEqual(run('stop'), { code: 0, out: 'ok', err: '' });
  t.like(run('status'), { code: 3 });
  t.deepEqual(
    ['fanfare.pid', 'attach.sock'].filter((file) => existsSync(join(folder, file))),
    [],
  );
  t.regex(log(), /"moved":0,"flushed":0,"dropped":0,"msg":"drained"/);
});

test('a release publishes, listens, measures and looks', async (t) => {
  const { run, log } = node(t, 'used', 'topics: [{ pattern: "kept", history: true }]\n');
  t.like(run('daemon'), { code: 0, err: '' });
  await until(() => /"door":"pusu".*"port":\d+/.test(log()));
  const url = `ws://127.0.0.1:${/"door":"pusu".*"port":(\d+)/.exec(log())?.[1]}`;
  t.deepEqual(run('pub', 'kept', 'one', '--url', url), { code: 0, out: '', err: '' });
  t.like(run('pub', 'kept', 'two', '--url', url), { code: 0 });
  const since = ['--since', 'all', '--count', '2', '--url', url];
  t.deepEqual(run('sub', 'kept', ...since), { code: 0, out: 'one\ntwo', err: '' });
  const bench = run('bench', '--procs', '2', '--duration', '0.5', '--warmup', '0', '--url', url);
  t.is(bench.code, 0, bench.out + bench.err);
  t.regex(bench.out, /^checked +0 of \d+ deliveries lost, 0 twice, 0 out of order, 0 gaps$/m);
  // The topic may not have gone yet.
  t.regex(run('top', '--once', '--every', '0.2').out, /^used +\d+% busy .*\n\n(\(none\)$|topic +members )/);
  // Where the door's port is 0 nobody knows it.
  t.like(run('pub', 'kept', 'three'), { code: 78 });
});

test('what a killed node has left is recognised, and taken over', async (t) => {
  const { run, folder, pid } = node(t, 'killed');
  run('daemon');
  process.kill(pid(), 'SIGKILL');
  await until(() => run('status').code === 3);
  t.true(existsSync(join(folder, 'attach.sock')));
  t.like(run('ping'), { code: 1, out: 'Node is not running!' });
  t.like(run('daemon'), { code: 0 });
  t.like(run('ping'), { code: 0, out: 'pong' });
  t.like(run('stop'), { code: 0, out: 'ok' });
});

test('SIGHUP reloads, SIGUSR2 writes a report without variables, SIGTERM drains; a second one does not wait', async (t) => {
  const { run, folder, file, pid, log } = node(t, 'signals');
  t.like(run('daemon'), { code: 0, err: '' });
  await until(() => /"port":\d+/.test(log()));
  const port = Number(/"port":(\d+)/.exec(log())?.[1]);
  const client = await connectWs(t, port);
  await client.next();
  writeFileSync(file, readFileSync(file, 'utf8').concat('limits: { drain: 20s }\n'));
  process.kill(pid(), 'SIGHUP');
  await until(() => /"applied":\["limits\.drain"\].*"msg":"reloaded"/.test(log()));
  writeFileSync(file, 'limits: { drain: soon }\n');
  t.like(run('reload', '--set', 'node=signals'), { code: 78 });
  process.kill(pid(), 'SIGHUP');
  await until(() => /"msg":"not reloaded"/.test(log()));
  process.kill(pid(), 'SIGUSR2');
  const reports = join(folder, 'reports');
  await until(
    () => existsSync(reports) && readdirSync(reports).length > 0 && /diagnostic report/.test(log()),
  );
  const report = JSON.parse(readFileSync(join(reports, readdirSync(reports)[0] ?? ''), 'utf8'));
  t.is(report.environmentVariables, undefined);
  t.is(report.header.commandLine, undefined);
  t.is(report.fanfare.tree[0].behaviour, 'application-master');
  // The configuration is still broken: that must keep nobody from stopping the node.
  t.like(run('stop'), { code: 0, out: 'ok' });
  t.deepEqual(await client.next(), { code: 1001, reason: 'going away' });
});

test('reload says what it has done, what needs a restart, and what is wrong', (t) => {
  const { run, file } = node(t, 'reloaded');
  run('daemon');
  const text = readFileSync(file, 'utf8');
  t.like(run('reload'), { code: 0, out: 'nothing has changed' });
  writeFileSync(file, `${text}limits: { pending: 2MiB }\nlog: { format: json }\n`);
  t.like(run('reload'), { code: 0, out: 'applied: limits.pending\nneeds a restart: log.format' });
});

test('reload names the certificate that it has read anew', (t) => {
  const { run } = node(t, 'renewed');
  const folder = join(staging, 'renewed');
  const { cert, key } = selfSigned(t, 'old', folder);
  const sets = ['port=0', 'metrics_port=0', `tls.cert=${cert}`, `tls.key=${key}`];
  t.like(run('daemon', ...sets.flatMap((set) => ['--set', `doors.pinghub.${set}`])), { code: 0 });
  selfSigned(t, 'new', folder);
  t.like(run('reload'), { code: 0, out: 'read anew: doors.pinghub.tls' });
  t.like(run('reload'), { code: 0, out: 'nothing has changed' });
});

test('a node that nobody can attach to is pinged and stopped all the same', (t) => {
  const { run } = node(t, 'closed', 'attach: { enabled: false }\n');
  t.like(run('daemon'), { code: 0 });
  t.like(run('ping'), { code: 0, out: 'pong' });
  t.like(run('eval', '1'), { code: 75 });
  t.like(run('reload'), { code: 0 });
  t.like(run('stop'), { code: 0, out: 'ok' });
});

test('a node that cannot start says why, and daemon with it', async (t) => {
  const one = node(t, 'first');
  one.run('daemon');
  const port = /"port":(\d+)/.exec(one.log())?.[1];
  const other = node(t, 'second');
  const { code, err } = other.run('daemon', '--set', `doors.pusu.port=${port}`);
  t.is(code, 1);
  t.regex(err, /could not start: .*the address is in use/);
  t.like(other.run('status'), { code: 3 });
});

test('in the foreground a node ends with 0 when it is asked to', async (t) => {
  const { file, pid, run } = node(t, 'foreground');
  const child = spawn(join(release, 'bin', 'fanfare'), ['start', '--config', file], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  t.like(run('ping', '--wait', '20'), { code: 0 });
  // The script has become the node: a service manager signals the right process.
  t.is(child.pid, pid());
  child.kill('SIGTERM');
  t.is(await ended, 0);
});

/** A terminal, as `script` makes one. */
function terminal(t: ExecutionContext, args: readonly string[]) {
  const quoted = [join(release, 'bin', 'fanfare'), ...args].map((arg) => `'${arg}'`).join(' ');
  const child = spawn('script', ['-qec', quoted, '/dev/null'], {
    env: { ...env, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let seen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
  });
  return {
    seen: () => seen,
    type: (keys: string) => child.stdin.write(keys),
    /** Waits for something that has not been waited for yet. */
    async see(what: RegExp): Promise<void> {
      const end = performance.now() + PATIENCE;
      await until(() => what.test(seen) || performance.now() > end);
      if (!what.test(seen))
        throw new Error(`${what} has not come; after the last one: ${JSON.stringify(seen)}`);
      seen = seen.slice((what.exec(seen)?.index ?? 0) + (what.exec(seen)?.[0].length ?? 0));
    },
    ended: new Promise((resolve) => child.on('exit', resolve)),
  };
}

test('attach through a terminal: prompt, lines, ^C, completion, colours, and ^D that stops nothing', async (t) => {
  const { run, file } = node(t, 'seen');
  run('daemon');
  const tty = terminal(t, ['attach', '--config', file]);
  await tty.see(/seen 1> /);
  tty.type('1 + 1\r');
  await tty.see(/\[33m2.\[39m[\s\S]*seen 2> /);
  tty.type('const a = {x: 5,\r');
  await tty.see(/\.\.\. /);
  tty.type('y: await 6}\r');
  await tty.see(/seen 3> /);
  tty.type('a.y\r');
  await tty.see(/6[\s\S]*seen 4> /);
  tty.type('connec');
  await tty.see(/connec/);
  tty.type('\t');
  await tty.see(/tions/);
  tty.type('\u0003');
  await tty.see(/seen 4> /);
  tty.type('await new Promise(() => {})\r');
  await tty.see(/Promise\(\(\) => \{\}\)/);
  tty.type('\u0003');
  await tty.see(/cancelled[\s\S]*seen 5> /);
  tty.type('\u001b[A\u001b[A\r');
  await tty.see(/a\.y[\s\S]*6[\s\S]*seen 6> /);
  tty.type('\u0004');
  await tty.see(/detached/);
  t.is(await tty.ended, 0);
  t.like(run('ping'), { code: 0, out: 'pong' });
});

test('who is attached when the node goes is told', async (t) => {
  const { run, file } = node(t, 'gone');
  run('daemon');
  const tty = terminal(t, ['remote_console', '--config', file]);
  await tty.see(/gone 1> /);
  tty.type('init.stop({confirm: true})\r');
  await tty.see(/the node is gone/);
  t.is(await tty.ended, 1);
  t.like(run('status'), { code: 3 });
});
