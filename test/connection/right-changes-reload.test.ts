import test from 'ava';
import { noneAuthenticator } from '../../src/authenticator/authenticator-from.ts';
import type { Authorisation } from '../../src/authenticator/authorisation.ts';
import type { Answer, Authenticator, ClientRequest } from '../../src/authenticator/contract.ts';
import { none, onPatterns, type Permissions, readAndWrite } from '../../src/authenticator/permissions.ts';
import { StandingAnswers } from '../../src/authenticator/standing.ts';
import { pinghubDoor } from '../../src/door/pinghub/door.ts';
import { pusuDoor } from '../../src/door/pusu/door.ts';
import { guardedWorld, type TestClient } from './guarded-world.ts';

const authorize = (authorization: string) => ({ type: 'authorize', authorization });
const subscribe = (channel: string) => ({ type: 'subscribe', channel });
const publish = (channel: string) => ({ type: 'publish', channel, content: 'x' });
const frame = (value: object) => JSON.stringify(value);
const request: ClientRequest = { method: 'GET', target: '/', headers: [] };
const all = (...patterns: string[]) => onPatterns(patterns, readAndWrite);

/** Each credential with what it opens, at once or when it is asked to. */
function book(
  answers: Readonly<Record<string, Permissions | Promise<Answer>>>,
  anonymous = none,
): Authenticator {
  return { name: 'Book', anonymous, authorise: ({ authorization }) => answers[authorization] ?? anonymous };
}

/** Judges topics: those that begin with `no` are forbidden. */
const judge: Authenticator = {
  name: 'Judge',
  anonymous: none,
  needs: 'topic',
  authorise: ({ access }) =>
    access === undefined || access.topic.startsWith('no') ? none : onPatterns([access.topic], access.rights),
};

function setup(first: Authenticator, door = pusuDoor({ topicLength: 256 })) {
  const world = guardedWorld(first, door, new StandingAnswers<Authorisation>());
  const say = async (client: TestClient, ...frames: object[]) => {
    client.got.length = 0;
    for (const each of frames) client.send(each);
    await world.quiet();
    return [...client.got];
  };
  return { ...world, say };
}

test('what was judged topic by topic stays until the credential has been judged, and then is worth what that is', async (t) => {
  const { connect, say, replace, quiet, advance } = setup(judge);
  const [good, weak] = [connect(undefined, request), connect(undefined, request)];
  await say(good, authorize('good'), subscribe('c'), publish('c'));
  await say(weak, authorize('weak'), subscribe('c'));
  let answer: (value: Answer) => void = () => undefined;
  const later = new Promise<Answer>((resolve) => {
    answer = resolve;
  });
  await replace(book({ good: later, weak: all('other') }), good, weak);
  t.is(weak.ended, '1008 revoked');
  t.deepEqual(await say(good, publish('c')), [frame(publish('c'))]);
  answer(all('c', 'd'));
  await quiet();
  await advance(10_000);
  t.deepEqual(await say(good, publish('c'), subscribe('d')), [
    frame(publish('c')),
    frame({ type: 'subscribe_ok', channel: 'd' }),
  ]);
  t.is(good.ended, null);
});

test('who has given no credential where topics were judged has what everybody may', async (t) => {
  const { connect, say, replace, quiet } = setup(judge);
  const [reader, publisher, idle] = [request, request, request].map((each) => connect(undefined, each));
  await say(reader as TestClient, subscribe('c'));
  await say(publisher as TestClient, publish('c'));
  await quiet();
  await replace(book({}), reader as TestClient, publisher as TestClient, idle as TestClient);
  t.deepEqual(
    [reader, publisher, idle].map((client) => client?.ended),
    ['1008 revoked', '1008 revoked', null],
    'who has not shown any right has none to lose',
  );
});

test('what everybody had is gone in time, though nobody says what the credential is worth', async (t) => {
  const { connect, say, replace, quiet, advance } = setup(noneAuthenticator);
  const client = connect();
  await say(client, authorize('word'), subscribe('c'));
  const silent = new Promise<Answer>(() => undefined);
  await replace(book({ word: silent }), client);
  await advance(3999);
  t.deepEqual(await say(client, publish('c')), [frame(publish('c'))]);
  await replace(book({ word: silent }), client);
  await advance(3999);
  t.is(client.ended, null, 'the last reload is the one that counts');
  await advance(1);
  await quiet();
  t.is(client.ended, '1008 revoked');
});

test('what a credential was worth goes on while its judge is away', async (t) => {
  const { connect, say, replace, advance } = setup(book({ word: all('c') }));
  const client = connect();
  await say(client, authorize('word'), subscribe('c'));
  await replace(book({ word: Promise.reject(new Error('away')) }), client);
  await advance(4001);
  t.deepEqual(await say(client, publish('c')), [frame(publish('c'))]);
});

test('rights that everybody is given are there at once, and go again', async (t) => {
  const { connect, say, replace } = setup(book({ word: all('c') }));
  const client = connect();
  await say(client, authorize('word'), subscribe('c'));
  await replace(book({ word: all('c') }, all('d')), client);
  t.is((await say(client, subscribe('d'))).length, 1);
  await replace(book({ word: all('c') }), client);
  t.is(client.ended, '1008 revoked');
});

test('who waits for an answer when topics come to be judged is told to come again', async (t) => {
  const { connect, replace, quiet } = setup(
    book({ word: new Promise<Answer>(() => undefined) }),
    pinghubDoor({ topicLength: 256 }),
  );
  const client = connect({ upgrade: true, target: '/a?access_token=word' });
  await quiet();
  await replace(judge, client);
  t.is(client.ended, 'reply 503');
});

test('a credential that is worth the same to both is worth it for good', async (t) => {
  for (const first of [noneAuthenticator, book({ word: all('c') }), judge]) {
    const { connect, say, replace, advance } = setup(first);
    const client = connect(undefined, request);
    await say(client, authorize('word'), subscribe('c'));
    await replace(book({ word: all('c') }), client);
    await advance(10_000);
    t.deepEqual(await say(client, publish('c')), [frame(publish('c'))], first.name);
  }
});

test('who has lost the only credential to the next judge is closed at once', async (t) => {
  const { connect, say, replace } = setup(book({ word: all('c') }));
  const client = connect();
  await say(client, authorize('word'), subscribe('c'));
  await replace(book({}), client);
  t.is(client.ended, '1008 revoked');
});
