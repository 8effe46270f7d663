import test from 'ava';
import { starting } from '../../src/otp/behaviour.ts';
import { dynamicSupervisor, startDynamicChild } from '../../src/otp/dynamic-supervisor.ts';
import { watch } from '../../src/otp/monitor.ts';
import { isAlive, type Process, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { countChildren, whichChildren } from '../../src/otp/supervisor.ts';
import { statistics, viewOf } from '../../src/otp/sys.ts';
import { shutdown } from '../support/family.ts';
import { script, scripted, spawnOk, spawnScripted, testSystem } from '../support/otp.ts';
import { addOne, pool } from '../support/pool.ts';

test('children are started on demand, and the one who asked is told of the pid', async (t) => {
  const world = pool();
  const result = await addOne(world, 'a');
  t.deepEqual(result, { ok: true, pid: world.child('a') });
  t.deepEqual(world.events, ['+a']);
});

test('a child that cannot start is told of, reported, and does not count as a restart', async (t) => {
  const world = pool({ intensity: 0 });
  world.failing.set('a', 1);
  t.deepEqual(await addOne(world, 'a'), { ok: false, reason: { stop: 'cannot start' } });
  t.like(world.supervisorReports()[0], { context: 'start_error', reason: 'cannot start' });
  t.true((await addOne(world, 'a')).ok);
});

test('reports say what the child is about that crashed, did not start, or was one too many', async (t) => {
  const world = pool({ intensity: 1, restart: 'permanent' });
  world.failing.set('a', 1);
  await addOne(world, 'a');
  await world.add('b');
  t.is(viewOf(world.child('b')).about, 'job b');
  for (let i = 0; i < 2; i++) {
    world.send('b', 'crash');
    await world.quiet();
  }
  t.deepEqual(
    world.crashes().map(({ about }) => about),
    ['job b', 'job b'],
  );
  t.deepEqual(
    world.supervisorReports().map(({ context, offender }) => `${context} ${offender.about}`),
    ['start_error job a', 'child_terminated job b', 'child_terminated job b', 'shutdown job b'],
  );
});

test('what says what a process is about may throw: then nothing is said', async (t) => {
  const { system, quiet, crashes } = testSystem();
  const { pid } = spawnScripted(system, {
    about: () => {
      throw new Error('no answer');
    },
  });
  t.is(viewOf(pid).about, null);
  send(pid, () => {
    throw new Error('broken');
  });
  await quiet();
  t.like(crashes(), [{ reason: 'Error: broken', about: null }]);
});

test('a child is restarted with the arguments it was started with', async (t) => {
  const { add, send: tell, quiet, events, child } = pool();
  await add('a', 'b');
  tell('b', 'crash');
  await quiet();
  t.deepEqual(events, ['+a', '+b', '-b', '+b']);
  t.is(statistics(child('b')).restarts, 1);
});

test('permanent, transient and temporary children are restarted by the rules', async (t) => {
  for (const [restart, crash, normal] of [
    ['permanent', true, true],
    ['transient', true, false],
    ['temporary', false, false],
  ] as const) {
    for (const reason of ['normal', 'shutdown', { shutdown: 'x' }, 'crash'] as const) {
      const { add, send: tell, quiet, child, pid } = pool({ restart, intensity: 1 });
      await add('a');
      tell('a', reason === 'crash' ? 'crash' : { type: 'end', reason });
      await quiet();
      t.is(isAlive(child('a')), reason === 'crash' ? crash : normal, `${restart} ${JSON.stringify(reason)}`);
      t.true(isAlive(pid));
    }
  }
});

test('the intensity is shared by all children and is exactly that of OTP', async (t) => {
  for (const [intensity, last] of [
    [0, 1],
    [1, 2],
    [3, 4],
    [10, 11],
  ] as const) {
    const { add, send: tell, quiet, pid } = pool({ intensity });
    await add('a', 'b');
    for (let crash = 1; crash <= last; crash++) {
      t.true(isAlive(pid));
      tell(crash % 2 === 0 ? 'a' : 'b', 'crash');
      await quiet();
    }
    t.false(isAlive(pid));
  }
});

test('the period of the intensity includes both its ends', async (t) => {
  for (const [apart, survives] of [
    [5000, false],
    [5001, true],
  ] as const) {
    const { add, send: tell, quiet, advance, pid } = pool();
    await add('a');
    tell('a', 'crash');
    await quiet();
    await advance(apart);
    tell('a', 'crash');
    await quiet();
    t.is(isAlive(pid), survives);
  }
});

test('all children are stopped at the same time, and awaited', async (t) => {
  const { add, send: tell, quiet, pid, events } = pool({ slowStop: true });
  await add('a', 'b', 'c');
  shutdown(pid);
  await quiet();
  for (const id of ['b', 'a', 'c']) {
    t.true(isAlive(pid));
    tell(id, { type: 'end', reason: 'shutdown' });
    await quiet();
  }
  t.deepEqual(events.slice(3), ['-b', '-a', '-c']);
  t.false(isAlive(pid));
});

test('children that are too slow to stop are killed after the time they have, and not before', async (t) => {
  const { add, quiet, advance, pid, events, supervisorReports, system, abandoned } = pool({
    slowStop: true,
    shutdown: 100,
  });
  await add('a', 'b');
  shutdown(pid);
  await quiet();
  await advance(99);
  t.true(isAlive(pid));
  await advance(1);
  t.false(isAlive(pid));
  t.deepEqual(events, ['+a', '+b']);
  t.deepEqual(
    supervisorReports().map(({ context, reason }) => [context, reason]),
    [
      ['shutdown_error', 'killed'],
      ['shutdown_error', 'killed'],
    ],
  );
  t.deepEqual(abandoned, ['a', 'b']);
  t.is(system.processes.size, 0);
});

test('a brutal kill asks nobody, infinity waits', async (t) => {
  const brutal = pool({ slowStop: true, shutdown: 'brutal_kill' });
  await brutal.add('a');
  shutdown(brutal.pid);
  await brutal.quiet();
  t.false(isAlive(brutal.pid));
  const patient = pool({ slowStop: true, shutdown: 'infinity' });
  await patient.add('a');
  shutdown(patient.pid);
  await patient.quiet();
  await patient.advance(1e9);
  t.true(isAlive(patient.pid));
  exit(patient.child('a'), 'kill');
  await patient.quiet();
  t.false(isAlive(patient.pid));
});

test('a supervisor without children stops at once', async (t) => {
  const { pid, quiet } = pool();
  shutdown(pid);
  await quiet();
  t.false(isAlive(pid));
});

test('a supervisor that stops starts no more children, and everyone who asked is told', async (t) => {
  const world = pool({ slowStop: true });
  await world.add('a');
  shutdown(world.pid);
  await world.quiet();
  t.deepEqual(await addOne(world, 'b'), { ok: false, reason: 'shutdown' });
  const waiting = addOne(world, 'c');
  exit(world.pid, 'kill');
  t.deepEqual(await waiting, { ok: false, reason: 'killed' });
  t.false(startDynamicChild(world.pid, 'd', () => t.fail()));
  t.deepEqual(world.events, ['+a']);
});

test('which and count show the children that live', async (t) => {
  const { pid, add, child, send: tell, quiet } = pool({ restart: 'temporary' });
  await add('a', 'b', 'c');
  tell('b', { type: 'end', reason: 'normal' });
  await quiet();
  const supervisor = pid as Parameters<typeof whichChildren>[0] & Parameters<typeof countChildren>[0];
  t.deepEqual(
    (await whichChildren(supervisor)).map((info) => info.pid),
    [child('a'), child('c')],
  );
  const counts = await countChildren(supervisor);
  t.deepEqual(counts, { specs: 1, active: 2, supervisors: 0, workers: 2 });
});

test('trap 1: twenty thousand children start, one of them restarts, and all stop', async (t) => {
  const { system, quiet, reports } = testSystem();
  const log = script();
  const spec = dynamicSupervisor('many', {
    behaviour: scripted(log, { terminate: () => void log.settled++, settle: undefined as never }),
    restart: 'permanent',
  });
  const root = spawnScripted(system);
  const started = spec.start(system, { parent: root.pid as Process });
  if (!started.ok) return t.fail();
  const pids: Process[] = [];
  for (let i = 0; i < 20_000; i++) {
    startDynamicChild(started.pid as never, i, (result) => {
      if (result.ok) pids.push(result.pid as Process);
    });
  }
  await quiet();
  t.is(pids.length, 20_000);
  t.is(system.processes.size, 20_002);
  exit(pids[10_000] as Process, { stop: 'bad' });
  await quiet();
  t.is(system.processes.size, 20_002);
  shutdown(started.pid);
  await quiet();
  t.is(system.processes.size, 1);
  t.is(log.settled, 20_001);
  t.is(system.counters.deadLetters, 0);
  t.is(reports.length, 2);
});

test('a supervisor hears of every exit, however full its mailbox is', async (t) => {
  const world = testSystem();
  const spec = dynamicSupervisor(
    'small',
    { behaviour: scripted(script()), restart: 'temporary' },
    { mailboxLimit: 5 },
  );
  const started = spec.start(world.system, {});
  if (!started.ok) return t.fail();
  const pids: Process[] = [];
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 5; i++) {
      startDynamicChild(started.pid as never, i, (result) => {
        if (result.ok) pids.push(result.pid as Process);
      });
    }
    await world.quiet();
  }
  for (const pid of pids) exit(pid, 'kill');
  shutdown(started.pid);
  await world.quiet();
  t.is(world.system.processes.size, 0);
});

