import test from 'ava';
import { stop } from '../../src/otp/behaviour.ts';
import { spawn } from '../../src/otp/incarnation.ts';
import { send } from '../../src/otp/process.ts';
import { processName, sendNamed, whereis } from '../../src/otp/registry.ts';
import { exit } from '../../src/otp/signal.ts';
import { script, scripted, spawnScripted, testSystem } from '../support/otp.ts';

const name = processName<unknown>('topics.router');

test('a name finds its live process, in its own system only', (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system, {}, { name: name.value });
  t.is(whereis(system, name), pid);
  t.is(whereis(testSystem().system, name), undefined);
});

test('a name is taken before init runs', (t) => {
  const { system } = testSystem();
  let found: unknown;
  const { pid } = spawnScripted(
    system,
    {
      init: () => {
        found = whereis(system, name);
        return null;
      },
    },
    { name: name.value },
  );
  t.is(found, pid);
});

test('a taken name fails the start, and init does not run', (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system, {}, { name: name.value });
  const second = scripted(script(), { init: () => t.fail() });
  t.deepEqual(spawn(system, second, null, { name: name.value }), {
    ok: false,
    reason: { stop: 'already registered: topics.router' },
  });
  t.is(whereis(system, name), pid);
  t.is(system.processes.size, 1);
});

test('a name is free at the end of its process and after a failed init, and is taken again', async (t) => {
  const { system, quiet } = testSystem();
  const failed = spawn(system, scripted(script(), { init: () => stop('normal') }), null, {
    name: name.value,
  });
  t.false(failed.ok);
  for (const end of ['stop', 'kill', 'crash'] as const) {
    const { pid } = spawnScripted(system, {}, { name: name.value });
    t.is(whereis(system, name), pid);
    if (end === 'kill') exit(pid, 'kill');
    else {
      send(pid, () => {
        if (end === 'crash') throw new Error('bad');
        return stop('normal');
      });
    }
    await quiet();
    t.is(whereis(system, name), undefined, end);
  }
});

test('a send to a name that nobody has is a dead letter', async (t) => {
  const { system, quiet } = testSystem();
  t.false(sendNamed(system, name, 'hello'));
  t.is(system.counters.deadLetters, 1);
  const { log } = spawnScripted(system, {}, { name: name.value, mailboxLimit: 1 });
  t.true(sendNamed(system, name, 'hello'));
  t.false(sendNamed(system, name, 'too many'));
  t.is(system.counters.refused, 1);
  await quiet();
  t.deepEqual(log.got, ['hello']);
});
