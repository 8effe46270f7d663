import test from 'ava';
import type { Self } from '../../src/otp/process.ts';
import { send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { sendAfter } from '../../src/otp/timer.ts';
import { spawnScripted, testSystem } from '../support/otp.ts';

test('salvage is called in place of terminate for a process that is killed, with its state, before its mail', async (t) => {
  const { system, quiet } = testSystem();
  const seen: unknown[] = [];
  const { pid, log } = spawnScripted(system, {
    init: () => ({ held: 3 }),
    salvage: (state) => seen.push(state),
    undelivered: (message, _reason, state) => seen.push([message, state]),
  });
  await quiet();
  send(pid, 'waiting');
  exit(pid, 'kill');
  t.deepEqual(seen, [{ held: 3 }, ['waiting', { held: 3 }]]);
  t.deepEqual(log.terminated, []);
});

test('salvage is called after a terminate that has thrown, and after no other', async (t) => {
  for (const faulty of [true, false]) {
    const { system, quiet } = testSystem();
    const seen: string[] = [];
    const { pid } = spawnScripted(system, {
      terminate() {
        seen.push('terminate');
        if (faulty) throw new Error('faulty');
      },
      salvage: () => seen.push('salvage'),
    });
    exit(pid, 'shutdown');
    await quiet();
    t.deepEqual(seen, faulty ? ['terminate', 'salvage'] : ['terminate']);
  }
});

test('a process that kills itself finishes what it is at, and is salvaged then', async (t) => {
  const { system, quiet } = testSystem();
  const seen: string[] = [];
  const { pid } = spawnScripted(system, { salvage: () => seen.push('salvage') });
  send(pid, (self: Self<unknown>) => {
    exit(self, 'kill');
    seen.push('still at it');
    return undefined;
  });
  await quiet();
  t.deepEqual(seen, ['still at it', 'salvage']);
});

test('a timer that salvage sets never rings, and what it throws is nobody else’s', async (t) => {
  const { system, quiet, clock } = testSystem();
  const { pid } = spawnScripted(system, {
    salvage(_state, self) {
      sendAfter(self, 10, 'late');
      throw new Error('faulty');
    },
  });
  exit(pid, 'kill');
  clock.advance(20);
  await quiet();
  t.false(system.processes.has(pid.id));
});