test('an exit from one who is neither child nor parent changes nothing', async (t) => {
  const { system, pid, add, quiet, child } = pool();
  await add('a');
  exit(pid, { stop: 'who are you' }, spawnOk(system, scripted(script()), null));
  await quiet();
  t.true(isAlive(pid));
  t.true(isAlive(child('a')));
});

test('a child that is slow to start holds up nobody, and is restarted when it fails', async (t) => {
  const { system, quiet, supervisorReports } = testSystem();
  const started: Process[] = [];
  const behaviour = scripted(script(), {
    init: (self) => {
      started.push(self as Process);
      return starting(null);
    },
  });
  const spec = dynamicSupervisor('slow', { behaviour, restart: 'permanent' }).start(system, {});
  if (!spec.ok) return t.fail();
  for (let i = 0; i < 2; i++) startDynamicChild(spec.pid as never, i);
  await quiet();
  t.is(started.length, 2);
  started[0]?.becomeStarted();
  exit(started[1] as Process, { stop: 'port is taken' });
  await quiet();
  t.is(started.length, 3);
  t.true(isAlive(spec.pid));
  t.deepEqual(
    supervisorReports().map(({ context }) => context),
    ['child_terminated'],
  );
});

test('giving up stops the children, ends with shutdown and is reported', async (t) => {
  const { add, send: tell, quiet, pid, events, supervisorReports } = pool({ intensity: 0 });
  await add('a', 'b');
  const told: unknown[] = [];
  watch(pid, (reason) => told.push(reason));
  tell('a', 'crash');
  await quiet();
  t.deepEqual(events, ['+a', '+b', '-a', '-b']);
  t.deepEqual(told, ['shutdown']);
  t.deepEqual(
    supervisorReports().map(({ context }) => context),
    ['child_terminated', 'shutdown'],
  );
});
