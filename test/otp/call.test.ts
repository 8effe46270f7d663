import test from 'ava';
import { stop } from '../../src/otp/behaviour.ts';
import { CallError, call, type Reply } from '../../src/otp/call.ts';
import { type Process, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { spawnScripted, testSystem } from '../support/otp.ts';

/** A request that is answered with `value`. */
const answer =
  <T>(value: T) =>
  (reply: Reply<T>) =>
  () => {
    reply(value);
  };

/** A request that is kept: its answer is the test's to give. */
function kept<T>(replies: Reply<T>[]) {
  return (reply: Reply<T>) => () => {
    replies.push(reply);
  };
}

test('a call brings the answer, and leaves neither timer nor watcher', async (t) => {
  const { system, clock } = testSystem();
  const { pid } = spawnScripted(system);
  t.is(await call(pid, answer('yes')), 'yes');
  t.is(clock.pending, 0);
  t.is((pid as Process).watchers?.length, 0);
});

test('a call to the dead fails at once', async (t) => {
  const { system, clock } = testSystem();
  const { pid } = spawnScripted(system);
  exit(pid, 'kill');
  const error = await t.throwsAsync(call(pid, answer('never'), 0), { instanceOf: CallError });
  t.is((error as CallError).why, 'down');
  t.is(clock.pending, 0);
  t.is(system.counters.deadLetters, 0);
});

test('a call fails at once when the callee dies: before its turn, in it, and while it thinks', async (t) => {
  const { system, clock, quiet } = testSystem();
  const before = spawnScripted(system).pid;
  const waiting = call(before, answer('never'));
  exit(before, 'shutdown');
  t.like(await t.throwsAsync(waiting), { why: 'down', message: `call to ${before} failed: shutdown` });

  const within = spawnScripted(system).pid;
  const crashing = call(within, () => () => {
    throw new Error('bad');
  });
  t.like(await t.throwsAsync(crashing), { why: 'down', message: `call to ${within} failed: Error: bad` });

  const later = spawnScripted(system).pid;
  const thinking = call(later, kept([]));
  await quiet();
  send(later, () => stop('normal'));
  t.like(await t.throwsAsync(thinking), { why: 'down' });
  t.is(clock.pending, 0);
});

test('a call that a full mailbox refuses fails at once', async (t) => {
  const { system, clock } = testSystem();
  const { pid } = spawnScripted(system, {}, { mailboxLimit: 1 });
  send(pid, 'full');
  t.like(await t.throwsAsync(call(pid, answer('never'))), { why: 'refused' });
  t.is(clock.pending, 0);
  t.is((pid as Process).watchers?.length, 0);
});

test('a call fails at its timeout and not before, and a late answer is ignored', async (t) => {
  const { system, clock, advance } = testSystem();
  const { pid } = spawnScripted(system);
  const replies: Reply<string>[] = [];
  let error: CallError | undefined;
  const calling = call(pid, kept(replies), 100).catch((reason: CallError) => {
    error = reason;
  });
  await advance(99);
  t.is(error, undefined);
  await advance(1);
  await calling;
  t.is(error?.why, 'timeout');
  t.is((pid as Process).watchers?.length, 0);
  t.notThrows(() => replies[0]?.('late'));
  t.is(clock.pending, 0);
});

test('a timeout of zero waits for ever, and five seconds are the default', async (t) => {
  const { system, clock, advance } = testSystem();
  const { pid } = spawnScripted(system);
  const replies: Reply<string>[] = [];
  const patient = call(pid, kept(replies), 0);
  t.is(clock.pending, 0);
  await advance(1_000_000);
  replies[0]?.('at last');
  t.is(await patient, 'at last');
  const usual = t.throwsAsync(call(pid, kept(replies)));
  await advance(4999);
  t.is(clock.pending, 1);
  await advance(1);
  t.like(await usual, { why: 'timeout' });
});

test('only the first answer counts', async (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system);
  const value = await call<unknown, number>(pid, (reply) => () => {
    reply(1);
    reply(2);
  });
  t.is(value, 1);
});

test('a request that cannot be made fails the call, and leaves neither timer nor watcher', async (t) => {
  const { system, clock } = testSystem();
  const { pid } = spawnScripted(system);
  const error = await t.throwsAsync(
    call(pid, () => {
      throw new RangeError('no such request');
    }),
  );
  t.true(error instanceof RangeError);
  t.is(clock.pending, 0);
  t.is((pid as Process).watchers?.length ?? 0, 0);
});

test('ten thousand calls at once each get their own answer', async (t) => {
  const { system } = testSystem();
  const { pid } = spawnScripted(system);
  const answers = await Promise.all(Array.from({ length: 10_000 }, (_, i) => call(pid, answer(i))));
  t.true(answers.every((value, i) => value === i));
});
