import test from 'ava';
import { keep, stop } from '../../src/otp/behaviour.ts';
import type { ExitSignal } from '../../src/otp/exit-reason.ts';
import { describeReason, isOrderly, toError } from '../../src/otp/exit-reason.ts';
import { isAlive, type Process, type Self, send } from '../../src/otp/process.ts';
import { exit, link, unlink } from '../../src/otp/signal.ts';
import { spawnScripted, type TestSystem, testSystem } from '../support/otp.ts';

/** Two processes, linked by the first. */
async function linked({ system, quiet }: TestSystem, trapExit = false) {
  const a = spawnScripted(system, { trapExit });
  const b = spawnScripted(system);
  send(a.pid, (self: Self<unknown>) => {
    link(self, b.pid);
    return undefined;
  });
  await quiet();
  return [a, b] as const;
}

test('terminate is called with the reason, whatever ends the process', async (t) => {
  for (const reason of ['normal', 'shutdown', { shutdown: 'drained' }, { stop: 'bad' }] as const) {
    const { system, quiet } = testSystem();
    const { pid, log } = spawnScripted(system);
    send(pid, () => stop(reason));
    await quiet();
    t.deepEqual(log.terminated, [reason]);
    const signalled = spawnScripted(system);
    exit(signalled.pid, reason, signalled.pid);
    t.deepEqual(signalled.log.terminated, [reason]);
  }
});

test('kill ends a process at once, without terminate, also one that traps exits', (t) => {
  for (const trapExit of [true, false]) {
    const { system } = testSystem();
    const { pid, log } = spawnScripted(system, { trapExit });
    exit(pid, 'kill');
    t.false(isAlive(pid));
    t.deepEqual(log.terminated, []);
  }
});

test('a process that traps exits gets them as messages, with the sender or null', async (t) => {
  const { system, quiet } = testSystem();
  const { pid, log } = spawnScripted(system, { trapExit: true });
  const other = spawnScripted(system).pid;
  for (const reason of ['normal', 'shutdown', 'killed', { stop: 'bad' }] as const) {
    exit(pid, reason, other);
    exit(pid, reason);
    await quiet();
    t.deepEqual(log.got.splice(0), [
      { type: 'exit', from: other, reason },
      { type: 'exit', from: null, reason },
    ]);
  }
  t.true(isAlive(pid));
});

test('normal is ignored by a process that does not trap exits, unless it comes from itself', (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system);
  exit(pid, 'normal');
  exit(pid, 'normal', spawnScripted(system).pid);
  t.true(isAlive(pid));
  exit(pid, 'normal', pid);
  t.false(isAlive(pid));
});

test('a signal to the dead does nothing', (t) => {
  const { system, reports } = testSystem();
  const { pid, log } = spawnScripted(system);
  exit(pid, 'shutdown');
  exit(pid, { stop: 'again' });
  exit(pid, 'kill');
  t.deepEqual(log.terminated, ['shutdown']);
  t.is(system.counters.exited, 1);
  t.deepEqual(reports, []);
});

test('a link ends the other process with the same reason, both ways', async (t) => {
  for (const first of [0, 1]) {
    const world = testSystem();
    const pair = await linked(world);
    const reason: ExitSignal = { stop: 'together' };
    exit((pair[first] as (typeof pair)[0]).pid, reason);
    t.deepEqual(
      pair.map(({ log }) => log.terminated),
      [[reason], [reason]],
    );
  }
});

test('a link to a process that is killed brings killed, which can be trapped', async (t) => {
  const world = testSystem();
  const [plain, killed] = await linked(world);
  exit(killed.pid, 'kill');
  t.deepEqual(plain.log.terminated, ['killed']);
  const [trapping, other] = await linked(world, true);
  exit(other.pid, 'kill');
  await world.quiet();
  t.deepEqual(trapping.log.got, [{ type: 'exit', from: other.pid, reason: 'killed' }]);
});

test('a normal end does not end the linked process', async (t) => {
  const world = testSystem();
  const [a, b] = await linked(world);
  send(b.pid, () => stop('normal'));
  await world.quiet();
  t.true(isAlive(a.pid));
  t.is((a.pid as Process).links?.size, 0);
});

test('a link to the dead brings noproc', async (t) => {
  const { system, quiet } = testSystem();
  const dead = spawnScripted(system).pid;
  exit(dead, 'kill');
  const plain = spawnScripted(system);
  const trapping = spawnScripted(system, { trapExit: true });
  for (const { pid } of [plain, trapping]) {
    send(pid, (self: Self<unknown>) => {
      link(self, dead);
      return undefined;
    });
  }
  await quiet();
  t.deepEqual(plain.log.terminated, ['noproc']);
  t.deepEqual(trapping.log.got, [{ type: 'exit', from: dead, reason: 'noproc' }]);
});

test('unlink takes a link back, from either side', async (t) => {
  for (const side of [0, 1]) {
    const world = testSystem();
    const pair = await linked(world);
    unlink(pair[side]?.pid as Process, pair[1 - side]?.pid as Process);
    exit(pair[0].pid, 'shutdown');
    t.true(isAlive(pair[1].pid));
  }
});

test('a dead process links to nobody', (t) => {
  const { system } = testSystem();
  const [dead, living] = [spawnScripted(system).pid, spawnScripted(system).pid];
  exit(dead, 'kill');
  link(dead as Process, living);
  t.is((living as Process).links, undefined);
});

