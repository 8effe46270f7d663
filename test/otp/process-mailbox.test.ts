import test from 'ava';
import { become, keep, stop } from '../../src/otp/behaviour.ts';
import { monitor } from '../../src/otp/monitor.ts';
import { inform, isAlive, type Process, type Self, send } from '../../src/otp/process.ts';
import { exit, link } from '../../src/otp/signal.ts';
import { resume, suspend } from '../../src/otp/sys.ts';
import { sendAfter } from '../../src/otp/timer.ts';
import { spawnScripted, testSystem, turn } from '../support/otp.ts';

test('messages are handled in the order they were sent', async (t) => {
  const { system, quiet } = testSystem();
  const { pid, log } = spawnScripted(system);
  const sent = Array.from({ length: 3000 }, (_, i) => i);
  for (const i of sent) send(pid, i);
  await quiet();
  t.deepEqual(log.got, sent);
});

test('trap: one message per loop turn: a hundred messages are one batch of one turn', async (t) => {
  const { system } = testSystem();
  const { pid, log } = spawnScripted(system);
  for (let i = 0; i < 100; i++) send(pid, i);
  await turn();
  t.is(log.got.length, 100);
  t.is(log.settled, 1);
});

test('a mailbox takes its limit, refuses the next message, and counts it', async (t) => {
  const { system, quiet } = testSystem();
  const { pid, log } = spawnScripted(system, {}, { mailboxLimit: 10 });
  for (let i = 0; i < 10; i++) t.true(send(pid, i));
  t.false(send(pid, 10));
  t.is(system.counters.refused, 1);
  t.is(system.counters.deadLetters, 0);
  await quiet();
  t.is(log.got.length, 10);
  t.true(send(pid, 'there is room again'));
});

test('a limit of one leaves room for one', (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system, {}, { mailboxLimit: 1 });
  t.true(send(pid, 1));
  t.false(send(pid, 2));
});

test('a mailbox has a limit when none is given', (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system);
  for (let i = 0; i < 100_000; i++) send(pid, i);
  t.is(system.counters.refused, 0);
  t.false(send(pid, 'too many'));
  t.is(system.counters.refused, 1);
  t.is((pid as Process).mailboxLength, 100_000);
});

test('a process that floods itself meets its own limit', async (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(
    system,
    {
      handle: (_state, message, self) => {
        send(self, message);
        send(self, message);
        return keep;
      },
    },
    { mailboxLimit: 3000 },
  );
  t.teardown(() => exit(pid, 'kill'));
  send(pid, 'more');
  for (let turns = 0; turns < 3; turns++) {
    await turn();
    t.true((pid as Process).mailboxLength <= 3000);
  }
  t.true(system.counters.refused > 0);
});

test('a full mailbox takes what it is informed of, behind all that waits, and the dead do not count it', async (t) => {
  const { system, quiet } = testSystem();
  const { pid, log } = spawnScripted(system, {}, { mailboxLimit: 2 });
  for (const text of ['one', 'two']) send(pid, text);
  t.true(inform(pid, 'news'));
  t.false(send(pid, 'three'));
  await quiet();
  t.deepEqual(log.got, ['one', 'two', 'news']);
  exit(pid, 'kill');
  t.false(inform(pid, 'more news'));
  t.is(system.counters.deadLetters, 0);
});

test('a full mailbox still takes exits, downs and timers, which must not be lost', async (t) => {
  const { system, clock, quiet } = testSystem();
  const { pid, log } = spawnScripted(system, { trapExit: true }, { mailboxLimit: 2 });
  const other = spawnScripted(system);
  send(pid, (self: Self<unknown>) => {
    monitor(self, other.pid);
    link(self, other.pid);
    sendAfter(self, 100, 'a timer');
    return undefined;
  });
  await quiet();
  suspend(pid);
  send(pid, 1);
  send(pid, 2);
  exit(other.pid, 'shutdown');
  clock.advance(100);
  t.false(send(pid, 3));
  resume(pid);
  await quiet();
  t.deepEqual(log.got, [
    1,
    2,
    { type: 'exit', from: other.pid, reason: 'shutdown' },
    { type: 'down', pid: other.pid, reason: 'shutdown' },
    'a timer',
  ]);
  t.is(system.counters.refused, 1);
});

