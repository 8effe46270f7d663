import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ask, parseMetrics, sumOf } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import type { Logged } from '../support/relay.ts';
import {
  configFile,
  packageRoot,
  type RelayProcess,
  runRelay,
  temporaryFolder,
} from '../support/relay-process.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const config = (folder: string) => `node: watched
var_dir: ${folder}
doors:
  pinghub: { host: 127.0.0.1, port: 0, metrics_port: null }
network: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
`;

/** Evaluates code in a relay as an operator does. */
async function evaluator(t: ExecutionContext, relay: RelayProcess, file: string) {
  const { socket } = await relay.log.find((line) => line.msg === 'console', 'the socket');
  const env = { ...process.env, FANFARE_VAR_DIR: dirname(dirname(String(socket))) };
  return (code: string) =>
    new Promise((resolve) => {
      const args = [join(packageRoot, 'dist/start.js'), 'eval', code, '--config', file];
      const child = spawn(process.execPath, args, { stdio: 'ignore', env });
      t.teardown(() => child.kill('SIGKILL'));
      child.on('close', resolve);
    });
}

test('a stalled event loop is reported while it stands still, with where it hangs', async (t) => {
  const file = configFile(t, config(temporaryFolder(t)));
  const relay = runRelay(t, ['--config', file]);
  await relay.log.find((line) => line.msg === 'ready', 'ready');
  const evaluate = await evaluator(t, relay, file);
  const isStalled = ({ msg, where }: Logged) =>
    msg === 'event loop stalled' && /^hanging /.test((where as string[])[0] ?? '');
  let isRead = false;
  const over = join(temporaryFolder(t), 'over');
  const reported = relay.log.find(isStalled, 'the stall').finally(() => {
    isRead = true;
    writeFileSync(over, '');
  });
  // It hangs until the test has read that it does; and again, where a busy machine left no time to say where it hangs.
  // What Node itself calls is ended by nobody.
  while (!isRead)
    await evaluate(`function hanging() {
      const { existsSync } = process.getBuiltinModule('node:fs');
      const end = Date.now() + 10_000;
      for (let look = 0; Date.now() < end; )
        if (Date.now() > look) {
          if (existsSync(${JSON.stringify(over)})) break;
          look = Date.now() + 100;
        }
    }
    await new Promise((resolve) => process.getBuiltinModule('node:timers').setTimeout(() => resolve(hanging())))`);
  const stalled = await reported;
  t.is(stalled['node'], 'watched');
  t.true((stalled['stalledForMs'] as number) >= 1000);
  const end = await relay.log.find(
    (line) =>
      line.msg === 'event loop was stalled' && relay.log.all.indexOf(line) > relay.log.all.indexOf(stalled),
    'its end',
  );
  t.true((end['stalledForMs'] as number) >= (stalled['stalledForMs'] as number));
  const counted = async () => {
    const { body } = await ask(await relay.port('admin'), '/metrics');
    return sumOf(parseMetrics(body), 'fanfare_event_loop_stalls_total');
  };
  const said = () => relay.log.all.filter(({ msg }) => msg === 'event loop stalled').length;
  await eventually(async () => (await counted()) === said(), 'each is counted');
});

test('a heap near its limit sheds new connections, and those that are there go on', async (t) => {
  const file = configFile(t, config(temporaryFolder(t)));
  const relay = runRelay(t, ['--config', file], { NODE_OPTIONS: '--max-old-space-size=128' });
  await relay.log.find((line) => line.msg === 'ready', 'ready');
  const evaluate = await evaluator(t, relay, file);
  const metrics = async () => parseMetrics((await ask(await relay.port('admin'), '/metrics')).body);
  const door = await relay.port('pinghub');
  const client = await connectWs(t, door, '/there');
  // In pieces, each of which lets the event loop go on: it is memory that is short here, not time.
  await evaluate(`(() => {
    const v8 = process.getBuiltinModule('node:v8');
    const { setImmediate, setTimeout } = process.getBuiltinModule('node:timers');
    const old = () => v8.getHeapSpaceStatistics().reduce((sum, { space_name: name, space_used_size: size }) =>
      name.startsWith('new_') ? sum : sum + size, 0);
    v8.held = [];
    const fill = () => {
      if (v8.held === null) return;
      if (old() >= 0.92 * 128 * 1024 * 1024) setTimeout(fill, 10);
      else {
        v8.held.push(Array.from({ length: 4000 }, (_, n) => ({ n })));
        setImmediate(fill);
      }
    };
    fill();
  })()`);
  const full = await relay.log.find(
    ({ msg }) => msg === 'heap nearly full: new connections are refused',
    'it sheds',
  );
  t.true((full['heapUsedBytes'] as number) >= (full['heapLimitBytes'] as number) * 0.9);
  t.is(full['heapLimitBytes'], 128 * 1024 * 1024);
  t.is((await refusedWs(t, door, '/new')).status, 503);
  client.send('still here');
  t.is(await client.next(), 'still here');
  const shedding = await metrics();
  t.is(sumOf(shedding, 'fanfare_shedding'), 1);
  t.true(sumOf(shedding, 'fanfare_gate_refusals_total') + sumOf(shedding, 'fanfare_refusals_total') >= 1);
  await evaluate("process.getBuiltinModule('node:v8').held = null; bin_leak(1)");
  await relay.log.find(({ msg }) => msg === 'heap has room again', 'it lets in again');
  const again = await connectWs(t, door, '/new');
  again.send('in');
  t.is(await again.next(), 'in');
  t.is(sumOf(await metrics(), 'fanfare_shedding'), 0);
});

test('a log that nobody reads costs lines and no service', async (t) => {
  const file = configFile(t, config(temporaryFolder(t)));
  const child = spawn(
    process.execPath,
    [join(packageRoot, 'dist/start.js'), '--config', file, '--set', 'log.level=debug'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      // Variables of the tests, such as FANFARE_PROVISION, are none of a relay's.
      env: { PATH: process.env['PATH'] ?? '' },
    },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const ports = new Map<string, number>();
  let text = '';
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (/"msg":"ready".*\n/.test(text)) resolve();
    });
  });
  // The last line may be half a line.
  for (const line of text.split('\n').slice(0, -1)) {
    const { door, port } = JSON.parse(line) as { door?: string; port?: number };
    if (door !== undefined && port !== undefined) ports.set(door, port);
  }
  child.stdout.removeAllListeners('data');
  child.stdout.pause();
  const door = ports.get('pinghub') ?? 0;
  // Far more than a pipe holds.
  for (let round = 0; round < 20; round++) {
    const clients = await Promise.all(
      Array.from({ length: 50 }, () => connectWs(t, door, `/${'long'.repeat(50)}`)),
    );
    // Each with a code of its own: closes that are alike would be folded.
    await Promise.all(clients.map((client, index) => client.leave(3000 + round * 50 + index)));
  }
  const client = await connectWs(t, door, '/after');
  client.send('still here');
  t.is(await client.next(), 'still here');
  t.is((await ask(ports.get('admin') ?? 0, '/health')).status, 200);
  // What the pipe did not take comes once it is read: a line for every close.
  let closes = 0;
  await new Promise<void>((resolve) => {
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      closes += lines.filter((line) => line.includes('"msg":"closed"')).length;
      if (closes === 1000) resolve();
    });
    child.stdout.resume();
  });
  t.is(closes, 1000);
});
