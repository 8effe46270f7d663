import test from 'ava';
import {
  type AuthenticatorMessage,
  authenticatorServer,
  confirm,
} from '../../src/authenticator/authenticator-server.ts';
import type { Authorisation } from '../../src/authenticator/authorisation.ts';
import type { Answer, Authenticator } from '../../src/authenticator/contract.ts';
import { passwordAuthenticator } from '../../src/authenticator/password-authenticator.ts';
import { everything, none, readEverything } from '../../src/authenticator/permissions.ts';
import { CREDENTIALS, StandingAnswers } from '../../src/authenticator/standing.ts';
import { worker } from '../../src/otp/child-spec.ts';
import { type Pid, type Self, send } from '../../src/otp/process.ts';
import { processName, whereis } from '../../src/otp/registry.ts';
import { exit } from '../../src/otp/signal.ts';
import { supervisor } from '../../src/otp/supervisor.ts';
import { getState } from '../../src/otp/sys.ts';
import { sha256 } from '../../src/secret/secret.ts';
import { spawnOk, testSystem } from '../support/otp.ts';
import { asker, printed } from './asker.ts';
import { forGood, SECRET } from './server-under-test.ts';

/** An authenticator whose answers are in `answers`, by credential, and which says so when it is told to. */
function watched() {
  const answers = new Map<string, Answer | Promise<Answer>>();
  const asked: string[] = [];
  const watchers = new Set<() => void>();
  const authenticator: Authenticator = {
    name: 'Watched',
    anonymous: none,
    authorise({ authorization }) {
      asked.push(authorization);
      return answers.get(authorization) ?? none;
    },
    watch(changed) {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
  };
  const change = () => {
    for (const changed of watchers) changed();
  };
  return { answers, asked, watchers, authenticator, change };
}

function setup(options: { readonly mailboxLimit?: number } = {}) {
  const world = testSystem();
  const own = watched();
  const log = () => undefined;
  const standing = new StandingAnswers<Authorisation>();
  const args = { authenticator: own.authenticator, log, standing, wallClock: () => 1000 };
  const server = spawnOk(world.system, authenticatorServer, args, options);
  return { ...world, ...own, server, standing, client: asker(world.system) };
}

test('who was granted something hears of the change, and who was refused does not', async (t) => {
  const { answers, change, client, server, quiet } = setup();
  answers.set('a', everything).set('b', everything);
  for (const [ref, credential] of ['a', 'b', 'wrong'].entries()) client.ask(server, credential, ref);
  await quiet();
  client.answers.length = 0;
  answers.set('a', readEverything).delete('b');
  change();
  await quiet();
  t.deepEqual(
    client.answers.toSorted((a, b) => a.ref - b.ref),
    [
      { type: 'regranted', ref: 0, permissions: readEverything, terms: forGood },
      { type: 'revoked', ref: 1 },
    ],
  );
  client.answers.length = 0;
  change();
  await quiet();
  t.deepEqual(
    client.answers.map(({ ref }) => ref),
    [0],
  );
});

test('many answers are looked at again, a part at a time, and all of them', async (t) => {
  const { answers, change, client, server, quiet } = setup();
  answers.set('a', everything);
  const clients = Array.from({ length: 300 }, () => asker(client.system));
  for (const one of clients) one.ask(server, 'a', 7);
  await quiet();
  answers.delete('a');
  change();
  await quiet();
  for (const one of clients) t.deepEqual(one.answers.slice(1), [{ type: 'revoked', ref: 7 }]);
});

test('an answer that was on its way while something changed is looked at again', async (t) => {
  const { answers, change, client, server, quiet } = setup();
  let settle: (answer: Answer) => void = () => undefined;
  answers.set('a', new Promise((resolve) => (settle = resolve)));
  client.ask(server, 'a', 1);
  await quiet();
  change();
  await quiet();
  answers.delete('a');
  settle(everything);
  await quiet();
  t.deepEqual(
    client.answers.map(({ type }) => type),
    ['authorised', 'revoked'],
  );
});

test('while nobody can say better, what stands goes on, and is asked about again every second', async (t) => {
  const { answers, asked, change, client, server, quiet, advance } = setup();
  answers.set('a', everything);
  client.ask(server, 'a', 1);
  await quiet();
  answers.set('a', Promise.reject(new Error('down')));
  change();
  await quiet();
  await advance(999);
  t.is(asked.length, 2);
  t.is(client.answers.length, 1);
  answers.delete('a');
  await advance(1);
  t.is(asked.length, 3);
  t.deepEqual(client.answers[1], { type: 'revoked', ref: 1 });
});

test('a change while the mailbox is full is not forgotten', async (t) => {
  const { answers, change, client, server, quiet } = setup({ mailboxLimit: 1 });
  answers.set('a', everything);
  client.ask(server, 'a', 1);
  await quiet();
  t.true(client.ask(server, 'b', 2));
  t.false(send(server, { type: 'wake' }));
  answers.delete('a');
  change();
  await quiet();
  t.deepEqual(client.answers.at(-1), { type: 'revoked', ref: 1 });
});

test('a connection that is gone is forgotten with its credentials', async (t) => {
  const { answers, client, server, quiet, standing } = setup();
  answers.set(SECRET, everything);
  client.ask(server, SECRET, 1);
  await quiet();
  t.is(standing.size, 1);
  t.notRegex(printed(getState(server)), new RegExp(SECRET));
  exit(client.pid, 'shutdown');
  await quiet();
  t.is(standing.size, 0);
});

test('of more credentials than one connection may have the oldest is not asked about', async (t) => {
  const { answers, asked, change, client, server, quiet } = setup();
  for (let ref = 0; ref <= CREDENTIALS; ref++) {
    answers.set(String(ref), everything);
    client.ask(server, String(ref), ref);
  }
  await quiet();
  asked.length = 0;
  change();
  await quiet();
  t.is(asked.length, CREDENTIALS);
  t.false(asked.includes('0'));
});

test('what was granted before a crash is taken back after it', async (t) => {
  const { system, quiet } = testSystem();
  const { answers, watchers, authenticator } = watched();
  answers.set('a', everything);
  const name = processName<AuthenticatorMessage>('authenticator');
  const standing = new StandingAnswers<Authorisation>();
  const args = { authenticator, log: () => undefined, standing };
  supervisor('top', {}, [worker('authenticator', authenticatorServer, args, { name })]).start(system, {});
  await quiet();
  const client = asker(system);
  client.ask(name, 'a', 1);
  await quiet();
  answers.delete('a');
  exit(whereis(system, name) as Pid<AuthenticatorMessage>, 'kill');
  await quiet();
  t.deepEqual(client.answers.at(-1), { type: 'revoked', ref: 1 });
  exit(client.pid, 'shutdown');
  await quiet();
  t.is(standing.size, 0);
  exit(whereis(system, name) as Pid<AuthenticatorMessage>, 'shutdown');
  await quiet();
  // The killed one could not end its watch; the others have.
  t.true(watchers.size <= 2);
});

test('a grant comes with its terms, as time from now', async (t) => {
  const { answers, client, server, quiet } = setup();
  const grant = { permissions: everything, subject: 'u', grace: 5, topic: 'b' };
  answers
    .set('later', { ...grant, expires: 1001 })
    .set('now', { ...grant, expires: 1000 })
    .set('never', { permissions: everything, subject: null, expires: null });
  client.ask(server, 'later', 1);
  client.ask(server, 'now', 2);
  client.ask(server, 'never', 3);
  await quiet();
  t.deepEqual(client.answers, [
    {
      type: 'authorised',
      ref: 1,
      permissions: everything,
      terms: { subject: 'u', lasts: 1, grace: 5, topic: 'b' },
    },
    { type: 'authorised', ref: 2, permissions: none, untimely: true },
    { type: 'authorised', ref: 3, permissions: everything, terms: forGood },
  ]);
});

test('a successor with other settings asks again about what its predecessor has granted', async (t) => {
  const { system, quiet } = testSystem();
  const standing = new StandingAnswers<Authorisation>();
  const start = (...words: string[]) =>
    spawnOk(system, authenticatorServer, {
      authenticator: passwordAuthenticator(
        words.map((word) => ({ sha256: sha256(word), channels: [word] })),
        false,
      ),
      log: () => undefined,
      standing,
    });
  const before = start('a', 'b');
  const client = asker(system);
  for (const [ref, word] of ['a', 'b', 'wrong'].entries()) client.ask(before, word, ref);
  await quiet();
  client.answers.length = 0;
  exit(before, 'shutdown');
  start('b');
  await quiet();
  t.deepEqual(client.answers.map(({ type, ref }) => `${type} ${ref}`).toSorted(), [
    'regranted 1',
    'revoked 0',
  ]);
});

test('one that has been replaced takes nothing back, and what it answers late its successor looks at', async (t) => {
  const { answers, asked, change, client, server, standing, system, quiet } = setup();
  let answerLate: (answer: Answer) => void = () => undefined;
  answers.set('a', everything).set(
    'b',
    new Promise((resolve) => {
      answerLate = resolve;
    }),
  );
  client.ask(server, 'a', 1);
  client.ask(server, 'b', 2);
  await quiet();
  const passwords = [{ sha256: sha256('b'), channels: ['*'] }];
  const args = { authenticator: passwordAuthenticator(passwords, false), log: () => undefined, standing };
  const name = processName<AuthenticatorMessage>('successor');
  const successor = spawnOk(system, authenticatorServer, args, { name: name.value });
  await quiet();
  t.deepEqual(
    client.answers,
    [{ ...client.answers[0], type: 'authorised', ref: 1 }],
    'nobody has been told yet',
  );
  confirm(name, client.pid as Self<Authorisation>, 1);
  await quiet();
  t.deepEqual(client.answers.at(-1), { type: 'revoked', ref: 1 });
  const before = asked.length;
  change();
  answerLate(readEverything);
  await quiet();
  t.is(asked.length, before);
  t.deepEqual(
    client.answers.slice(-2).map(({ type, ref }) => [type, ref]),
    [
      ['authorised', 2],
      ['regranted', 2],
    ],
  );
  // A reload that failed elsewhere: the old one is in charge again.
  exit(successor, 'shutdown');
  await quiet();
  answers.set('b', none);
  change();
  await quiet();
  t.deepEqual(client.answers.at(-1), { type: 'revoked', ref: 2 });
});

test('the watch of one that was killed ends with the next change', async (t) => {
  const { watchers, change, server, quiet } = setup();
  exit(server, 'kill');
  await quiet();
  t.is(watchers.size, 1);
  change();
  t.is(watchers.size, 0);
});