test('a process with 5,000 messages lets the others run between', async (t) => {
  const { system, quiet } = testSystem();
  const order: string[] = [];
  const busy = spawnScripted(system, {
    handle: () => {
      order.push('busy');
      return keep;
    },
  });
  const other = spawnScripted(system, {
    handle: (_state, _message, self) => {
      order.push('other');
      send(self, 'again');
      return order.length < 5000 ? keep : stop('normal');
    },
  });
  for (let i = 0; i < 5000; i++) send(busy.pid, i);
  send(other.pid, 'go');
  await quiet();
  const at = order.flatMap((who, index) => (who === 'other' ? [index] : []));
  t.deepEqual(at.slice(0, 5), [1000, 2001, 3002, 4003, 5004]);
  t.is(busy.log.settled, 5);
});

test('a process that never runs out of mail leaves the event loop its turns', async (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system, {
    handle: (_state, message, self) => {
      send(self, message);
      return keep;
    },
  });
  t.teardown(() => exit(pid, 'kill'));
  send(pid, 'for ever');
  for (let turns = 0; turns < 3; turns++) await turn();
  t.false(system.scheduler.idle);
});

test('the run queue grows past its first size and keeps its order', async (t) => {
  const { system, quiet } = testSystem();
  const order: number[] = [];
  const members = Array.from({ length: 3000 }, (_, i) =>
    spawnScripted(system, {
      handle: () => {
        order.push(i);
        return keep;
      },
    }),
  );
  for (let round = 0; round < 2; round++) {
    for (const { pid } of members) send(pid, 'hop');
    await quiet();
  }
  const once = members.map((_, i) => i);
  t.deepEqual(order, [...once, ...once]);
});

test('settle runs once for each turn in which messages were handled', async (t) => {
  const { system, quiet } = testSystem();
  const { pid, log } = spawnScripted(system);
  for (const [count, settles] of [
    [1, 1],
    [1000, 1],
    [1001, 2],
    [2500, 3],
  ] as const) {
    log.settled = 0;
    for (let i = 0; i < count; i++) send(pid, i);
    await quiet();
    t.is(log.settled, settles, `${count} messages`);
  }
});

test('settle may go on with another state, and may stop', async (t) => {
  const { system, quiet } = testSystem();
  const seen: unknown[] = [];
  const { pid } = spawnScripted(system, {
    init: () => 0,
    settle: (state) => {
      seen.push(state);
      return state === 2 ? stop('normal') : become((state as number) + 1);
    },
  });
  for (let i = 0; i < 3; i++) {
    send(pid, i);
    await quiet();
  }
  t.deepEqual(seen, [0, 1, 2]);
  t.false(isAlive(pid));
});

test('settle does not run after the message that stopped or crashed the process', async (t) => {
  const { system, quiet } = testSystem();
  const stopped = spawnScripted(system);
  send(stopped.pid, () => stop('normal'));
  const crashed = spawnScripted(system);
  send(crashed.pid, () => {
    throw new Error('bad');
  });
  await quiet();
  t.is(stopped.log.settled + crashed.log.settled, 0);
});

test('the message that crashed its process and all that wait are undelivered, each once and in order', async (t) => {
  const { system, quiet } = testSystem();
  const { pid, log } = spawnScripted(system, {
    handle: (_state, message) => {
      if (message === 2) throw new Error('two');
      return keep;
    },
  });
  for (let i = 0; i < 5; i++) send(pid, i);
  await quiet();
  t.deepEqual(log.undelivered, [2, 3, 4]);
});

test('an undelivered that throws for one message is still told of the others', async (t) => {
  const { system, quiet } = testSystem();
  const told: unknown[] = [];
  const { pid } = spawnScripted(system, {
    undelivered: (message) => {
      told.push(message);
      throw new Error('cannot account for it');
    },
  });
  send(pid, () => stop('normal'));
  for (let i = 0; i < 3; i++) send(pid, i);
  await quiet();
  t.deepEqual(told, [0, 1, 2]);
});

test('a settle that throws crashes the process, and blames no message', async (t) => {
  const { system, quiet, crashes } = testSystem();
  const { pid, log } = spawnScripted(system, {
    settle: () => {
      throw new Error('unsettled');
    },
  });
  send(pid, 'handled');
  await quiet();
  t.is(crashes().length, 1);
  t.deepEqual(log.undelivered, []);
});
