import test from 'ava';
import { monitor, watch } from '../../src/otp/monitor.ts';
import { isAlive, type Process } from '../../src/otp/process.ts';
import { countChildren, supervisor, terminateChild, whichChildren } from '../../src/otp/supervisor.ts';
import { family, shutdown } from '../support/family.ts';
import { spawnScripted } from '../support/otp.ts';

test('children start in their order', async (t) => {
  const { member, start, seen } = family();
  await start({}, [member('a'), member('b'), member('c')]);
  t.is(seen(), '+a +b +c');
});

test('trap 1: children stop in the reverse order, each awaited', async (t) => {
  const { member, start, seen, tell, quiet, living } = family();
  const pid = await start({}, [member('a'), member('b', { slowStop: true }), member('c')]);
  seen();
  shutdown(pid);
  await quiet();
  t.is(seen(), '-c ?b');
  t.true(isAlive(pid));
  t.deepEqual(living(), ['a', 'b']);
  tell('b', { type: 'end', reason: 'shutdown' });
  await quiet();
  t.is(seen(), '-b -a');
  t.false(isAlive(pid));
});

test('a supervisor ends with the reason it was told, and writes no report about it', async (t) => {
  for (const reason of ['shutdown', 'normal', { shutdown: 'drained' }] as const) {
    const { system, member, start, quiet, reports } = family();
    const pid = await start({}, [member('a')]);
    const told: unknown[] = [];
    watch(pid, (why) => told.push(why));
    (pid as Process).signal(null, reason);
    await quiet();
    t.deepEqual(told, [reason]);
    t.deepEqual(reports, []);
    t.is(system.processes.size, 0);
  }
});

test('a child that is too slow to stop is killed after its time and not before, and reported', async (t) => {
  const { member, start, seen, quiet, advance, supervisorReports } = family();
  const pid = await start({}, [member('a'), member('b', { slowStop: true, shutdown: 100 })]);
  seen();
  shutdown(pid);
  await quiet();
  await advance(99);
  t.is(seen(), '?b');
  await advance(1);
  t.is(seen(), '-a');
  t.false(isAlive(pid));
  t.like(supervisorReports()[0], { context: 'shutdown_error', reason: 'killed', offender: { id: 'b' } });
});

test('a supervisor told twice to stop asks each child once, and gives it no more time', async (t) => {
  const { member, start, seen, quiet, advance } = family();
  const pid = await start({}, [member('a', { slowStop: true, shutdown: 100 })]);
  seen();
  shutdown(pid);
  await quiet();
  await advance(60);
  shutdown(pid);
  await quiet();
  await advance(39);
  t.is(seen(), '?a');
  t.true(isAlive(pid));
  await advance(1);
  t.false(isAlive(pid));
});

test('a child that stops in time leaves no timer behind', async (t) => {
  const { member, start, clock } = family();
  const root = await start({}, [member('a'), member('b')]);
  await terminateChild(root, 'a');
  t.is(clock.pending, 0);
});

test('a worker has five seconds to stop by default', async (t) => {
  const { member, start, quiet, advance } = family();
  const pid = await start({}, [member('a', { slowStop: true })]);
  shutdown(pid);
  await quiet();
  await advance(4999);
  t.true(isAlive(pid));
  await advance(1);
  t.false(isAlive(pid));
});

test('a brutal kill asks nobody, and is not reported as a supervisor’s trouble', async (t) => {
  const { member, start, seen, quiet, supervisorReports } = family();
  const pid = await start({}, [member('a', { slowStop: true, shutdown: 'brutal_kill' })]);
  seen();
  shutdown(pid);
  await quiet();
  t.is(seen(), '');
  t.false(isAlive(pid));
  t.deepEqual(supervisorReports(), []);
});

test('infinity waits for ever, as it does by default for a supervisor', async (t) => {
  const { system, member, quiet, advance, tell } = family();
  const inner = supervisor('inner', {}, [member('a', { slowStop: true, shutdown: 'infinity' })]);
  const root = supervisor('root', {}, [inner]).start(system, {});
  if (!root.ok) return t.fail();
  shutdown(root.pid);
  await quiet();
  await advance(1e9);
  t.true(isAlive(root.pid));
  tell('a', { type: 'end', reason: 'shutdown' });
  await quiet();
  t.false(isAlive(root.pid));
});

test('a crash while being stopped is reported, and the others are stopped all the same', async (t) => {
  const { member, start, seen, quiet, tell, supervisorReports } = family();
  const pid = await start({}, [member('a'), member('b', { slowStop: true })]);
  seen();
  shutdown(pid);
  await quiet();
  tell('b', 'crash');
  await quiet();
  t.is(seen(), '?b -b -a');
  t.like(supervisorReports()[0], { context: 'shutdown_error', reason: 'Error: b crashed' });
  t.false(isAlive(pid));
});

test('children that are dead already when their stop comes do not hold it up', async (t) => {
  const { member, start, crash, quiet, system } = family();
  const pid = await start({ strategy: 'one_for_all', intensity: 10 }, [
    member('a'),
    member('b'),
    member('c', { slowStop: true, shutdown: 'infinity' }),
    member('d'),
  ]);
  const told: unknown[] = [];
  watch(pid, (reason) => told.push(reason));
  shutdown(pid);
  await crash('a', 'b', 'd', 'c');
  t.deepEqual(told, ['shutdown']);
  t.is(system.processes.size, 0);
  await quiet();
});

test('a child may take its time to start: the next one waits, and so does whoever started the supervisor', async (t) => {
  const { system, member, quiet, seen, tell } = family();
  const inner = supervisor('inner', {}, [member('a', { slowStart: true }), member('b')]);
  const root = supervisor('root', {}, [inner, member('z')]).start(system, {});
  t.true(root.ok);
  await quiet();
  t.is(seen(), '+a');
  tell('a', 'started');
  await quiet();
  t.is(seen(), '+b +z');
});

