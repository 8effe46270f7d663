import test from 'ava';
import {
  type AuthenticatorMessage,
  type AuthenticatorServerArgs,
  authenticatorServer,
} from '../../src/authenticator/authenticator-server.ts';
import type { Question } from '../../src/authenticator/contract.ts';
import type { AuthenticatorEvent } from '../../src/authenticator/outage.ts';
import { everything, none, readEverything } from '../../src/authenticator/permissions.ts';
import { worker } from '../../src/otp/child-spec.ts';
import { processName, whereis } from '../../src/otp/registry.ts';
import { exit } from '../../src/otp/signal.ts';
import { supervisor } from '../../src/otp/supervisor.ts';
import { getState, suspend, trace } from '../../src/otp/sys.ts';
import { spawnOk, testSystem } from '../support/otp.ts';
import { asker, printed } from './asker.ts';
import { bad, byHand, byRef, good, type Script, SECRET, scripted, setup } from './server-under-test.ts';

test('an answer that is there at once, and one that comes later, reach who asked', async (t) => {
  const { client, server, quiet, events } = setup(({ authorization }) =>
    authorization === 'now' ? everything : Promise.resolve(readEverything),
  );
  t.true(client.ask(server, 'later', 1));
  t.true(client.ask(server, 'now', 2));
  await quiet();
  t.deepEqual(byRef(client), [good(1, readEverything), good(2)]);
  t.deepEqual(events, []);
});

test('the authenticator is asked what the client asked', async (t) => {
  const asked: Question[] = [];
  const { client, server, quiet } = setup((question) => {
    asked.push(question);
    return none;
  });
  client.ask(server, SECRET, 1);
  await quiet();
  t.deepEqual(asked, [{ authorization: SECRET, door: 'pusu', address: '127.0.0.1' }]);
  t.deepEqual(client.answers, [good(1, none)]);
});

test('a server is asked by its name too, and an absent one says so', async (t) => {
  const { client, system, quiet } = setup(() => none);
  const name = processName<AuthenticatorMessage>('authenticator');
  t.false(client.ask(name, SECRET, 1));
  const args = { authenticator: scripted(() => everything), log: () => undefined };
  spawnOk(system, authenticatorServer, args, { name: name.value });
  t.true(client.ask(name, SECRET, 2));
  await quiet();
  t.deepEqual(client.answers, [good(2)]);
});

/** The same object, with a property that throws when it is read. */
function thorny(target: object, property: string): object {
  return Object.defineProperty(target, property, {
    get() {
      throw new RangeError(SECRET);
    },
  });
}

