import test from 'ava';
import { QUIET } from '../../src/authenticator/outage.ts';
import { everything, none } from '../../src/authenticator/permissions.ts';
import { resume, suspend } from '../../src/otp/sys.ts';
import { bad, byHand, good, SECRET, setup } from './server-under-test.ts';

test('an answer in the last moment counts, and one after it does not', async (t) => {
  const { script, settle } = byHand();
  const { client, server, quiet, advance, events } = setup(script, { timeout: 2000 });
  client.ask(server, SECRET, 0);
  client.ask(server, SECRET, 1);
  await quiet();
  await advance(1999);
  settle[0]?.(everything);
  await quiet();
  t.deepEqual(client.answers, [good(0)]);
  await advance(1);
  t.deepEqual(client.answers, [good(0), bad(1)]);
  settle[1]?.(everything);
  await quiet();
  t.is(client.answers.length, 2);
  t.deepEqual(
    events.map((event) => event.type === 'authenticator-unavailable' && event.why),
    ['late'],
  );
});

test('the time limit is two seconds unless another one is given', async (t) => {
  for (const [options, limit] of [
    [{}, 2000],
    [{ timeout: 50 }, 50],
  ] as const) {
    const { client, server, quiet, advance } = setup(byHand().script, options);
    client.ask(server, SECRET, 1);
    await quiet();
    await advance(limit - 1);
    t.deepEqual(client.answers, []);
    await advance(1);
    t.deepEqual(client.answers, [bad(1)]);
  }
});

test('a timer that goes off early, as those of Node do, does not make the limit longer', async (t) => {
  const { script } = byHand();
  const { client, server, quiet, advance, clock } = setup(script, { timeout: 100 });
  const after = clock.after.bind(clock);
  clock.after = (delay, action) => after(Math.max(0, delay - 1), action);
  client.ask(server, SECRET, 1);
  await quiet();
  clock.after = after;
  await advance(99);
  t.deepEqual(client.answers, []);
  await advance(1);
  t.deepEqual(client.answers, [bad(1)]);
});

test('each question has a time limit of its own', async (t) => {
  const { client, server, quiet, advance } = setup(byHand().script, { timeout: 100 });
  for (const ref of [1, 2, 3]) {
    client.ask(server, SECRET, ref);
    await quiet();
    await advance(40);
  }
  t.deepEqual(client.answers, [bad(1)]);
  await advance(19);
  t.is(client.answers.length, 1);
  await advance(1);
  t.deepEqual(client.answers, [bad(1), bad(2)]);
  await advance(40);
  t.deepEqual(client.answers, [bad(1), bad(2), bad(3)]);
});

test('a slow question holds up no other one', async (t) => {
  const { client, server, quiet } = setup(({ authorization }) =>
    authorization === 'slow' ? new Promise(() => undefined) : none,
  );
  client.ask(server, 'slow', 1);
  client.ask(server, 'quick', 2);
  await quiet();
  t.deepEqual(client.answers, [good(2, none)]);
});

test('as many questions as the limit wait, and one more is refused at once', async (t) => {
  const { script, settle } = byHand();
  const { client, server, quiet, events } = setup(script, { limit: 3 });
  for (const ref of [0, 1, 2, 3]) client.ask(server, SECRET, ref);
  await quiet();
  t.deepEqual(client.answers, [bad(3)]);
  t.is(settle.length, 3);
  t.deepEqual(events, [
    { type: 'authenticator-unavailable', authenticator: 'Scripted', why: 'busy', error: null },
  ]);
  settle[1]?.(everything);
  await quiet();
  client.ask(server, SECRET, 4);
  await quiet();
  t.is(settle.length, 4);
});

test('questions that are late take up room until they settle', async (t) => {
  const { script, settle } = byHand();
  const { client, server, quiet, advance } = setup(script, { limit: 2, timeout: 100 });
  client.ask(server, SECRET, 0);
  client.ask(server, SECRET, 1);
  await quiet();
  await advance(100);
  client.ask(server, SECRET, 2);
  await quiet();
  t.deepEqual(client.answers, [bad(0), bad(1), bad(2)]);
  settle[0]?.(everything);
  await quiet();
  client.ask(server, SECRET, 3);
  await quiet();
  settle[2]?.(everything);
  await quiet();
  t.deepEqual(client.answers.slice(3), [good(3)]);
});

test('a question that never settles is forgotten in the end', async (t) => {
  const { script, settle } = byHand();
  const { client, server, quiet, advance } = setup(script, { limit: 1, timeout: 100 });
  client.ask(server, SECRET, 0);
  await quiet();
  await advance(100);
  await advance(30 * 100 - 1);
  client.ask(server, SECRET, 1);
  await quiet();
  t.is(settle.length, 1);
  await advance(1);
  client.ask(server, SECRET, 2);
  await quiet();
  t.is(settle.length, 2);
});

test('an outage is one line, its end another, and a fault in between only counts', async (t) => {
  let ill = true;
  const { client, server, quiet, advance, events } = setup(() => (ill ? undefined : everything));
  let ref = 0;
  const ask = async () => {
    client.ask(server, SECRET, ref++);
    await quiet();
  };
  await ask();
  await advance(300);
  await ask();
  ill = false;
  await ask();
  await advance(QUIET - 1);
  ill = true;
  await ask();
  t.is(events.length, 1);
  ill = false;
  await ask();
  await advance(QUIET - 1);
  t.is(events.length, 1);
  await advance(1);
  t.deepEqual(events.slice(1), [
    { type: 'authenticator-available', authenticator: 'Scripted', faults: 3, durationMs: 300 + QUIET - 1 },
  ]);
  ill = true;
  await ask();
  t.is(events.length, 3);
});

test('an outage lasts until somebody is answered again, also with a single fault, in whole milliseconds', async (t) => {
  let ill = true;
  const { client, server, quiet, advance, events } = setup(() => (ill ? undefined : everything));
  client.ask(server, SECRET, 0);
  await quiet();
  ill = false;
  await advance(5000.25);
  client.ask(server, SECRET, 1);
  await quiet();
  t.deepEqual(events.slice(1), [
    { type: 'authenticator-available', authenticator: 'Scripted', faults: 1, durationMs: 5000 },
  ]);
});

test('a server that has nothing open comes to rest', async (t) => {
  const { client, server, quiet, clock, advance } = setup(async () => everything);
  client.ask(server, SECRET, 1);
  await quiet();
  t.deepEqual(client.answers, [good(1)]);
  await advance(2000);
  t.is(clock.pending, 0);
});

test('a time limit that passes while the mailbox is full is not forgotten', async (t) => {
  const { client, server, quiet, advance } = setup(byHand().script, { timeout: 100, mailboxLimit: 1 });
  client.ask(server, SECRET, 1);
  await quiet();
  suspend(server);
  t.true(client.ask(server, SECRET, 2));
  t.false(client.ask(server, SECRET, 3));
  await advance(100);
  t.deepEqual(client.answers, []);
  resume(server);
  await quiet();
  t.deepEqual(client.answers, [bad(1)]);
  await advance(100);
  t.deepEqual(client.answers, [bad(1), bad(2)]);
});
