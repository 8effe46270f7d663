import { once } from 'node:events';
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { stallWatcherScript } from '../../src/admin/stall-watcher.ts';
import {
  longLivedHeap,
  STALL,
  Stalls,
  type WatchdogArgs,
  watchdog,
  youngByFlags,
} from '../../src/admin/watchdog.ts';
import { type Clock, systemClock } from '../../src/otp/clock.ts';
import { spawn } from '../../src/otp/incarnation.ts';
import { exit } from '../../src/otp/signal.ts';
import { System } from '../../src/otp/system.ts';
import { eventually } from '../support/arrivals.ts';
import { quiescence } from '../support/otp.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

function started(args: Partial<WatchdogArgs>, clock: Clock = systemClock) {
  const system = new System({ clock });
  const stalls = new Stalls();
  const shed: boolean[] = [];
  const warnings: string[] = [];
  const lengths: unknown[] = [];
  const watching: WatchdogArgs = {
    node: 'test',
    stalls,
    raw: null,
    threshold: STALL,
    shed: (on) => shed.push(on),
    warn: (message, { stalledForMs }) => {
      warnings.push(message);
      if (stalledForMs !== undefined) lengths.push(stalledForMs);
    },
    ...args,
  };
  const result = spawn(system, watchdog, watching);
  if (!result.ok) throw new Error('not started');
  return { system, stalls, shed, warnings, lengths, pid: result.pid };
}

test('a heap that is nearly full sheds, and lets in again well below that', async (t) => {
  const heap = { used: 89, limit: 100 };
  let looks = 0;
  const look = () => {
    looks++;
    return heap;
  };
  const { shed, warnings, pid, system } = started({ threshold: 40, heap: look });
  t.teardown(() => system.halt());
  /** So much is used for as long as two looks take. */
  const use = async (used: number) => {
    heap.used = used;
    const before = looks;
    await eventually(() => looks >= before + 2, 'it has been looked at');
  };
  await use(89);
  t.deepEqual(shed, []);
  heap.used = 90;
  await eventually(() => shed.length === 1, 'sheds');
  await use(80);
  t.deepEqual(shed, [true]);
  heap.used = 79;
  await eventually(() => shed.length === 2, 'lets in');
  t.deepEqual(shed, [true, false]);
  t.deepEqual(
    warnings.filter((one) => one.startsWith('heap')),
    ['heap nearly full: new connections are refused', 'heap has room again'],
  );
  exit(pid, 'kill');
  t.is(shed.at(-1), false);
});

test('a loop that stands still is counted while it does, and said when it goes on', async (t) => {
  const { stalls, warnings, pid, system } = started({ threshold: 200 });
  t.teardown(() => system.halt());
  // The other thread takes a moment to start: only from its first look on can it miss a beat.
  const before = stalls.count;
  for (let tries = 0; tries < 5 && stalls.count === before; tries++) {
    const end = performance.now() + 1000;
    while (performance.now() < end && !stalls.now);
    if (stalls.now) t.true(stalls.count > before, 'counted while it stands still');
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.is(stalls.count, before + 1);
  await eventually(() => !stalls.now, 'it goes on');
  await eventually(() => warnings.includes('event loop was stalled'), 'it is said');
  exit(pid, 'kill');
});

test('the end of every stall that was reported is said, with its whole length; a beat that is late is none', async (t) => {
  const clock = new VirtualClock();
  // Far more than the other thread sees here: the test reports in its place.
  const { stalls, lengths, pid, system } = started({ threshold: 60_000 }, clock);
  t.teardown(() => system.halt());
  const wait = async (milliseconds: number) => {
    clock.advance(milliseconds);
    await quiescence(system);
  };
  await wait(60_000);
  t.deepEqual(lengths, []);
  Atomics.add(stalls.shared, 1, 1);
  await wait(60_000);
  await wait(15_000);
  t.deepEqual(lengths, [60_000]);
  // Reported as the beat came, and by nobody, as when the whole process was stopped.
  await wait(60_000);
  Atomics.add(stalls.shared, 1, 1);
  await wait(15_000);
  await wait(74_999);
  await wait(75_000);
  t.deepEqual(lengths, [60_000, 60_000, 75_000]);
  exit(pid, 'kill');
});

test('a loop that answers just as it is given up ends no watching', (t) => {
  const posted: { readonly method: string; readonly done: (() => void) | undefined }[] = [];
  const on = new Map<string, (event: unknown) => void>();
  let isConnected = false;
  class Session {
    connectToMainThread() {
      isConnected = true;
    }
    disconnect() {
      isConnected = false;
    }
    on(event: string, listener: (event: unknown) => void) {
      on.set(event, listener);
    }
    post(method: string, done?: () => void) {
      if (!isConnected) throw new Error('Session is not connected');
      posted.push({ method, done });
    }
  }
  const { shared } = new Stalls();
  const workerData = { shared, threshold: 1000, descriptor: null, pretty: false, silent: true };
  const modules: Readonly<Record<string, unknown>> = {
    'node:worker_threads': { workerData },
    'node:inspector': { Session },
    'node:fs': {},
  };
  let now = 0;
  let tick = () => t.fail('it has begun');
  let giveUp = () => t.fail('it asks');
  new Function('require', 'performance', 'setInterval', 'setTimeout', 'clearTimeout', stallWatcherScript)(
    (name: string) => modules[name],
    { now: () => now },
    (run: () => void) => {
      tick = run as typeof tick;
    },
    (run: () => void) => {
      giveUp = run as typeof giveUp;
    },
    () => undefined,
  );
  for (tick(); posted.length === 0; now += 125) tick();
  giveUp();
  on.get('Debugger.paused')?.({ params: { callFrames: [] } });
  // All that was asked is answered in its order, and what is asked then as well.
  for (const { done } of posted) done?.();
  t.false(isConnected);
  t.true(posted.some(({ method }) => method === 'Debugger.resume'));
  t.notThrows(() => on.get('Debugger.paused')?.({ params: { callFrames: [] } }));
});

const MIB = 1024 * 1024;

test('the young generation is what flags say, or left to V8', (t) => {
  t.is(youngByFlags([], 512 * MIB), undefined);
  t.is(youngByFlags(['--max-old-space-size=512'], 512 * MIB), undefined);
  t.is(youngByFlags(['--enable-source-maps', '--max-semi-space-size=64'], 512 * MIB), 192 * MIB);
  t.is(youngByFlags(['--max_semi_space_size=64', '--max-semi-space-size=1'], 512 * MIB), 3 * MIB);
  t.is(youngByFlags(['--max-heap-size=512'], 512 * MIB), 32 * MIB);
  t.is(youngByFlags(['--max-heap-size=512', '--max-semi-space-size=1'], 512 * MIB), 3 * MIB);
});

test('what is kept for longer is less than the whole heap, and so is its limit', async (t) => {
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
  t.teardown(() => worker.terminate());
  await once(worker, 'online');
  const young = worker.resourceLimits?.maxYoungGenerationSizeMb;
  t.true(Number(young) > 0, 'V8 says what it would choose');
  const { used, limit } = longLivedHeap(young);
  const whole = getHeapStatistics();
  t.true(used > 0 && used <= whole.used_heap_size);
  t.is(limit, whole.heap_size_limit - Number(young) * MIB);
  for (const unknown of [undefined, -1]) t.is(longLivedHeap(unknown).limit, whole.heap_size_limit);
});
