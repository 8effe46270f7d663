import test from 'ava';
import { become, keep, starting } from '../../src/otp/behaviour.ts';
import { isAlive, type Process, type Self, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import {
  findProcess,
  getState,
  replaceState,
  resume,
  statistics,
  suspend,
  trace,
} from '../../src/otp/sys.ts';
import { spawnScripted, testSystem } from '../support/otp.ts';

test('the state can be read and replaced, between two messages', async (t) => {
  const { system, quiet } = testSystem();
  const { pid } = spawnScripted(system, { init: () => ({ count: 1 }) });
  t.deepEqual(getState(pid), { count: 1 });
  t.true(replaceState(pid, (state) => ({ count: (state as { count: number }).count + 1 })));
  t.deepEqual(getState(pid), { count: 2 });
  send(pid, (_self: unknown, state: { count: number }) => become({ count: state.count * 10 }));
  await quiet();
  t.deepEqual(getState(pid), { count: 20 });
});

test('a change that throws leaves the state as it was, and the process alive', (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system, { init: () => 'as it was' });
  t.throws(() =>
    replaceState(pid, () => {
      throw new Error('typo');
    }),
  );
  t.is(getState(pid), 'as it was');
  t.true(isAlive(pid));
});

test('the dead have no state, and none to replace', (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system, { init: () => 'state' });
  exit(pid, 'kill');
  t.is(getState(pid), undefined);
  t.false(replaceState(pid, () => t.fail()));
});

test('a suspended process handles nothing until it is resumed; its mail waits, to the limit', async (t) => {
  const { system, quiet } = testSystem();
  const { pid, log } = spawnScripted(system, {}, { mailboxLimit: 2 });
  send(pid, 'sent before');
  suspend(pid);
  send(pid, 'sent after');
  t.false(send(pid, 'too many'));
  await quiet();
  t.deepEqual(log.got, []);
  t.is(statistics(pid).status, 'suspended');
  resume(pid);
  await quiet();
  t.deepEqual(log.got, ['sent before', 'sent after']);
  t.is(statistics(pid).status, 'running');
});

test('a process that suspends itself stops after that message, and loses none', async (t) => {
  const { system, quiet } = testSystem();
  const { pid, log } = spawnScripted(system);
  const sent = Array.from({ length: 2500 }, (_, i) => i);
  send(pid, (self: Self<unknown>) => {
    suspend(self);
    send(self, 'last');
    return undefined;
  });
  for (const i of sent) send(pid, i);
  await quiet();
  t.deepEqual(log.got, []);
  t.is((pid as Process).mailboxLength, 2501);
  resume(pid);
  await quiet();
  t.deepEqual(log.got, [...sent, 'last']);
});

test('a suspended process can be ended', (t) => {
  const { system } = testSystem();
  const { pid, log } = spawnScripted(system);
  suspend(pid);
  send(pid, 'waiting');
  exit(pid, 'shutdown');
  t.deepEqual(log.undelivered, ['waiting']);
  t.notThrows(() => resume(pid));
});

test('resuming a process that was not suspended changes nothing', async (t) => {
  const { system, quiet } = testSystem();
  const { pid, log } = spawnScripted(system);
  send(pid, 1);
  resume(pid);
  resume(pid);
  await quiet();
  t.deepEqual(log.got, [1]);
  t.is(log.settled, 1);
});

test('a trace shows the next messages, as many as asked for, before they are handled', async (t) => {
  const { system, clock, quiet } = testSystem();
  const { pid, log } = spawnScripted(system);
  const seen: unknown[] = [];
  trace(pid, 2, 1000, (message) => seen.push([message, log.got.length]));
  for (let i = 0; i < 4; i++) send(pid, i);
  await quiet();
  t.deepEqual(seen, [
    [0, 0],
    [1, 1],
  ]);
  t.is(log.got.length, 4);
  t.is(clock.pending, 0);
  t.is((pid as Process).trace, undefined);
});

test('a trace ends with its period, with a call, and when another one takes its place', async (t) => {
  const { system, advance } = testSystem();
  const { pid } = spawnScripted(system);
  const seen: unknown[] = [];
  const see = (message: unknown) => seen.push(message);
  trace(pid, 100, 50, see);
  send(pid, 'in time');
  await advance(49);
  await advance(1);
  send(pid, 'too late');
  await advance(0);
  t.deepEqual(seen.splice(0), ['in time']);
  const end = trace(pid, 100, 50, see);
  end();
  end();
  send(pid, 'ended');
  await advance(0);
  t.deepEqual(seen, []);
  const endFirst = trace(pid, 100, 50, () => t.fail());
  trace(pid, 100, 80, see);
  endFirst();
  await advance(60);
  send(pid, 'second');
  await advance(0);
  t.deepEqual(seen, ['second']);
});

test('a trace of nothing sees nothing, and one of the dead ends by itself', async (t) => {
  const { system, clock, advance } = testSystem();
  const { pid } = spawnScripted(system);
  trace(pid, 0, 50, () => t.fail());
  send(pid, 1);
  await advance(0);
  trace(pid, 1, 50, () => t.fail());
  exit(pid, 'kill');
  t.is((pid as Process).trace, undefined);
  trace(pid, 1, 50, () => t.fail());
  await advance(50);
  t.is(clock.pending, 0);
  t.is((pid as Process).trace, undefined);
});

test('a tracer that throws ends its trace and harms nobody', async (t) => {
  const { system, clock, quiet, reports } = testSystem();
  const { pid, log } = spawnScripted(system);
  let seen = 0;
  trace(pid, 10, 1000, () => {
    seen++;
    throw new Error('bad tracer');
  });
  for (let i = 0; i < 3; i++) send(pid, i);
  await quiet();
  t.is(seen, 1);
  t.deepEqual(log.got, [0, 1, 2]);
  t.deepEqual(reports, []);
  t.is(clock.pending, 0);
});

test('statistics count what was handled, what waits, the longest queue, restarts and uptime', async (t) => {
  const { system, advance } = testSystem();
  const { pid } = spawnScripted(system, {}, { name: 'counted', restarts: 3 });
  for (let i = 0; i < 7; i++) send(pid, i);
  await advance(250);
  send(pid, 'waiting');
  t.deepEqual(statistics(pid), {
    pid: pid.toString(),
    name: 'counted',
    initialCall: 'scripted',
    status: 'running',
    mailboxLength: 1,
    mailboxHighWater: 7,
    handled: 7,
    restarts: 3,
    uptime: 250,
  });
  for (let i = 0; i < 2400; i++) send(pid, i);
  t.is(statistics(pid).mailboxHighWater, 2401);
  await advance(0);
  t.is(statistics(pid).mailboxHighWater, 2401);
  t.is(statistics(pid).handled, 2408);
});

test('statistics tell a starting process and a dead one', (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system, { init: () => starting(null), handle: () => keep });
  t.is(statistics(pid).status, 'starting');
  exit(pid, 'kill');
  t.is(statistics(pid).status, 'exited');
});

test('a process is found by its number while it lives', (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system);
  t.is(findProcess(system, pid.id), pid);
  exit(pid, 'kill');
  t.is(findProcess(system, pid.id), undefined);
});
