import test from 'ava';
import { type Behaviour, starting, stop } from '../../src/otp/behaviour.ts';
import { spawn } from '../../src/otp/incarnation.ts';
import { isAlive, type Pid, type Process, send, started } from '../../src/otp/process.ts';
import { processName, whereis } from '../../src/otp/registry.ts';
import { exit, link } from '../../src/otp/signal.ts';
import { getState, statistics } from '../../src/otp/sys.ts';
import { script, scripted, spawnOk, spawnScripted, testSystem } from '../support/otp.ts';

test('init makes the first state out of its arguments', (t) => {
  const { system } = testSystem();
  const pid = spawnOk(system, scripted(script()), 'the arguments');
  t.is(getState(pid), 'the arguments');
});

test('an init that stops tells whoever started it, and leaves nothing behind', (t) => {
  const { system, reports } = testSystem();
  const log = script();
  const name = processName('half.born');
  const result = spawn(system, scripted(log, { init: () => stop({ stop: 'no such file' }) }), null, {
    name: name.value,
  });
  t.deepEqual(result, { ok: false, reason: { stop: 'no such file' } });
  t.is(whereis(system, name), undefined);
  t.is(system.processes.size, 0);
  t.deepEqual(log.terminated, []);
  t.deepEqual(reports, []);
});

test('an init that throws fails with the error, and is reported', (t) => {
  const { system, crashes } = testSystem();
  const error = new Error('bad arguments');
  const log = script();
  const result = spawn(
    system,
    scripted(log, {
      init: () => {
        throw error;
      },
    }),
    null,
  );
  t.deepEqual(result, { ok: false, reason: { error } });
  t.deepEqual(log.terminated, []);
  t.is(crashes().length, 1);
});

test('trap 3: an init that always throws is run once, and does not loop', async (t) => {
  const { system, quiet } = testSystem();
  let runs = 0;
  spawn(
    system,
    scripted(script(), {
      init: () => {
        runs++;
        throw new Error('always');
      },
    }),
    null,
  );
  await quiet();
  t.is(runs, 1);
});

test('a failed start sends its parent no exit', async (t) => {
  const { system, quiet } = testSystem();
  const parent = spawnScripted(system, { trapExit: true });
  send(parent.pid, (self: Process) => {
    spawn(system, scripted(script(), { init: () => stop('normal') }), null, { parent: self });
    return undefined;
  });
  await quiet();
  t.deepEqual(parent.log.got, []);
  t.is((parent.pid as Process).links?.size ?? 0, 0);
});

test('messages sent to oneself in init wait until it is done', async (t) => {
  const { system, quiet } = testSystem();
  const log = script();
  spawnOk(
    system,
    scripted(log, {
      init: (self) => {
        send(self, 'from init');
        return null;
      },
    }),
    null,
  );
  t.deepEqual(log.got, []);
  await quiet();
  t.deepEqual(log.got, ['from init']);
});

test('an exit signal that comes during init fails the start', (t) => {
  const { system } = testSystem();
  const dead = spawnScripted(system).pid;
  exit(dead, 'kill');
  const result = spawn(
    system,
    scripted(script(), {
      init: (self) => {
        link(self, dead);
        return null;
      },
    }),
    null,
  );
  t.deepEqual(result, { ok: false, reason: 'noproc' });
});

test('a starting process handles messages, and tells its parent when it has started', async (t) => {
  const { system, quiet } = testSystem();
  const parent = spawnScripted(system);
  const log = script();
  const pid = spawnOk(system, scripted(log, { init: () => starting('listening') }), null, {
    parent: parent.pid as Process,
  });
  t.is(statistics(pid).status, 'starting');
  t.true(isAlive(pid));
  t.is(getState(pid), 'listening');
  send(pid, 'listening');
  await quiet();
  t.deepEqual(log.got, ['listening']);
  t.deepEqual(parent.log.got, []);
  send(pid, (self: Pid<never>) => {
    started(self as Process);
    started(self as Process);
    return undefined;
  });
  await quiet();
  t.is(statistics(pid).status, 'running');
  t.deepEqual(parent.log.got, [{ type: 'child-started', pid }]);
});

test('a starting process that ends is terminated, and its parent gets the exit', async (t) => {
  const { system, quiet } = testSystem();
  const parent = spawnScripted(system);
  const log = script();
  const pid = spawnOk(system, scripted(log, { init: () => starting(null) }), null, {
    parent: parent.pid as Process,
  });
  send(pid, () => stop({ stop: 'port is taken' }));
  await quiet();
  t.deepEqual(log.terminated, [{ stop: 'port is taken' }]);
  t.deepEqual(parent.log.got, [{ type: 'exit', from: pid, reason: { stop: 'port is taken' } }]);
});

test('a process whose parent is dead is not started', (t) => {
  const { system } = testSystem();
  const parent = spawnScripted(system).pid;
  exit(parent, 'kill');
  const result = spawn(system, scripted(script()), null, { parent: parent as Process });
  t.deepEqual(result, { ok: false, reason: 'noproc' });
  t.is(system.processes.size, 0);
});

test('a handler may start a process and talk to it', async (t) => {
  const { system, quiet } = testSystem();
  const log = script();
  const child: Behaviour<unknown, unknown, unknown> = scripted(log);
  const { pid } = spawnScripted(system);
  send(pid, () => {
    send(spawnOk(system, child, null), 'hello');
    return undefined;
  });
  await quiet();
  t.deepEqual(log.got, ['hello']);
});
