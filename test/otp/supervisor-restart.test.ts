import test from 'ava';
import { isAlive } from '../../src/otp/process.ts';
import { processName, whereis } from '../../src/otp/registry.ts';
import { whichChildren } from '../../src/otp/supervisor.ts';
import { statistics } from '../../src/otp/sys.ts';
import { family, shutdown } from '../support/family.ts';

const FOUR = ['a', 'b', 'c', 'd'] as const;

test('one_for_one restarts the child that crashed and no other', async (t) => {
  const { member, start, crash, seen, pid } = family();
  await start(
    {},
    FOUR.map((id) => member(id)),
  );
  seen();
  const before = pid('b');
  await crash('b');
  t.is(seen(), '-b +b');
  t.not(pid('b').id, before.id);
  t.is(statistics(pid('b')).restarts, 1);
});

test('one_for_all with c temporary: b dies, d, c and a stop, a, b and d start', async (t) => {
  const { member, start, crash, seen } = family();
  const root = await start({ strategy: 'one_for_all' }, [
    member('a'),
    member('b'),
    member('c', { restart: 'temporary' }),
    member('d'),
  ]);
  seen();
  await crash('b');
  t.is(seen(), '-b -d -c -a +a +b +d');
  t.deepEqual(
    (await whichChildren(root)).map(({ id }) => id),
    ['a', 'b', 'd'],
  );
});

test('rest_for_one with c temporary: b dies, d and c stop, b and d start', async (t) => {
  const { member, start, crash, seen } = family();
  await start({ strategy: 'rest_for_one' }, [
    member('a'),
    member('b'),
    member('c', { restart: 'temporary' }),
    member('d'),
  ]);
  seen();
  await crash('b');
  t.is(seen(), '-b -d -c +b +d');
});

test('rest_for_one and one_for_all wait for each stop before they start anything', async (t) => {
  const { member, start, crash, seen, tell, quiet } = family();
  await start({ strategy: 'rest_for_one' }, [member('a'), member('b', { slowStop: true }), member('c')]);
  seen();
  await crash('a');
  t.is(seen(), '-a -c ?b');
  tell('b', { type: 'end', reason: 'shutdown' });
  await quiet();
  t.is(seen(), '-b +a +b +c');
});

test('a permanent child is restarted whatever its reason, and that counts', async (t) => {
  for (const reason of ['normal', 'shutdown', { shutdown: 'x' }] as const) {
    const { member, start, end, seen } = family();
    const root = await start({ intensity: 1 }, [member('a')]);
    await end('a', reason);
    t.is(seen(), '+a -a +a');
    await end('a', reason);
    t.is(seen(), '-a');
    t.false(isAlive(root));
  }
});

test('a transient child is restarted after a crash, and not after normal, shutdown and shutdown with a reason', async (t) => {
  for (const reason of ['normal', 'shutdown', { shutdown: 'x' }] as const) {
    const { member, start, end, crash, seen, reports } = family();
    const root = await start({ intensity: 1, strategy: 'one_for_all' }, [
      member('a', { restart: 'transient' }),
      member('b'),
    ]);
    seen();
    await end('a', reason);
    t.is(seen(), '-a');
    t.deepEqual(reports, []);
    t.is((await whichChildren(root)).length, 2);
    await crash('b');
    // As in OTP, one_for_all starts all that have a spec.
    t.is(seen(), '-b +a +b');
    t.true(isAlive(root));
  }
  const { member, start, crash, seen } = family();
  await start({}, [member('a', { restart: 'transient' })]);
  await crash('a');
  t.is(seen(), '+a -a +a');
});

test('a temporary child is never restarted, never counts, and is forgotten', async (t) => {
  const { member, start, crash, end, seen, supervisorReports } = family();
  const root = await start({ intensity: 0, strategy: 'one_for_all' }, [
    member('a'),
    member('t', { restart: 'temporary' }),
    member('u', { restart: 'temporary' }),
  ]);
  seen();
  await crash('t');
  await end('u', 'normal');
  t.is(seen(), '-t -u');
  t.is((await whichChildren(root)).length, 1);
  t.deepEqual(
    supervisorReports().map(({ context, offender }) => [context, offender.id]),
    [['child_terminated', 't']],
  );
});

test('a sibling found dead by one_for_all is restarted with the others, and counts no restart of its own', async (t) => {
  const { member, start, crash, seen, supervisorReports } = family();
  const root = await start(
    { strategy: 'one_for_all', intensity: 1 },
    FOUR.map((id) => member(id)),
  );
  seen();
  await crash('b', 'c', 'a');
  t.is(seen(), '-b -c -a -d +a +b +c +d');
  t.true(isAlive(root));
  t.deepEqual(
    supervisorReports().map(({ context, offender }) => [context, offender.id]),
    [
      ['child_terminated', 'b'],
      ['child_terminated', 'c'],
      ['child_terminated', 'a'],
    ],
  );
});

test('exits that come during a restart are handled after it, also when they find the next restart', async (t) => {
  const { member, start, crash, seen, tell, quiet, living } = family();
  await start({ strategy: 'rest_for_one', intensity: 10 }, [
    member('a'),
    member('b'),
    member('c', { slowStop: true }),
    member('d'),
  ]);
  seen();
  await crash('c');
  t.is(seen(), '-c -d +c +d');
  await crash('b');
  t.is(seen(), '-b -d ?c');
  await crash('a');
  t.is(seen(), '-a');
  tell('c', { type: 'end', reason: 'shutdown' });
  await quiet();
  // First the plan of b to its end, then that of a.
  t.is(seen(), '-c +b +c +d -d ?c');
  tell('c', { type: 'end', reason: 'shutdown' });
  await quiet();
  t.is(seen(), '-c -b +a +b +c +d');
  t.deepEqual(living(), [...FOUR]);
});

test('two deferred crashes of one restart do not hold each other up', async (t) => {
  const { member, start, crash, tell, quiet, living } = family();
  await start({ strategy: 'rest_for_one', intensity: 10 }, [
    member('a'),
    member('b'),
    member('c'),
    member('slow', { slowStop: true, shutdown: 'infinity' }),
  ]);
  await crash('c');
  await crash('a', 'b');
  for (let stops = 0; stops < 2; stops++) {
    tell('slow', { type: 'end', reason: 'shutdown' });
    await quiet();
  }
  t.deepEqual(living(), ['a', 'b', 'c', 'slow']);
});

test('a name is free for the successor, and an old pid does not reach it', async (t) => {
  const { system, member, start, crash, pid } = family();
  const name = processName<unknown>('the.member');
  await start({}, [member('a', { name })]);
  const before = pid('a');
  await crash('a');
  t.not(pid('a'), before);
  t.is(whereis(system, name)?.id, pid('a').id);
  t.false(isAlive(before));
});

test('told to stop in the middle of a restart, a supervisor stops what there is', async (t) => {
  const { system, member, start, crash, quiet, tell, seen } = family();
  const root = await start({ strategy: 'one_for_all', intensity: 10 }, [
    member('a'),
    member('b', { slowStop: true }),
    member('c'),
  ]);
  seen();
  await crash('c');
  await crash('a');
  shutdown(root);
  await quiet();
  tell('b', { type: 'end', reason: 'shutdown' });
  await quiet();
  t.is(system.processes.size, 0);
});
