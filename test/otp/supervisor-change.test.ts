import test from 'ava';
import { CallError } from '../../src/otp/call.ts';
import { isAlive } from '../../src/otp/process.ts';
import {
  type ChildResult,
  countChildren,
  deleteChild,
  restartChild,
  startChild,
  terminateChild,
  whichChildren,
} from '../../src/otp/supervisor.ts';
import { family, shutdown } from '../support/family.ts';

const DONE: ChildResult = { ok: true, pid: null };
const refused = (error: string): ChildResult => ({ ok: false, error });

test('a child that is added starts behind the others, and is supervised like them', async (t) => {
  const { member, start, seen, pid, crash, quiet } = family();
  const root = await start({ strategy: 'rest_for_one' }, [member('a')]);
  t.deepEqual(await startChild(root, member('b')), { ok: true, pid: pid('b') });
  await crash('a');
  t.is(seen(), '+a +b -a -b +a +b');
  shutdown(root);
  await quiet();
  t.is(seen(), '-b -a');
});

test('a child of a known id is not added', async (t) => {
  const { member, start } = family();
  const root = await start({}, [member('a')]);
  t.deepEqual(await startChild(root, member('a')), refused('already_started'));
  await terminateChild(root, 'a');
  t.deepEqual(await startChild(root, member('a')), refused('already_present'));
});

test('a child that cannot start is not added, and does not count as a restart', async (t) => {
  const { member, start, failing, supervisorReports } = family();
  const root = await start({ intensity: 0 }, [member('a')]);
  failing.set('b', 1);
  t.deepEqual(await startChild(root, member('b')), refused('b cannot start'));
  t.is((await countChildren(root)).specs, 1);
  t.true(isAlive(root));
  t.like(supervisorReports()[0], { context: 'start_error', offender: { id: 'b' } });
  t.true((await startChild(root, member('b'))).ok);
});

test('a child that is added and slow to start answers when it has started, or has failed', async (t) => {
  const { member, start, tell, quiet, pid } = family();
  const root = await start({}, []);
  const good = startChild(root, member('a', { slowStart: true }));
  const bad = startChild(root, member('b', { slowStart: true }));
  await quiet();
  tell('a', 'started');
  await quiet();
  t.deepEqual(await good, { ok: true, pid: pid('a') });
  tell('b', { type: 'end', reason: { stop: 'port is taken' } });
  t.deepEqual(await bad, refused('port is taken'));
  t.is((await countChildren(root)).specs, 1);
});

test('a child that is terminated stays down with its spec, until it is restarted', async (t) => {
  const { member, start, seen, pid } = family();
  const root = await start({ intensity: 0 }, [member('a'), member('b')]);
  t.deepEqual(await terminateChild(root, 'a'), DONE);
  t.is(seen(), '+a +b -a');
  t.deepEqual(await terminateChild(root, 'a'), DONE);
  t.deepEqual(
    (await whichChildren(root)).map((child) => child.pid),
    [null, pid('b')],
  );
  t.deepEqual(await restartChild(root, 'a'), { ok: true, pid: pid('a') });
  t.is(seen(), '+a');
});

test('a temporary child that is terminated is forgotten', async (t) => {
  const { member, start } = family();
  const root = await start({}, [member('a', { restart: 'temporary' })]);
  t.deepEqual(await terminateChild(root, 'a'), DONE);
  t.deepEqual(await whichChildren(root), []);
  t.deepEqual(await restartChild(root, 'a'), refused('not_found'));
});

test('only what is down is restarted or deleted, and only what is known', async (t) => {
  const { member, start } = family();
  const root = await start({}, [member('a')]);
  t.deepEqual(await restartChild(root, 'a'), refused('running'));
  t.deepEqual(await deleteChild(root, 'a'), refused('running'));
  await terminateChild(root, 'a');
  t.deepEqual(await deleteChild(root, 'a'), DONE);
  for (const change of [terminateChild, restartChild, deleteChild]) {
    t.deepEqual(await change(root, 'a'), refused('not_found'));
  }
  t.true((await startChild(root, member('a'))).ok);
});

test('a restart by hand that fails leaves the child down, with its spec, and is not tried again', async (t) => {
  const { member, start, failing, seen } = family();
  const root = await start({ intensity: 0 }, [member('a')]);
  await terminateChild(root, 'a');
  failing.set('a', 1);
  seen();
  t.deepEqual(await restartChild(root, 'a'), refused('a cannot start'));
  t.is(seen(), '!a');
  t.is((await countChildren(root)).specs, 1);
  t.true((await restartChild(root, 'a')).ok);
});

test('a terminated child comes back when its siblings are restarted, as in OTP', async (t) => {
  const { member, start, crash, living } = family();
  const root = await start({ strategy: 'one_for_all' }, [member('a'), member('b')]);
  await terminateChild(root, 'a');
  await crash('b');
  t.deepEqual(living(), ['a', 'b']);
});

test('requests that come during a change wait for its end, in their order', async (t) => {
  const { member, start, seen, tell, quiet } = family();
  const root = await start({}, [member('a', { slowStop: true }), member('b')]);
  seen();
  const answers = [
    terminateChild(root, 'a'),
    restartChild(root, 'a'),
    terminateChild(root, 'b'),
    deleteChild(root, 'b'),
    startChild(root, member('c')),
  ];
  await quiet();
  t.is(seen(), '?a');
  t.is((await whichChildren(root)).length, 2);
  tell('a', { type: 'end', reason: 'shutdown' });
  await quiet();
  t.is(seen(), '-a +a -b +c');
  t.deepEqual(
    (await Promise.all(answers)).map(({ ok }) => ok),
    [true, true, true, true, true],
  );
});

test('a child that crashed before it was told to stop is stopped, and the change is done', async (t) => {
  const { member, start, tell, quiet, living } = family();
  const root = await start({ intensity: 0 }, [member('a', { slowStop: true }), member('b')]);
  const first = terminateChild(root, 'a');
  await quiet();
  const second = terminateChild(root, 'b');
  tell('b', 'crash');
  await quiet();
  tell('a', { type: 'end', reason: 'shutdown' });
  await quiet();
  t.deepEqual([await first, await second], [DONE, DONE]);
  t.deepEqual(living(), []);
  t.true(isAlive(root));
});

test('a request is refused while its child waits for another try, and terminating ends the tries', async (t) => {
  const { member, start, pid, failing, quiet, seen } = family();
  const root = await start({ intensity: 3 }, [member('a')]);
  failing.set('a', Number.POSITIVE_INFINITY);
  seen();
  shutdown(pid('a'));
  // These stand in the mailbox behind the exit, and so before the next try.
  const asked = [restartChild(root, 'a'), deleteChild(root, 'a'), terminateChild(root, 'a')];
  await quiet();
  t.deepEqual(await Promise.all(asked), [refused('restarting'), refused('restarting'), DONE]);
  t.is(seen(), '-a !a');
  t.deepEqual(await deleteChild(root, 'a'), DONE);
});

test('a supervisor that stops leaves no request without an answer', async (t) => {
  const { member, start, tell, quiet } = family();
  const root = await start({}, [member('a', { slowStop: true })]);
  const under = terminateChild(root, 'a');
  const waiting = startChild(root, member('b'));
  await quiet();
  shutdown(root);
  await quiet();
  tell('a', { type: 'end', reason: 'shutdown' });
  await t.throwsAsync(under, { instanceOf: CallError });
  await t.throwsAsync(waiting, { instanceOf: CallError });
  t.false(isAlive(root));
});