const faults: Record<string, [Script, AuthenticatorEvent & { type: 'authenticator-unavailable' }]> = {};
function faulty(what: string, why: 'threw' | 'shape', error: string | null, script: Script): void {
  faults[what] = [script, { type: 'authenticator-unavailable', authenticator: 'Scripted', why, error }];
}
faulty('a throw', 'threw', 'Error', () => {
  throw new Error(SECRET);
});
faulty('a thrown credential', 'threw', null, ({ authorization }) => {
  throw authorization;
});
faulty('a rejection', 'threw', 'ECONNREFUSED', () =>
  Promise.reject(Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' })),
);
faulty('nothing', 'shape', null, () => undefined);
faulty('true', 'shape', null, () => true);
faulty('a promise of nothing', 'shape', null, async () => undefined);
faulty('rights that are no booleans', 'shape', null, () => ({ ...none, all: { read: 'no', write: 'no' } }));
faulty('a property that throws', 'shape', null, () => thorny({ ...everything }, 'exact'));
faulty('a promise of a property that throws', 'shape', null, async () => thorny({ ...everything }, 'all'));
faulty('a then that throws when it is read', 'shape', null, () =>
  thorny(Promise.resolve(everything), 'then'),
);
faulty('a then that throws when it is called', 'threw', 'TypeError', () =>
  Object.defineProperty({ ...everything }, 'then', {
    value: () => {
      throw new TypeError(SECRET);
    },
  }),
);
faulty('a promise of an odd class', 'threw', 'RangeError', () =>
  thorny(Promise.resolve(everything), 'constructor'),
);

for (const [what, [script, event]] of Object.entries(faults)) {
  test(`${what} is no answer: the client is told, the log once, and the server goes on`, async (t) => {
    let ill = true;
    const { client, server, quiet, events, reports } = setup((question) =>
      ill ? script(question) : everything,
    );
    client.ask(server, SECRET, 1);
    client.ask(server, SECRET, 2);
    await quiet();
    ill = false;
    client.ask(server, SECRET, 3);
    await quiet();
    t.deepEqual(byRef(client), [bad(1), bad(2), good(3)]);
    t.deepEqual(events, [event]);
    t.deepEqual(reports, []);
  });
}

test('a server that ends answers all that wait, in its hands and in its mailbox, and each once', async (t) => {
  const { script, settle } = byHand();
  const { client, server, quiet, system } = setup(script);
  client.ask(server, SECRET, 1);
  await quiet();
  suspend(server);
  client.ask(server, SECRET, 2);
  exit(server, 'shutdown');
  await quiet();
  t.deepEqual(byRef(client), [bad(1), bad(2)]);
  settle[0]?.(everything);
  await quiet();
  t.is(client.answers.length, 2);
  t.is(system.counters.deadLetters, 0);
});

test('a server that crashes answers what it had, and its successor goes on', async (t) => {
  const { system, quiet, crashes } = testSystem();
  const name = processName<AuthenticatorMessage>('authenticator');
  let broken = true;
  const args: AuthenticatorServerArgs = {
    authenticator: scripted(({ authorization }) => {
      if (authorization === 'bad') throw new Error(SECRET);
      return broken ? new Promise(() => undefined) : everything;
    }),
    log: () => {
      throw new Error('the log is broken');
    },
  };
  const { start } = supervisor('top', {}, [worker('authenticator', authenticatorServer, args, { name })]);
  t.true(start(system, {}).ok);
  await quiet();
  const before = whereis(system, name);
  const client = asker(system);
  client.ask(name, SECRET, 1);
  client.ask(name, 'bad', 2);
  client.ask(name, SECRET, 3);
  await quiet();
  const counted = new Set(byRef(client).map(({ ref }) => ref));
  t.deepEqual([...counted], [1, 2, 3]);
  t.true(client.answers.every(({ type }) => type === 'unavailable'));
  t.not(whereis(system, name), before);
  t.is(crashes().length, 1);
  t.notRegex(printed(crashes()), new RegExp(SECRET));
  broken = false;
  client.ask(name, SECRET, 4);
  await quiet();
  t.deepEqual(client.answers.at(-1), good(4));
});

test('a client that has gone does no harm', async (t) => {
  const { script, settle } = byHand();
  const { client, server, quiet, system, reports } = setup(script);
  client.ask(server, SECRET, 1);
  await quiet();
  exit(client.pid, 'shutdown');
  settle[0]?.(everything);
  await quiet();
  const next = asker(system);
  next.ask(server, SECRET, 2);
  await quiet();
  settle[1]?.(everything);
  await quiet();
  t.deepEqual(next.answers, [good(2)]);
  t.deepEqual(reports, []);
});

test('no tool sees the credential: not in a message, nor in the state, nor in an event', async (t) => {
  const { script, fail } = byHand();
  const { client, server, quiet, events } = setup(script);
  const seen: unknown[] = [];
  trace(server, 10, 1000, (message) => seen.push(message));
  client.ask(server, SECRET, 1);
  await quiet();
  t.notRegex(printed(getState(server)), new RegExp(SECRET));
  fail[0]?.(new Error(`no such password: ${SECRET}`));
  await quiet();
  t.deepEqual(client.answers, [bad(1)]);
  t.is(seen.length, 2);
  for (const value of [seen, events, getState(server)]) {
    t.notRegex(printed(value), new RegExp(SECRET));
  }
  t.notRegex(JSON.stringify(events), new RegExp(SECRET));
});