test('trap 1: the end of a process is the end of its children, down to the leaves', async (t) => {
  const { system } = testSystem();
  const root = spawnScripted(system);
  const child = spawnScripted(system, {}, { parent: root.pid as Process });
  const leaf = spawnScripted(system, {}, { parent: child.pid as Process });
  exit(root.pid, 'kill');
  t.deepEqual(
    [root, child, leaf].map(({ pid }) => isAlive(pid)),
    [false, false, false],
  );
  t.deepEqual(leaf.log.terminated, ['killed']);
  t.is(system.counters.deadLetters, 0);
  t.is(system.processes.size, 0);
});

test('a parent hears of the exit of its child, whatever the reason, and lives on', async (t) => {
  for (const reason of ['normal', 'shutdown', { stop: 'bad' }] as const) {
    const { system, quiet } = testSystem();
    const parent = spawnScripted(system);
    const child = spawnScripted(system, {}, { parent: parent.pid as Process });
    send(child.pid, () => stop(reason));
    await quiet();
    t.deepEqual(parent.log.got, [{ type: 'exit', from: child.pid, reason }]);
    t.is((parent.pid as Process).links?.size, 0);
  }
});

test('a signal in the middle of a callback waits for its end, and then nothing more is handled', async (t) => {
  const { system, quiet } = testSystem();
  const order: string[] = [];
  const { pid, log } = spawnScripted(system, {
    terminate: () => {
      order.push('terminate');
    },
  });
  send(pid, (self: Self<unknown>) => {
    exit(self, 'shutdown');
    order.push('end of the callback');
    return undefined;
  });
  send(pid, 'behind');
  await quiet();
  t.deepEqual(order, ['end of the callback', 'terminate']);
  t.deepEqual(log.got, []);
});

test('a signal that comes back from a callback of another process waits as well, and ends it once', async (t) => {
  const { system, quiet } = testSystem();
  const order: string[] = [];
  const parent = spawnScripted(system);
  const a = spawnScripted(
    system,
    {
      terminate: () => {
        order.push('terminate');
      },
    },
    { parent: parent.pid as Process },
  );
  const b = spawnScripted(system, {
    terminate: () => exit(a.pid, { stop: 'revenge' }),
  });
  send(a.pid, () => {
    exit(b.pid, 'shutdown');
    order.push('end of the callback');
    return undefined;
  });
  send(a.pid, 'behind');
  await quiet();
  t.deepEqual(order, ['end of the callback', 'terminate']);
  t.deepEqual(a.log.got, []);
  t.deepEqual(parent.log.got, [{ type: 'exit', from: a.pid, reason: { stop: 'revenge' } }]);
  t.is(system.counters.exited, 2);
});

test('two linked processes that end each other end once each', async (t) => {
  const world = testSystem();
  const [a, b] = await linked(world);
  send(a.pid, () => {
    exit(b.pid, { stop: 'both' });
    return stop({ stop: 'mine' });
  });
  await world.quiet();
  t.deepEqual(a.log.terminated, [{ stop: 'mine' }]);
  t.deepEqual(b.log.terminated, [{ stop: 'both' }]);
  t.is(world.system.counters.exited, 2);
});

test('a terminate that throws turns an orderly end into a crash', async (t) => {
  const { system, quiet, crashes } = testSystem();
  const parent = spawnScripted(system);
  const error = new Error('cannot close');
  const child = spawnScripted(
    system,
    {
      terminate: () => {
        throw error;
      },
    },
    { parent: parent.pid as Process },
  );
  exit(child.pid, 'shutdown');
  await quiet();
  t.deepEqual(parent.log.got, [{ type: 'exit', from: child.pid, reason: { error } }]);
  t.is(crashes().length, 1);
});

test('trap 2: a process that crashes while others run is never run twice at once, nor again', async (t) => {
  const { system, quiet } = testSystem();
  let inside = 0;
  let most = 0;
  const { pid, log } = spawnScripted(system, {
    handle: (_state, message) => {
      most = Math.max(most, ++inside);
      send(pid, 'to itself');
      inside--;
      if (message === 'crash') throw new Error('crash');
      return keep;
    },
  });
  send(pid, 'crash');
  await quiet();
  send(pid, 'after');
  await quiet();
  t.is(most, 1);
  t.deepEqual(log.undelivered, ['crash', 'to itself']);
});

test('orderly are normal, shutdown and shutdown with a reason; all others are crashes', (t) => {
  for (const reason of ['normal', 'shutdown', { shutdown: 'x' }] as const) t.true(isOrderly(reason));
  for (const reason of ['killed', 'noproc', { stop: 'x' }, { error: new Error('x') }] as const) {
    t.false(isOrderly(reason));
  }
});

test('a reason is described in one line', (t) => {
  t.is(describeReason('normal'), 'normal');
  t.is(describeReason({ shutdown: 'drained' }), 'shutdown: drained');
  t.is(describeReason({ stop: 'port is taken' }), 'port is taken');
  t.is(describeReason({ error: new TypeError('x is not a function') }), 'TypeError: x is not a function');
  t.is(describeReason({ error: new SyntaxError('secret') }), 'SyntaxError');
  t.is(toError({ secret: 1 }).message, 'thrown: object');
});
