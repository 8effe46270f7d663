import test from 'ava';
import { become, stop } from '../../src/otp/behaviour.ts';
import { spawn } from '../../src/otp/incarnation.ts';
import { isAlive, send } from '../../src/otp/process.ts';
import { processName, sendNamed, whereis } from '../../src/otp/registry.ts';
import { getState } from '../../src/otp/sys.ts';
import { quiescence, script, scripted, spawnOk, spawnScripted, testSystem } from '../support/otp.ts';

test('a pid prints its number, and no two processes share one', (t) => {
  const { system } = testSystem();
  const first = spawnScripted(system).pid;
  const second = spawnScripted(system).pid;
  t.regex(first.toString(), /^<\d+>$/);
  t.not(first.id, second.id);
});

test('keep goes on with the same state, become with another one', async (t) => {
  const { system, quiet } = testSystem();
  const { pid } = spawnScripted(system);
  send(pid, () => become('second'));
  await quiet();
  t.is(getState(pid), 'second');
  send(pid, 'a message');
  await quiet();
  t.is(getState(pid), 'second');
});

test('the state that became is what the next message of the same batch sees', async (t) => {
  const { system, quiet } = testSystem();
  const { pid } = spawnScripted(system);
  const seen: unknown[] = [];
  send(pid, () => become('second'));
  send(pid, (_self: unknown, state: unknown) => {
    seen.push(state);
    return undefined;
  });
  await quiet();
  t.deepEqual(seen, ['second']);
});

test('stop ends the process with its reason, and what waits behind is not handled', async (t) => {
  const { system, quiet } = testSystem();
  const { pid, log } = spawnScripted(system);
  send(pid, 'before');
  send(pid, () => stop('normal'));
  send(pid, 'behind');
  await quiet();
  t.false(isAlive(pid));
  t.deepEqual(log.got, ['before']);
  t.deepEqual(log.terminated, ['normal']);
  t.deepEqual(log.undelivered, ['behind']);
});

test('a throwing handler crashes its process alone', async (t) => {
  const { system, quiet, crashes } = testSystem();
  const bad = spawnScripted(system);
  const good = spawnScripted(system);
  const error = new TypeError('broken');
  send(bad.pid, () => {
    throw error;
  });
  send(good.pid, 'still here');
  await quiet();
  t.false(isAlive(bad.pid));
  t.deepEqual(bad.log.terminated, [{ error }]);
  t.deepEqual(good.log.got, ['still here']);
  t.is(crashes().length, 1);
});

test('what is thrown and is no Error becomes one that does not hold it', async (t) => {
  const { system, quiet, crashes } = testSystem();
  const { pid } = spawnScripted(system);
  send(pid, () => {
    throw 'a secret';
  });
  await quiet();
  t.is(crashes()[0]?.reason, 'Error: thrown: string');
});

test('trap 7: an old pid never reaches the next process of its name, and the message is counted', async (t) => {
  const { system, quiet } = testSystem();
  const name = processName<unknown>('topics.router');
  const old = spawnScripted(system, {}, { name: name.value });
  send(old.pid, () => stop('normal'));
  await quiet();
  const next = spawnScripted(system, {}, { name: name.value });
  t.is(whereis(system, name), next.pid);
  t.false(send(old.pid, 'for the dead'));
  t.true(sendNamed(system, name, 'for the living'));
  await quiet();
  t.is(system.counters.deadLetters, 1);
  t.deepEqual(next.log.got, ['for the living']);
  t.deepEqual(old.log.got, []);
});

test('trap 4: a throw in each callback becomes a crash and no unhandled rejection or exception', async (t) => {
  const stray: unknown[] = [];
  const note = (error: unknown) => stray.push(error);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  t.teardown(() => {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
  });
  const fail = () => {
    throw new Error('thrown');
  };
  for (const callback of ['init', 'handle', 'settle', 'terminate', 'undelivered'] as const) {
    const { system, crashes } = testSystem();
    const started = spawn(system, scripted(script(), { [callback]: fail }), null);
    t.is(started.ok, callback !== 'init');
    if (started.ok) {
      send(started.pid, 'one');
      if (callback !== 'settle') send(started.pid, () => stop({ stop: 'told to' }));
      send(started.pid, 'behind');
      await quiescence(system);
      t.false(isAlive(started.pid), callback);
    }
    t.is(crashes().length, 1, callback);
    t.is(crashes()[0]?.reason, callback === 'undelivered' ? 'told to' : 'Error: thrown', callback);
  }
  await quiescence(testSystem().system);
  t.deepEqual(stray, []);
});

test('trap 6: names and ids may hold any characters', async (t) => {
  const { system, quiet } = testSystem();
  for (const text of ['a/b:c%d', '', 'Ünïcödé ✓', '__proto__', 'constructor', ' x\n']) {
    const { pid, log } = spawnScripted(system, {}, { name: text });
    t.is(whereis(system, processName(text)), pid);
    t.true(sendNamed(system, processName(text), text));
    await quiet();
    t.deepEqual(log.got, [text]);
  }
});

test('trap 6: more unnamed siblings than nact can name do not collide', async (t) => {
  const { system } = testSystem();
  const ids = new Set<number>();
  const behaviour = scripted(script());
  for (let i = 0; i < 40_000; i++) ids.add(spawnOk(system, behaviour, null).id);
  t.is(ids.size, 40_000);
  t.is(system.processes.size, 40_000);
});

test('spawned, exited and crashed are counted', async (t) => {
  const { system, quiet } = testSystem();
  const a = spawnScripted(system);
  const b = spawnScripted(system);
  spawnScripted(system);
  send(a.pid, () => stop('normal'));
  send(b.pid, () => stop({ stop: 'bad' }));
  await quiet();
  const { spawned, exited, crashed } = system.counters;
  t.deepEqual({ spawned, exited, crashed }, { spawned: 3, exited: 2, crashed: 1 });
  t.is(system.processes.size, 1);
});

test('a system that was halted runs nothing any more', async (t) => {
  const { system } = testSystem();
  const { pid, log } = spawnScripted(system);
  system.halt();
  send(pid, 'never');
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(log.got, []);
});
