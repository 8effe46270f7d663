import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { systemClock } from '../../src/otp/clock.ts';
import { type Process, type Self, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { System } from '../../src/otp/system.ts';
import { now, sendAfter, type Timer, uptime } from '../../src/otp/timer.ts';
import { eventually } from '../support/arrivals.ts';
import { spawnScripted, testSystem } from '../support/otp.ts';

test('a timer is a message, at its time and not before', async (t) => {
  const { system, advance } = testSystem();
  const { pid, log } = spawnScripted(system);
  sendAfter(pid as Process, 100, 'ring');
  await advance(99);
  t.deepEqual(log.got, []);
  await advance(1);
  t.deepEqual(log.got, ['ring']);
  await advance(1000);
  t.is(log.got.length, 1);
  t.is((pid as Process).timers, undefined);
});

test('timers ring in the order of their times, equal ones in the order they were set', async (t) => {
  const { system, advance } = testSystem();
  const { pid, log } = spawnScripted(system);
  for (const [delay, name] of [
    [30, 'third'],
    [10, 'first'],
    [10, 'second'],
  ] as const) {
    sendAfter(pid as Process, delay, name);
  }
  await advance(30);
  t.deepEqual(log.got, ['first', 'second', 'third']);
});

test('a cancelled timer does not ring, and cancelling twice or late is harmless', async (t) => {
  const { system, clock, advance } = testSystem();
  const { pid, log } = spawnScripted(system);
  const early = sendAfter(pid as Process, 10, 'early');
  const late = sendAfter(pid as Process, 10, 'late');
  early.cancel();
  early.cancel();
  await advance(10);
  late.cancel();
  t.deepEqual(log.got, ['late']);
  t.is(clock.pending, 0);
});

test('the timers of a process end with it, and do not count as dead letters', async (t) => {
  const { system, clock, advance } = testSystem();
  const { pid } = spawnScripted(system);
  let timer: Timer | undefined;
  send(pid, (self: Self<unknown>) => {
    timer = sendAfter(self, 10, 'never');
    sendAfter(self, 20, 'never');
    return undefined;
  });
  await advance(0);
  t.is(clock.pending, 2);
  exit(pid, 'kill');
  t.is(clock.pending, 0);
  sendAfter(pid as Process, 10, 'too late').cancel();
  sendAfter(pid as Process, 10, 'too late');
  t.is(clock.pending, 0);
  await advance(100);
  timer?.cancel();
  t.is(system.counters.deadLetters, 0);
});

test('now and uptime are read from the clock of the system', async (t) => {
  const { system, advance } = testSystem();
  await advance(500);
  const { pid } = spawnScripted(system);
  await advance(70);
  t.is(now(pid as Process), 570);
  t.is(uptime(pid), 70);
});

test("the machine's clock runs forward, fires, and lets itself be cancelled", async (t) => {
  const before = systemClock.now();
  systemClock.after(0, () => t.fail('cancelled')).cancel();
  // Its timers do not keep the event loop alive: this one does.
  const alive = setInterval(() => undefined, 1000);
  await new Promise<void>((resolve) => systemClock.after(1, resolve));
  clearInterval(alive);
  t.true(systemClock.now() > before);
});

/** A connection with both of its ends here. */
async function connection(t: ExecutionContext): Promise<readonly [near: Socket, far: Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  t.teardown(() => {
    for (const socket of [near, far]) socket.destroy();
    server.close();
  });
  return [near, far];
}

/** Holds the event loop up for so many milliseconds. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** A process that lives on the machine's clock, to which all that arrives is sent, and what it has got. */
async function reader(t: ExecutionContext) {
  const [near, far] = await connection(t);
  const { pid, log } = spawnScripted(new System());
  near.on('data', (chunk) => send(pid, String(chunk)));
  return { self: pid as Process, got: log.got, near, far };
}

test.serial(
  'a timer that is late because the loop stood still comes after what arrived meanwhile',
  async (t) => {
    const { self, got, far } = await reader(t);
    setImmediate(() => {
      sendAfter(self, 20, 'timer');
      sendAfter(self, 180, 'one that is not');
      far.write('data');
      block(200);
    });
    await eventually(() => got.length === 3, 'all come');
    t.deepEqual(got, ['data', 'timer', 'one that is not']);
    t.is(self.system.lateTimers, 0);
  },
);

test.serial('a timer that is late lets itself be cancelled by what arrived meanwhile', async (t) => {
  const { self, got, near, far } = await reader(t);
  setImmediate(() => {
    const timer = sendAfter(self, 20, 'timer');
    near.once('data', () => timer.cancel());
    far.write('data');
    block(200);
  });
  await eventually(() => got.length > 0, 'it comes');
  sendAfter(self, 1, 'later');
  await eventually(() => got.length === 2, 'a later one comes');
  t.deepEqual(got, ['data', 'later']);
});