test('a start that fails at boot stops the earlier ones in reverse, and the reason holds the cause', async (t) => {
  const { system, member, failing, seen, quiet, supervisorReports } = family();
  failing.set('c', 1);
  const result = supervisor('family', {}, [member('a'), member('b'), member('c'), member('d')]).start(
    system,
    {
      label: 'family',
    },
  );
  const told: unknown[] = [];
  if (result.ok) watch(result.pid, (reason) => told.push(reason));
  await quiet();
  t.is(seen(), '+a +b !c -b -a');
  t.deepEqual(told, [{ shutdown: 'failed to start c: c cannot start' }]);
  t.like(supervisorReports()[0], {
    context: 'start_error',
    reason: 'c cannot start',
    offender: { id: 'c', pid: null, restart: 'permanent', type: 'worker' },
  });
});

test('a first child that fails to start fails its supervisor at once', (t) => {
  const { system, member, failing } = family();
  failing.set('a', 1);
  t.deepEqual(supervisor('family', {}, [member('a'), member('b')]).start(system, {}), {
    ok: false,
    reason: { shutdown: 'failed to start a: a cannot start' },
  });
});

test('a slow start that fails at boot fails it as well, through all levels, with the cause', async (t) => {
  const { system, member, quiet, seen, tell } = family();
  const inner = supervisor('inner', {}, [member('a'), member('b', { slowStart: true })]);
  const root = supervisor('root', {}, [member('first'), inner]).start(system, {});
  if (!root.ok) return t.fail();
  const told: unknown[] = [];
  watch(root.pid, (reason) => told.push(reason));
  await quiet();
  tell('b', { type: 'end', reason: { stop: 'port is taken' } });
  await quiet();
  t.is(seen(), '+first +a +b -b -a -first');
  t.deepEqual(told, [{ shutdown: 'failed to start inner: shutdown: failed to start b: port is taken' }]);
});

test('a crash during boot waits until the boot is done, and is then handled', async (t) => {
  const { system, member, quiet, seen, tell } = family();
  const root = supervisor('root', {}, [member('a'), member('b', { slowStart: true })]).start(system, {});
  t.true(root.ok);
  tell('a', 'crash');
  await quiet();
  t.is(seen(), '+a +b -a');
  tell('b', 'started');
  await quiet();
  t.is(seen(), '+a');
});

test('a boot that fails after a crash during boot ends', async (t) => {
  const { system, member, quiet, tell } = family();
  const root = supervisor('root', {}, [member('a'), member('b', { slowStart: true })]).start(system, {});
  t.true(root.ok);
  tell('a', 'crash');
  await quiet();
  tell('b', 'crash');
  await quiet();
  t.is(system.processes.size, 0);
});

test('a supervisor told to stop while a child starts stops that child too', async (t) => {
  const { system, member, start, quiet, seen } = family();
  const pid = await start({}, [member('a'), member('b', { slowStart: true }), member('c')]);
  shutdown(pid);
  await quiet();
  t.is(seen(), '+a +b -b -a');
  t.is(system.processes.size, 0);
});

test('two children of one id are refused', (t) => {
  const { system, member } = family();
  t.deepEqual(supervisor('family', {}, [member('a'), member('a')]).start(system, {}), {
    ok: false,
    reason: { stop: 'duplicate child id' },
  });
});

test('a child of any id may be supervised', async (t) => {
  const { member, start, crash, living } = family();
  const ids = ['a/b:c%d', '__proto__', '', 'ü ✓\n'];
  await start(
    { intensity: 10 },
    ids.map((id) => member(id)),
  );
  await crash(...ids);
  t.deepEqual(living(), ids);
});

test('whichChildren and countChildren show every child', async (t) => {
  const { member, start, pid, end } = family();
  const inner = supervisor('inner', {}, []);
  const root = await start({}, [member('a'), member('b', { restart: 'transient' }), inner]);
  await end('b', 'normal');
  const [a, b, c] = await whichChildren(root);
  t.deepEqual(a, { id: 'a', pid: pid('a'), type: 'worker', restart: 'permanent' });
  t.deepEqual(b, { id: 'b', pid: null, type: 'worker', restart: 'transient' });
  t.like(c, { id: 'inner', type: 'supervisor', restart: 'permanent' });
  t.deepEqual(await countChildren(root), { specs: 3, active: 2, supervisors: 1, workers: 2 });
});

test('a supervisor that is killed takes its children with it', async (t) => {
  const { system, member, start, quiet } = family();
  const inner = supervisor('inner', {}, [member('deep')]);
  const pid = await start({}, [member('a'), inner]);
  (pid as Process).signal(null, 'kill');
  await quiet();
  t.is(system.processes.size, 0);
  t.is(system.counters.deadLetters, 0);
});

test('a monitor of a supervisor says why it ended', async (t) => {
  const { system, member, start, crash } = family();
  const pid = await start({ intensity: 0 }, [member('a')]);
  const owner = spawnScripted(system);
  monitor(owner.pid as Process, pid);
  await crash('a');
  t.deepEqual(owner.log.got, [{ type: 'down', pid, reason: 'shutdown' }]);
});

test('children that are given as a function are those of each start', async (t) => {
  const { member, start, seen, quiet } = family();
  let children = [member('a')];
  const outer = await start({}, [supervisor('inner', {}, () => children)]);
  t.is(seen(), '+a');
  children = [member('a'), member('b')];
  const [inner] = (await whichChildren(outer)) as unknown as [{ readonly pid: Process }];
  inner.pid.signal(null, 'killed');
  await quiet();
  t.is(seen(), '-a +a +b');
});
