import test from 'ava';
import { stop } from '../../src/otp/behaviour.ts';
import { spawn } from '../../src/otp/incarnation.ts';
import { nameOf, type Process, type Self, send } from '../../src/otp/process.ts';
import { exit, link } from '../../src/otp/signal.ts';
import { script, scripted, spawnScripted, testSystem } from '../support/otp.ts';

test('a crash report says who, where, why, under whom, with how much mail, and tied to whom', async (t) => {
  const { system, quiet, reports } = testSystem();
  const root = spawnScripted(system, {}, { name: 'root' });
  const parent = spawnScripted(system, {}, { parent: root.pid as Process, label: 'middle' });
  const friend = spawnScripted(system, { trapExit: true }, { name: 'friend' });
  const child = spawnScripted(system, {}, { parent: parent.pid as Process, name: 'worker.1' });
  send(child.pid, (self: Self<unknown>) => {
    link(self, friend.pid);
    throw new TypeError('broken');
  });
  send(child.pid, 'waiting');
  send(child.pid, 'waiting');
  await quiet();
  t.is(reports.length, 1);
  const [report] = reports;
  t.like(report, {
    type: 'crash',
    pid: child.pid.toString(),
    name: 'worker.1',
    initialCall: 'scripted',
    reason: 'TypeError: broken',
    ancestors: [`middle${parent.pid}`, 'root'],
    mailboxLength: 2,
    links: ['friend'],
  });
  const stack = report?.type === 'crash' ? report.stack : [];
  t.true(stack.length > 0);
  t.true(stack.every((line) => line.startsWith('at ')));
  t.regex(stack[0] ?? '', /reports\.test\./);
});

test('no report is written for normal, shutdown and shutdown with a reason', async (t) => {
  const { system, quiet, reports } = testSystem();
  for (const reason of ['normal', 'shutdown', { shutdown: 'drained' }] as const) {
    const { pid } = spawnScripted(system);
    send(pid, () => stop(reason));
  }
  await quiet();
  t.deepEqual(reports, []);
});

test('a report is written for a stop with another reason, a kill, and a crash', async (t) => {
  const { system, quiet, crashes } = testSystem();
  const stopped = spawnScripted(system).pid;
  send(stopped, () => stop({ stop: 'port is taken' }));
  await quiet();
  exit(spawnScripted(system).pid, 'kill');
  t.deepEqual(
    crashes().map(({ reason, stack, name }) => ({ reason, stack, name })),
    [
      { reason: 'port is taken', stack: [], name: null },
      { reason: 'killed', stack: [], name: null },
    ],
  );
});

test('neither the message that crashed, nor those waiting, nor the state is in a report', async (t) => {
  const { system, quiet, reports } = testSystem();
  const { pid } = spawnScripted(system, {
    init: () => ({ password: 'SECRET' }),
    handle: (_state, message) => {
      (message as { missing: () => void }).missing();
      return stop('normal');
    },
  });
  send(pid, { text: 'SECRET' });
  send(pid, { text: 'SECRET' });
  await quiet();
  t.is(reports.length, 1);
  t.notRegex(JSON.stringify(reports), /SECRET/);
});

test('the message of a SyntaxError is withheld, also where its text looks like a stack', async (t) => {
  const { system, quiet, reports } = testSystem();
  for (const text of ['SECRET', 'x\n    at SECRET', '\n    at SECRET (x:1:1)\n']) {
    const { pid } = spawnScripted(system);
    send(pid, () => JSON.parse(text));
    await quiet();
  }
  t.is(reports.length, 3);
  for (const report of reports) {
    t.is(report.reason, 'SyntaxError');
    t.true(report.type === 'crash' && report.stack.length > 0);
  }
  t.notRegex(JSON.stringify(reports), /SECRET/);
});

test('an error without a stack is reported all the same', async (t) => {
  const { system, quiet, crashes } = testSystem();
  const { pid } = spawnScripted(system);
  send(pid, () => {
    const error = new Error('bare');
    delete error.stack;
    throw error;
  });
  await quiet();
  t.like(crashes()[0], { reason: 'Error: bare', stack: [] });
});

test('a report names ten links at most', async (t) => {
  const { system, crashes } = testSystem();
  const { pid } = spawnScripted(system);
  for (let i = 0; i < 11; i++) link(pid as Process, spawnScripted(system, { trapExit: true }).pid);
  exit(pid, { stop: 'bad' });
  t.is(crashes()[0]?.links.length, 10);
});

test('a failed init is reported when it threw, and is the business of the starter when it stopped', (t) => {
  const { system, crashes } = testSystem();
  spawn(system, scripted(script(), { init: () => stop({ stop: 'no' }) }), null);
  t.is(crashes().length, 0);
  spawn(
    system,
    scripted(script(), {
      init: () => {
        throw new Error('bad');
      },
    }),
    null,
  );
  t.is(crashes().length, 1);
});

test('a process is called by its name, its label or its behaviour', (t) => {
  const { system } = testSystem();
  const name = (options: object) => nameOf(spawnScripted(system, {}, options).pid as Process);
  t.is(name({ name: 'router', label: 'x' }), 'router');
  t.regex(name({ label: 'door' }), /^door<\d+>$/);
  t.regex(name({}), /^scripted<\d+>$/);
});
