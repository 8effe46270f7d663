import test from 'ava';
import {
  type AuthenticatorMessage,
  authenticatorServer,
} from '../../src/authenticator/authenticator-server.ts';
import type { Answer, Authenticator, ClientRequest, Question } from '../../src/authenticator/contract.ts';
import { FaultyAnswer } from '../../src/authenticator/outcome.ts';
import { everything, none, onPatterns, type Permissions } from '../../src/authenticator/permissions.ts';
import { connectionHandler } from '../../src/connection/connection-handler.ts';
import type { Door } from '../../src/door/contract.ts';
import { pinghubDoor } from '../../src/door/pinghub/door.ts';
import { postSession } from '../../src/door/pinghub/sessions.ts';
import { pusuDoor } from '../../src/door/pusu/door.ts';
import { wspubsubDoor } from '../../src/door/wspubsub/door.ts';
import { send } from '../../src/otp/process.ts';
import { processName } from '../../src/otp/registry.ts';
import { spawnOk } from '../support/otp.ts';
import { connectionWorld, FakeTransport } from './connection-world.ts';
import { guardedWorld, type TestClient } from './guarded-world.ts';

const authorize = (authorization: string) => ({ type: 'authorize', authorization });
const subscribe = (channel: string) => ({ type: 'subscribe', channel });
const publish = (channel: string, content: string) => ({ type: 'publish', channel, content });
const frame = (value: object) => JSON.stringify(value);
const ok = frame({ type: 'authorization_ok' });
const subscribed = (channel: string) => frame({ type: 'subscribe_ok', channel });
const denied = frame({ type: 'permission_denied' });

/** Judges topics: `moved` says which ones are others after all, and topics that begin with `no` are forbidden. */
function setup(door: Door = pusuDoor({ topicLength: 256 }), moved: ReadonlyMap<string, string> = new Map()) {
  const asked: Question[] = [];
  let answer = (question: Question): Answer | Promise<Answer> => {
    const { topic, rights } = question.access ?? { topic: '', rights: { read: false, write: false } };
    if (topic.startsWith('no')) return none;
    const at = moved.get(topic) ?? topic;
    return { permissions: onPatterns([at], rights), subject: 'user-1', expires: null, topic: at };
  };
  const authenticator: Authenticator = {
    name: 'Judge',
    anonymous: none,
    needs: 'topic',
    authorise(question) {
      asked.push(question);
      return answer(question);
    },
  };
  const world = guardedWorld(authenticator, door);
  const say = async (client: TestClient, ...frames: object[]) => {
    client.got.length = 0;
    for (const each of frames) client.send(each);
    await world.quiet();
    return [...client.got];
  };
  const brief = () =>
    asked.map(({ authorization, access }) => [authorization, access?.method, access?.target].join(' '));
  const set = (next: typeof answer) => {
    answer = next;
  };
  return { ...world, asked, say, brief, set };
}

const request: ClientRequest = { method: 'GET', target: '/ws?x', headers: [['Cookie', 'a=1']] };

test('PuSu: each topic and right is asked for once, with the credential that was given', async (t) => {
  const { connect, say, brief, asked } = setup();
  const client = connect({ upgrade: true }, request);
  t.deepEqual(await say(client, authorize('word')), [frame({ type: 'hello' }), ok].slice(1));
  t.deepEqual(brief(), []);
  const frames = [subscribe('c d'), publish('c d', '1'), publish('c d', '2')];
  t.deepEqual(await say(client, ...frames), [
    subscribed('c d'),
    frame(publish('c d', '1')),
    frame(publish('c d', '2')),
  ]);
  t.deepEqual(await say(client, subscribe('c d')), [subscribed('c d')]);
  t.deepEqual(brief(), ['word GET /c%20d', 'word POST /c%20d']);
  t.deepEqual(asked[0]?.request, request);
  t.is(asked[0]?.access?.topicAt('/x%2Fy'), 'x/y');
  for (const bad of ['x', '/', '/%', '/%ff', `/${'x'.repeat(257)}`])
    t.is(asked[0]?.access?.topicAt(bad), null, bad);
});

