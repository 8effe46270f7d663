import test from 'ava';
import { isAlive, type Process, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { resume, statistics, suspend } from '../../src/otp/sys.ts';
import { shutdown } from '../support/family.ts';
import { pool } from '../support/pool.ts';

test('trap 8: without keepMailbox a crash drops what waits, and each message is told of once', async (t) => {
  const { add, send: tell, quiet, handled, undelivered } = pool();
  await add('a');
  tell('a', '1', 'crash', '2', '3');
  await quiet();
  t.deepEqual(handled, ['a:1']);
  t.deepEqual(undelivered, ['crash', '2', '3']);
});

test('trap 8: with keepMailbox the successor handles what waits, in order; the culprit is told of once', async (t) => {
  const { add, send: tell, quiet, handled, undelivered, abandoned } = pool({ keepMailbox: true });
  await add('a');
  tell('a', '1', 'crash', '2', '3');
  await quiet();
  t.deepEqual(handled, ['a:1', 'a:2', 'a:3']);
  t.deepEqual(undelivered, ['crash']);
  t.deepEqual(abandoned, []);
});

test('messages that come between the crash and the restart are handled after those before', async (t) => {
  const { system, add, send: tell, quiet, pid, child, handled, undelivered } = pool({ keepMailbox: true });
  await add('a');
  const old = child('a');
  suspend(pid);
  tell('a', 'crash', '1', '2');
  await quiet();
  t.false(isAlive(old));
  t.true(send(old, '3'));
  t.true(send(old, '4'));
  resume(pid);
  await quiet();
  t.deepEqual(handled, ['a:1', 'a:2', 'a:3', 'a:4']);
  t.deepEqual(undelivered, ['crash']);
  t.is(statistics(old).mailboxLength, 0);
  t.false(send(old, 'stale'));
  t.is(system.counters.deadLetters, 1);
});

test('the kept mailbox keeps its limit', async (t) => {
  const { system, add, send: tell, quiet, pid, child } = pool({ keepMailbox: true, mailboxLimit: 3 });
  await add('a');
  const old = child('a');
  suspend(pid);
  tell('a', 'crash', '1', '2');
  await quiet();
  t.true(send(old, '3'));
  t.false(send(old, '4'));
  t.is(system.counters.refused, 1);
});

test('signals to a process whose mailbox is kept do nothing: it is dead', async (t) => {
  const { system, add, send: tell, quiet, pid, child, events, handled } = pool({ keepMailbox: true });
  await add('a');
  const old = child('a') as Process;
  suspend(pid);
  tell('a', 'crash', '1');
  await quiet();
  exit(old, 'shutdown');
  exit(old, 'kill');
  t.is(system.counters.exited, 1);
  resume(pid);
  await quiet();
  t.deepEqual(events, ['+a', '-a', '+a']);
  t.deepEqual(handled, ['a:1']);
});

test('the mailbox goes on through a chain of crashes and failed starts', async (t) => {
  const world = pool({ keepMailbox: true, intensity: 10 });
  const { add, send: tell, quiet, failing, handled, undelivered, events } = world;
  await add('a');
  failing.set('a', 2);
  tell('a', '1', 'crash', '2', 'crash', '3');
  await quiet();
  t.deepEqual(handled, ['a:1', 'a:2', 'a:3']);
  t.deepEqual(undelivered, ['crash', 'crash']);
  t.deepEqual(events, ['+a', '-a', '!a', '!a', '+a', '-a', '+a']);
});

test('a thousand and more messages move over in order', async (t) => {
  const { add, send: tell, quiet, handled } = pool({ keepMailbox: true });
  await add('a');
  const jobs = Array.from({ length: 5000 }, (_, i) => String(i));
  tell('a', ...jobs.slice(0, 2500), 'crash', ...jobs.slice(2500));
  await quiet();
  t.deepEqual(
    handled,
    jobs.map((job) => `a:${job}`),
  );
});

test('on giving up every waiting message is told of exactly once, and so is the child', async (t) => {
  const {
    system,
    add,
    send: tell,
    quiet,
    pid,
    child,
    undelivered,
    abandoned,
    handled,
  } = pool({
    keepMailbox: true,
    intensity: 1,
  });
  await add('a', 'b');
  tell('a', 'crash', '1', 'crash', '2', '3');
  tell('b', 'fine');
  await quiet();
  t.false(isAlive(pid));
  t.deepEqual(handled, ['b:fine', 'a:1']);
  t.deepEqual(undelivered, ['crash', 'crash', '2', '3']);
  t.deepEqual(abandoned, ['a']);
  t.false(send(child('a'), 'stale'));
  t.is(system.counters.deadLetters, 1);
});

test('children that crash at the same time as the one too many are abandoned as well, each once', async (t) => {
  const {
    add,
    send: tell,
    quiet,
    undelivered,
    abandoned,
    events,
  } = pool({ keepMailbox: true, intensity: 0 });
  await add('a', 'b', 'c');
  tell('a', 'crash', 'a1');
  tell('b', 'crash', 'b1');
  await quiet();
  t.deepEqual(abandoned.toSorted(), ['a', 'b']);
  t.deepEqual(undelivered.toSorted(), ['a1', 'b1', 'crash', 'crash']);
  t.deepEqual(events, ['+a', '+b', '+c', '-a', '-b', '-c']);
});

test('a child whose restart fails until the supervisor gives up is abandoned once, with its mail', async (t) => {
  const {
    add,
    send: tell,
    quiet,
    failing,
    undelivered,
    abandoned,
    pid,
  } = pool({
    keepMailbox: true,
    intensity: 3,
  });
  await add('a');
  failing.set('a', Number.POSITIVE_INFINITY);
  tell('a', 'crash', '1', '2');
  await quiet();
  t.false(isAlive(pid));
  t.deepEqual(undelivered, ['crash', '1', '2']);
  t.deepEqual(abandoned, ['a']);
});

test('a supervisor told to stop with a crash on its way discards that mailbox', async (t) => {
  const { add, send: tell, quiet, pid, undelivered, abandoned } = pool({ keepMailbox: true });
  await add('a');
  suspend(pid);
  shutdown(pid);
  tell('a', 'crash', '1');
  await quiet();
  resume(pid);
  await quiet();
  t.false(isAlive(pid));
  t.deepEqual(undelivered, ['crash', '1']);
  t.deepEqual(abandoned, ['a']);
});

test('a supervisor that is killed with the news of a crash waiting discards that mailbox', async (t) => {
  const { system, add, send: tell, quiet, pid, child, undelivered } = pool({ keepMailbox: true });
  await add('a');
  suspend(pid);
  tell('a', 'crash', '1');
  await quiet();
  exit(pid, 'kill');
  t.deepEqual(undelivered, ['crash', '1']);
  t.false(send(child('a'), 'stale'));
  t.is(system.counters.deadLetters, 1);
});

test('a supervisor that is killed between two tries discards the mailbox', async (t) => {
  const {
    system,
    add,
    send: tell,
    quiet,
    pid,
    child,
    failing,
    undelivered,
  } = pool({
    keepMailbox: true,
    intensity: 1e9,
  });
  await add('a');
  failing.set('a', Number.POSITIVE_INFINITY);
  const old = child('a');
  tell('a', 'crash', '1');
  // It tries again and again; held up, the next try is in its mailbox.
  await new Promise((resolve) => setImmediate(resolve));
  suspend(pid);
  await quiet();
  exit(pid, 'kill');
  t.deepEqual(undelivered, ['crash', '1']);
  t.false(send(old, 'stale'));
  t.is(system.counters.deadLetters, 1);
});

test('a child that dies with its supervisor keeps its mailbox for nobody', async (t) => {
  const { system, add, send: tell, pid, child, undelivered } = pool({ keepMailbox: true });
  await add('a');
  tell('a', '1', '2');
  exit(pid, 'kill');
  t.deepEqual(undelivered, ['1', '2']);
  t.false(send(child('a'), 'stale'));
  t.is(system.counters.deadLetters, 1);
});

test('a supervisor that stops makes no further try to restart', async (t) => {
  const {
    system,
    add,
    send: tell,
    quiet,
    pid,
    child,
    failing,
    events,
    abandoned,
    undelivered,
  } = pool({
    keepMailbox: true,
    intensity: 10,
    slowStop: true,
    shutdown: 'infinity',
  });
  await add('a', 'b');
  suspend(pid);
  tell('a', 'crash', '1');
  await quiet();
  shutdown(pid);
  failing.set('a', 1);
  resume(pid);
  await quiet();
  t.deepEqual(events, ['+a', '+b', '-a', '!a']);
  exit(child('b'), { stop: 'enough' });
  tell('b', { type: 'end', reason: 'shutdown' });
  await quiet();
  t.false(isAlive(pid));
  t.deepEqual(abandoned, ['a']);
  t.deepEqual(undelivered, ['crash', '1']);
  t.is(system.processes.size, 0);
});

test('a killed child keeps its mailbox for its successor too', async (t) => {
  const { add, send: tell, quiet, child, handled, undelivered } = pool({ keepMailbox: true });
  await add('a');
  tell('a', '1', '2');
  exit(child('a'), 'kill');
  await quiet();
  t.deepEqual(handled, ['a:1', 'a:2']);
  t.deepEqual(undelivered, []);
});

test('a temporary child keeps its mailbox for nobody, and is abandoned when it crashes', async (t) => {
  const {
    add,
    send: tell,
    quiet,
    undelivered,
    abandoned,
  } = pool({ keepMailbox: true, restart: 'temporary' });
  await add('a', 'b');
  tell('a', 'crash', '1');
  tell('b', { type: 'end', reason: 'normal' }, '2');
  await quiet();
  t.deepEqual(undelivered, ['crash', '2', '1']);
  t.deepEqual(abandoned, ['a']);
});

test('an orderly end keeps no mailbox: a transient child’s waiting messages are told of', async (t) => {
  const {
    add,
    send: tell,
    quiet,
    undelivered,
    abandoned,
  } = pool({ keepMailbox: true, restart: 'transient' });
  await add('a');
  tell('a', { type: 'end', reason: 'normal' }, '1', '2');
  await quiet();
  t.deepEqual(undelivered, ['1', '2']);
  t.deepEqual(abandoned, []);
});
