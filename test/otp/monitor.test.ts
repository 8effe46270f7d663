import test from 'ava';
import { starting, stop } from '../../src/otp/behaviour.ts';
import { demonitor, type MonitorRef, monitor, watch } from '../../src/otp/monitor.ts';
import { type Pid, type Process, type Self, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { spawnScripted, type TestSystem, testSystem } from '../support/otp.ts';

/** Has `owner` watch `target`, and waits until it does. */
async function watches({ quiet }: TestSystem, owner: Pid<unknown>, target: Pid<never>): Promise<MonitorRef> {
  let ref: MonitorRef = null;
  send(owner, (self: Self<unknown>) => {
    ref = monitor(self, target);
    return undefined;
  });
  await quiet();
  return ref;
}

test('a down comes when the process ends, whatever the reason', async (t) => {
  for (const reason of ['normal', 'shutdown', { shutdown: 'x' }, { stop: 'bad' }] as const) {
    const world = testSystem();
    const [owner, target] = [spawnScripted(world.system), spawnScripted(world.system)];
    await watches(world, owner.pid, target.pid);
    t.deepEqual(owner.log.got, []);
    send(target.pid, () => stop(reason));
    await world.quiet();
    t.deepEqual(owner.log.got, [{ type: 'down', pid: target.pid, reason }]);
  }
});

test('a down says killed, the error of a crash, and the end of a process that never got to run', async (t) => {
  const world = testSystem();
  const owner = spawnScripted(world.system);
  const killed = spawnScripted(world.system).pid;
  const crashed = spawnScripted(world.system).pid;
  const unborn = spawnScripted(world.system, { init: () => starting(null) }).pid;
  const error = new Error('bad');
  for (const pid of [killed, crashed, unborn]) await watches(world, owner.pid, pid);
  exit(killed, 'kill');
  send(crashed, () => {
    throw error;
  });
  await world.quiet();
  send(unborn, () => stop({ stop: 'no port' }));
  await world.quiet();
  t.deepEqual(owner.log.got, [
    { type: 'down', pid: killed, reason: 'killed' },
    { type: 'down', pid: crashed, reason: { error } },
    { type: 'down', pid: unborn, reason: { stop: 'no port' } },
  ]);
});

test('a down comes at once for the dead, and nothing is left to take back', async (t) => {
  const world = testSystem();
  const [owner, target] = [spawnScripted(world.system), spawnScripted(world.system)];
  exit(target.pid, 'shutdown');
  t.is(await watches(world, owner.pid, target.pid), null);
  t.deepEqual(owner.log.got, [{ type: 'down', pid: target.pid, reason: 'noproc' }]);
  t.notThrows(() => demonitor(null));
});

test('watching a process twice brings two downs', async (t) => {
  const world = testSystem();
  const [owner, target] = [spawnScripted(world.system), spawnScripted(world.system)];
  const first = await watches(world, owner.pid, target.pid);
  await watches(world, owner.pid, target.pid);
  await watches(world, owner.pid, target.pid);
  demonitor(first);
  exit(target.pid, 'shutdown');
  await world.quiet();
  t.is(owner.log.got.length, 2);
});

test('what was taken back brings nothing, and taking it back again is harmless', async (t) => {
  const world = testSystem();
  const [owner, target] = [spawnScripted(world.system), spawnScripted(world.system)];
  const ref = await watches(world, owner.pid, target.pid);
  demonitor(ref);
  demonitor(ref);
  exit(target.pid, 'shutdown');
  demonitor(ref);
  await world.quiet();
  t.deepEqual(owner.log.got, []);
});

test('a watch that is taken back by another one of the same death is not told', (t) => {
  const { system } = testSystem();
  const target = spawnScripted(system).pid;
  const told: string[] = [];
  watch(target, () => {
    told.push('first');
    demonitor(second);
  });
  const second = watch(target, () => told.push('second'));
  exit(target, 'kill');
  t.deepEqual(told, ['first']);
});

test('a watch from outside is told once, and at once when the process is dead', (t) => {
  const { system } = testSystem();
  const target = spawnScripted(system).pid;
  const told: unknown[] = [];
  watch(target, (reason) => told.push(reason));
  exit(target, 'shutdown');
  t.deepEqual(told, ['shutdown']);
  t.is(
    watch(target, (reason) => told.push(reason)),
    null,
  );
  t.deepEqual(told, ['shutdown', 'noproc']);
});

test('a monitor does not end its owner, and the end of the owner does not end the watched', async (t) => {
  const world = testSystem();
  const [owner, target] = [spawnScripted(world.system), spawnScripted(world.system)];
  await watches(world, owner.pid, target.pid);
  exit(owner.pid, { stop: 'bad' });
  t.deepEqual(target.log.terminated, []);
});

test('monitors leave nothing behind: not at the death of either side, nor when taken back', async (t) => {
  const world = testSystem();
  const spawn = () => spawnScripted(world.system).pid as Process;
  const hub = spawn();
  const others = Array.from({ length: 100 }, spawn);
  const refs: MonitorRef[] = [];
  for (const other of others) {
    refs.push(await watches(world, hub as Pid<unknown>, other));
    await watches(world, other as Pid<unknown>, hub);
  }
  t.is(hub.watching?.length, 100);
  t.is(hub.watchers?.length, 100);
  for (let i = 0; i < 100; i += 3) demonitor(refs[i] ?? null);
  t.is(hub.watching?.length, 66);
  for (let i = 1; i < 100; i += 3) exit(others[i] as Process, 'kill');
  t.is(hub.watching?.length, 33);
  t.is(hub.watchers?.length, 67);
  const indices = (list: Process['watching'], key: 'ownerIndex' | 'targetIndex') =>
    list?.every((entry, index) => entry[key] === index);
  t.true(indices(hub.watching, 'ownerIndex'));
  t.true(indices(hub.watchers, 'targetIndex'));
  exit(hub, 'kill');
  for (const other of others) {
    t.is(other.watchers?.length ?? 0, 0);
    t.is(other.watching?.length ?? 0, 0);
  }
  t.is(hub.watchers, undefined);
  t.is(hub.watching, undefined);
});

test('the right downs come after monitors were taken back in the middle of the list', async (t) => {
  const world = testSystem();
  const owner = spawnScripted(world.system);
  const targets = Array.from({ length: 10 }, () => spawnScripted(world.system).pid);
  const refs: MonitorRef[] = [];
  for (const target of targets) refs.push(await watches(world, owner.pid, target));
  for (const i of [3, 9, 0]) demonitor(refs[i] as MonitorRef);
  for (const target of targets) exit(target, 'kill');
  await world.quiet();
  const down = owner.log.got.map((message) => (message as { pid: Pid<never> }).pid);
  t.deepEqual(new Set(down), new Set(targets.filter((_, i) => ![3, 9, 0].includes(i))));
  t.is(down.length, 7);
});

test('a dead process watches nobody', (t) => {
  const { system } = testSystem();
  const [dead, living] = [spawnScripted(system).pid, spawnScripted(system).pid];
  exit(dead, 'kill');
  t.is(monitor(dead as Process, living), null);
  t.is((living as Process).watchers, undefined);
});