test('PuSu: the target of a topic names that topic and no other', async (t) => {
  const { connect, say, asked } = setup();
  const names = ['a/b', '/a', 'a?b', 'a#b', 'a%2Fb', '..', '*', 'ü', 'a\n', '\u0000', '😀', 'a//'];
  const client = connect();
  for (const name of names) t.deepEqual((await say(client, subscribe(name))).at(-1), subscribed(name));
  for (const { access } of asked) {
    t.regex(access?.target ?? '', /^\/[\x21-\x7e]*$/);
    t.is(access?.topicAt(access.target), access?.topic);
  }
  t.is(new Set(asked.map(({ access }) => access?.target)).size, names.length);
});

test('PuSu: a topic that is forbidden ends the connection, and nothing after it is done', async (t) => {
  const { connect, say, topics } = setup();
  for (const wrong of [subscribe('no'), publish('no', 'x')]) {
    const client = connect();
    t.deepEqual((await say(client, wrong, subscribe('c'))).slice(-1), [denied]);
    t.is(client.ended, '1008 permission_denied');
    t.deepEqual([...topics.all()], []);
  }
});

test('PuSu: without an answer, or with none that can be used, authorization_failed', async (t) => {
  const failed = frame({ type: 'authorization_failed' });
  for (const bad of [
    () => Promise.reject(new Error('down')),
    () => Promise.reject(new FaultyAnswer('HTTP_200')),
  ]) {
    const { connect, say, set } = setup();
    set(bad);
    const client = connect();
    t.deepEqual((await say(client, subscribe('c'))).slice(-1), [failed]);
    t.is(client.ended, '1008 authorization_failed');
  }
});

test('PuSu: a new credential does not ask again for what is open', async (t) => {
  const { connect, say, brief } = setup();
  const client = connect();
  await say(client, authorize('one'), subscribe('c'), authorize('two'), subscribe('c'), subscribe('d'));
  t.deepEqual(brief(), ['one GET /c', 'two GET /d']);
});

test('a topic that is moved is the one that is used, under the name that the client gave it', async (t) => {
  const moved = new Map([
    ['alias', 'real'],
    ['other', 'real'],
  ]);
  const { connect, say, topics, member, publish: put, quiet } = setup(undefined, moved);
  const client = connect();
  t.deepEqual((await say(client, subscribe('alias'), subscribe('other'))).slice(-2), [
    subscribed('alias'),
    subscribed('other'),
  ]);
  t.deepEqual(
    [...topics.all()].map(({ name }) => name),
    ['real'],
  );
  const unsubscribe = (channel: string) => ({ type: 'unsubscribe', channel });
  await say(client, unsubscribe('alias'));
  put(member(), 'real', 'one');
  await quiet();
  t.is(client.got.length, 1);
  t.deepEqual(await say(client, publish('alias', 'two')), [frame(publish('alias', 'two'))]);
  await say(client, unsubscribe('other'));
  t.deepEqual([...topics.all()], []);
});

test('what may be had by another name may not be had by its own', async (t) => {
  const { connect, say } = setup(undefined, new Map([['alias', 'no-entry']]));
  const client = connect();
  t.is((await say(client, subscribe('alias'))).at(-1), subscribed('alias'));
  t.deepEqual(await say(client, subscribe('no-entry')), [denied]);
});

test('an answer that allows another topic allows nothing', async (t) => {
  const { connect, say, set } = setup();
  set(() => ({ permissions: onPatterns(['d'], { read: true, write: true }), subject: null, expires: null }));
  const client = connect();
  t.is((await say(client, subscribe('c'))).at(-1), denied);
});

test('answers do not pile up: the oldest is asked for again', async (t) => {
  const { connect, say, asked } = setup();
  const client = connect();
  await say(client, publish('c0', 'x'));
  for (let i = 1; i <= 512; i++) client.send(publish(`c${i}`, 'x'));
  await say(client, publish('c1', 'x'));
  t.is(asked.length, 513);
  await say(client, publish('c0', 'x'));
  t.is(asked.length, 514);
});

