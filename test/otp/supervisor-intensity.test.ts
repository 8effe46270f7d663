import test from 'ava';
import { watch } from '../../src/otp/monitor.ts';
import { isAlive } from '../../src/otp/process.ts';
import { supervisor } from '../../src/otp/supervisor.ts';
import { statistics } from '../../src/otp/sys.ts';
import { family } from '../support/family.ts';

const FOUR = ['a', 'b', 'c', 'd'] as const;

test('intensities 0, 1, 3 and 10 give up on crash 1, 2, 4 and 11', async (t) => {
  for (const [intensity, last] of [
    [0, 1],
    [1, 2],
    [3, 4],
    [10, 11],
  ] as const) {
    const { member, start, crash } = family();
    const root = await start({ intensity }, [member('a')]);
    for (let crashes = 1; crashes <= last; crashes++) {
      t.true(isAlive(root), `${intensity}: before crash ${crashes}`);
      await crash('a');
    }
    t.false(isAlive(root), `${intensity}: after crash ${last}`);
  }
});

test('one restart in five seconds is the default, both ends of the period included', async (t) => {
  for (const [apart, survives] of [
    [5000, false],
    [5001, true],
  ] as const) {
    const { member, start, crash, advance } = family();
    const root = await start({}, [member('a')]);
    await crash('a');
    await advance(apart);
    await crash('a');
    t.is(isAlive(root), survives, `${apart} ms`);
  }
});

test('one restart of several children counts as one', async (t) => {
  const { member, start, crash } = family();
  const root = await start(
    { strategy: 'one_for_all', intensity: 1 },
    FOUR.map((id) => member(id)),
  );
  await crash('a');
  t.true(isAlive(root));
});

test('two children that crash at once count as two, one_for_one', async (t) => {
  const { member, start, crash } = family();
  const root = await start({ intensity: 1 }, [member('a'), member('b')]);
  await crash('a', 'b');
  t.false(isAlive(root));
});

test('giving up stops the children in order and ends with shutdown', async (t) => {
  const { member, start, crash, seen, supervisorReports } = family();
  const root = await start(
    { intensity: 0 },
    FOUR.map((id) => member(id)),
  );
  const told: unknown[] = [];
  watch(root, (reason) => told.push(reason));
  seen();
  await crash('b');
  t.is(seen(), '-b -d -c -a');
  t.deepEqual(told, ['shutdown']);
  t.deepEqual(
    supervisorReports().map(({ context, reason }) => [context, reason]),
    [
      ['child_terminated', 'Error: b crashed'],
      ['shutdown', 'reached_max_restart_intensity'],
    ],
  );
});

test('a supervisor that gives up is restarted by its parent, which counts that', async (t) => {
  const { member, start, crash, seen, pid } = family();
  const inner = supervisor('inner', { intensity: 0 }, [member('a'), member('b')]);
  const root = await start({ intensity: 1 }, [inner, member('z')]);
  seen();
  await crash('a');
  t.is(seen(), '-a -b +a +b');
  t.true(isAlive(root));
  t.is(statistics(pid('a')).restarts, 0);
  await crash('b');
  t.is(seen(), '-b -a -z');
  t.false(isAlive(root));
});

test('a transient supervisor that gives up stays down', async (t) => {
  const { member, start, crash, seen } = family();
  const inner = supervisor('inner', { intensity: 0 }, [member('a')], { restart: 'transient' });
  const root = await start({ intensity: 1 }, [inner]);
  await crash('a');
  t.is(seen(), '+a -a');
  t.true(isAlive(root));
});

test('a restart that fails is tried again, and each try counts', async (t) => {
  const { member, start, crash, seen, failing, supervisorReports } = family();
  const root = await start({ intensity: 3 }, [member('a'), member('b')]);
  seen();
  failing.set('a', 2);
  await crash('a');
  t.is(seen(), '-a !a !a +a');
  t.true(isAlive(root));
  t.deepEqual(
    supervisorReports().map(({ context }) => context),
    ['child_terminated', 'start_error', 'start_error'],
  );
  await crash('b');
  t.false(isAlive(root));
});

test('restarts that always fail exceed the intensity, and do not loop', async (t) => {
  const { member, start, crash, seen, failing } = family();
  const root = await start({ intensity: 3 }, [member('a'), member('b')]);
  seen();
  failing.set('a', Number.POSITIVE_INFINITY);
  await crash('a');
  t.is(seen(), '-a !a !a !a -b');
  t.false(isAlive(root));
});

test('a failed start within one_for_all leaves the started ones, and all are tried again', async (t) => {
  const { member, start, crash, seen, failing } = family();
  await start({ strategy: 'one_for_all', intensity: 10 }, [member('a'), member('b'), member('c')]);
  seen();
  failing.set('b', 1);
  await crash('a');
  t.is(seen(), '-a -c -b +a !b -a +a +b +c');
});

test('a failed start within rest_for_one is tried again from there on', async (t) => {
  const { member, start, crash, seen, failing } = family();
  await start({ strategy: 'rest_for_one', intensity: 10 }, [member('a'), member('b'), member('c')]);
  seen();
  failing.set('b', 1);
  await crash('a');
  t.is(seen(), '-a -c -b +a !b +b +c');
});

test('a child that was to be tried again and came up with its siblings is not started twice', async (t) => {
  const { member, start, crash, seen, tell, failing, living, system, quiet } = family();
  await start({ strategy: 'rest_for_one', intensity: 10 }, [
    member('a'),
    member('b'),
    member('c', { slowStop: true }),
  ]);
  failing.set('b', 1);
  await crash('b');
  await crash('a');
  seen();
  tell('c', { type: 'end', reason: 'shutdown' });
  await quiet();
  // The crash of a was waiting, and is next when the start of b has failed, before b's next try.
  t.is(seen(), '-c !b +a +b +c');
  t.deepEqual(living(), ['a', 'b', 'c']);
  t.is(system.processes.size, 4);
});

test('a slow restart holds up the next ones, and a failed one is tried again', async (t) => {
  const { member, start, crash, seen, tell, quiet } = family();
  const root = await start({ strategy: 'rest_for_one', intensity: 10 }, [
    member('a', { slowStart: true }),
    member('b'),
  ]);
  tell('a', 'started');
  await quiet();
  seen();
  await crash('a');
  t.is(seen(), '-a -b +a');
  await crash('a');
  t.is(seen(), '-a +a');
  tell('a', 'started');
  await quiet();
  t.is(seen(), '+b');
  t.true(isAlive(root));
});