test('pinghub: the request is judged as it came, once, for reading and writing', async (t) => {
  const door = pinghubDoor({ topicLength: 256 });
  const moved = new Map([['a/b', 'c']]);
  const { connect, brief, asked, topics, quiet } = setup(door, moved);
  const target = '/a%2Fb?access_token=word';
  const client = connect({ target, upgrade: true }, { method: 'GET', target, headers: [] });
  await quiet();
  client.send({ any: 'text' });
  await quiet();
  t.deepEqual(brief(), [` GET ${target}`]);
  t.deepEqual(asked[0]?.access?.rights, { read: true, write: true });
  t.deepEqual(
    [...topics.all()].map(({ name }) => name),
    ['c'],
  );
  t.deepEqual(client.got, ['{"any":"text"}']);
  t.is(asked[0]?.access?.topicAt('/x%20y'), 'x y');
  t.is(asked[0]?.access?.topicAt('/%ff'), null);
});

test('over HTTP a request that is forbidden is a 403, with a credential and without one', async (t) => {
  const doors: [Door, string, string][] = [
    [pinghubDoor({ topicLength: 256 }), '/no', ''],
    [wspubsubDoor({ topicLength: 256, subscribersNeedRight: true }), '/ws/sub/no/t', ''],
  ];
  for (const [door, path] of doors)
    for (const target of [path, `${path}?access_token=x`]) {
      const { connect, quiet } = setup(door);
      const client = connect({ target, upgrade: true }, { method: 'GET', target, headers: [] });
      await quiet();
      t.is(client.ended, 'reply 403', target);
    }
});

test('over HTTP no answer is a 503, and one that cannot be used a 500', async (t) => {
  const door = pinghubDoor({ topicLength: 256 });
  for (const [error, reply] of [
    [new Error('down'), 'reply 503'],
    [new FaultyAnswer('HTTP_200'), 'reply 500'],
  ] as const) {
    const { connect, quiet, set, events } = setup(door);
    set(() => Promise.reject(error));
    const client = connect({ target: '/a', upgrade: true }, { method: 'GET', target: '/a', headers: [] });
    await quiet();
    t.is(client.ended, reply);
    t.is(events.length, 1);
  }
});

test('a back end that hangs has its time, and no more', async (t) => {
  const { connect, say, set, advance } = setup();
  set(() => new Promise(() => undefined));
  const client = connect();
  await say(client, subscribe('c'));
  await advance(1999);
  t.is(client.ended, null);
  await advance(1);
  t.is(client.ended, '1008 authorization_failed');
});

/** A POST whose credential is being judged, until `answer` is called. */
async function posted() {
  const world = await connectionWorld();
  const failed: string[] = [];
  let answer: (permissions: Permissions) => void = () => undefined;
  const authenticator = {
    name: 'slow',
    anonymous: none,
    authorise: () =>
      new Promise<Permissions>((resolve) => {
        answer = resolve;
      }),
  };
  const server = processName<AuthenticatorMessage>('slow');
  spawnOk(world.system, authenticatorServer, { authenticator, log: () => undefined }, { name: server.value });
  const transport = new FakeTransport('exchange');
  const pid = spawnOk(world.system, connectionHandler, {
    context: {
      ...world.context,
      attempts: { failed: (address) => failed.push(address), refuses: () => false },
    },
    guard: { anonymous: none, server },
    transport,
    session: postSession('t', 'a credential'),
    format: null,
    address: '192.0.2.1',
  });
  await world.quiet();
  return {
    ...world,
    transport,
    failed,
    body: () => send(pid, { type: 'body', payload: Buffer.from('x') }),
    answer: async (permissions: Permissions) => {
      answer(permissions);
      await world.quiet();
    },
  };
}

test('a body is not read while its credential is judged, and read once it is found good', async (t) => {
  const post = await posted();
  t.deepEqual(post.transport.done, ['pause']);
  await post.answer(everything);
  t.deepEqual(post.transport.done, ['pause', 'resume']);
  post.body();
  await post.quiet();
  t.deepEqual(post.transport.done, ['pause', 'resume', 'reply 200']);
  t.deepEqual(post.failed, []);
});

test('a credential that grants nothing is counted against the address, and its body is not read', async (t) => {
  const post = await posted();
  await post.answer(none);
  t.is(post.transport.done[1], 'reply 401');
  t.deepEqual(post.failed, ['192.0.2.1']);
});
