import test from 'ava';
import type { Answer, Authenticator } from '../../src/authenticator/contract.ts';
import { none, onPatterns, readAndWrite, readOnly, writeOnly } from '../../src/authenticator/permissions.ts';
import { wspubsubDoor } from '../../src/door/wspubsub/door.ts';
import { send } from '../../src/otp/process.ts';
import { guardedWorld, type TestClient } from './guarded-world.ts';

/** Answers by credential, and a way to say that they have changed. */
function book(watched = true) {
  const answers = new Map<string, Answer>();
  let tell = () => {};
  const authenticator: Authenticator = {
    name: 'Book',
    anonymous: none,
    authorise: ({ authorization }) => answers.get(authorization) ?? none,
    ...(watched
      ? {
          watch: (changed) => {
            tell = changed;
            return () => undefined;
          },
        }
      : {}),
  };
  return { answers, authenticator, change: () => tell() };
}

const all = (...patterns: string[]) => onPatterns(patterns, readAndWrite);
const until = (expires: number, grace: number, ...patterns: string[]): Answer => ({
  permissions: all(...patterns),
  subject: 'user-1',
  expires,
  grace,
});

const authorize = (authorization: string) => ({ type: 'authorize', authorization });
const subscribe = (channel: string) => ({ type: 'subscribe', channel });
const publish = (channel: string, content: string) => ({ type: 'publish', channel, content });
const frame = (value: object) => JSON.stringify(value);
const ok = frame({ type: 'authorization_ok' });
const subscribed = (channel: string) => frame({ type: 'subscribe_ok', channel });

function setup(watched = false) {
  const own = book(watched);
  const world = guardedWorld(own.authenticator);
  const say = async (client: TestClient, ...frames: object[]) => {
    client.got.length = 0;
    for (const each of frames) client.send(each);
    await world.quiet();
    return [...client.got];
  };
  return { ...own, ...world, say };
}

test('an expired token grants nothing more: no publish, no delivery, and the end after the grace', async (t) => {
  const { answers, connect, say, quiet, advance, publish: put, member, closed } = setup();
  answers.set('token', until(10_000, 5000, 'c'));
  const client = connect();
  t.deepEqual((await say(client, authorize('token'), subscribe('c'))).slice(-2), [ok, subscribed('c')]);
  const publisher = member();
  await advance(9999);
  put(publisher, 'c', 'one');
  await quiet();
  t.is(client.got.length, 3);
  await advance(1);
  put(publisher, 'c', 'two');
  await quiet();
  t.is(client.got.length, 3);
  t.is(client.ended, null);
  await advance(4999);
  t.is(client.ended, null);
  await advance(1);
  t.is(client.ended, '1008 expired');
  send(client.pid, { type: 'closed', code: 1008 });
  await quiet();
  t.is(closed[0]?.subject, 'user-1');
});

test('what it does after the end of its token is refused as if it had none', async (t) => {
  const { answers, connect, say, advance } = setup();
  answers.set('token', until(10_000, 5000, 'c'));
  const client = connect();
  await say(client, authorize('token'));
  await advance(10_000);
  t.deepEqual(await say(client, publish('c', 'x')), [frame({ type: 'permission_denied' })]);
  t.is(client.ended, '1008 permission_denied');
});

test('a token given before the end of the last one: nothing is missed', async (t) => {
  const { answers, connect, say, quiet, advance, publish: put, member } = setup();
  answers.set('first', until(10_000, 0, 'c')).set('second', until(20_000, 0, 'c'));
  const client = connect();
  await say(client, authorize('first'), subscribe('c'));
  await advance(9999);
  await say(client, authorize('second'));
  await advance(5000);
  put(member(), 'c', 'one');
  await quiet();
  t.is(client.got.length, 2);
  t.is(client.ended, null);
  await advance(5000);
  t.is(client.ended, null);
  await advance(1);
  t.is(client.ended, '1008 expired');
});

test('a token given in the grace brings the subscriptions back', async (t) => {
  const { answers, connect, say, quiet, advance, publish: put, member } = setup();
  answers.set('first', until(10_000, 5000, 'c', 'd')).set('second', until(99_000, 0, 'c', 'd'));
  const client = connect();
  await say(client, authorize('first'), subscribe('c'), subscribe('d'));
  await advance(12_000);
  t.deepEqual([...client.state().memberships], []);
  t.deepEqual(await say(client, { type: 'unsubscribe', channel: 'd' }, authorize('second')), [ok]);
  const publisher = member();
  put(publisher, 'c', 'one');
  put(publisher, 'd', 'two');
  await quiet();
  t.is(client.got.length, 2);
  t.is([...client.state().memberships].length, 1);
  await advance(20_000);
  t.is(client.ended, null, 'the grace has been used');
});

test('each token has a grace of its own', async (t) => {
  const { answers, connect, say, advance } = setup();
  answers.set('first', until(10_000, 20_000, 'c')).set('second', until(29_000, 20_000, 'c'));
  const client = connect();
  await say(client, authorize('first'), subscribe('c'));
  await advance(12_000);
  await say(client, authorize('second'));
  await advance(17_000);
  await advance(19_999);
  t.is(client.ended, null);
  await advance(1);
  t.is(client.ended, '1008 expired');
});

test('a token that gives back less than the last one is not enough', async (t) => {
  const { answers, connect, say, advance } = setup();
  answers.set('first', until(10_000, 5000, 'c', 'd')).set('second', until(99_000, 0, 'c'));
  const client = connect();
  await say(client, authorize('first'), subscribe('c'), subscribe('d'));
  await advance(12_000);
  await say(client, authorize('second'));
  t.is([...client.state().memberships].length, 1);
  await advance(3000);
  t.is(client.ended, '1008 expired');
});

test('a token that holds for years holds, though no timer does', async (t) => {
  const { answers, connect, say, advance } = setup();
  const years = 100 * 365 * 86_400_000;
  answers.set('token', until(years, 0, 'c'));
  const client = connect();
  await say(client, authorize('token'), subscribe('c'));
  await advance(2 ** 31);
  t.is(client.ended, null);
  await advance(years - 2 ** 31 - 1);
  t.is(client.ended, null);
  await advance(1);
  t.is(client.ended, '1008 expired');
});

test('a revoked credential closes those who use it, and says why; others stay', async (t) => {
  const { answers, connect, say, quiet, change } = setup(true);
  answers.set('a', all('c')).set('b', all('c'));
  const [one, other, idle] = [connect(), connect(), connect()];
  await say(one, authorize('a'), subscribe('c'));
  await say(idle, authorize('a'));
  await say(other, authorize('b'), subscribe('c'));
  answers.delete('a');
  change();
  await quiet();
  t.deepEqual([one.ended, idle.ended, other.ended], ['1008 revoked', '1008 revoked', null]);
});

test('a credential that grants less closes those who use what it has lost, and binds the others', async (t) => {
  const { answers, connect, say, quiet, change } = setup(true);
  answers.set('a', all('c', 'd'));
  const [reader, writer] = [connect(), connect()];
  await say(reader, authorize('a'), subscribe('c'));
  await say(writer, authorize('a'), subscribe('d'));
  answers.set('a', onPatterns(['d'], readOnly));
  change();
  await quiet();
  t.is(reader.ended, '1008 revoked');
  t.is(writer.ended, null);
  t.deepEqual(await say(writer, publish('d', 'x')), [frame({ type: 'permission_denied' })]);
});

test('a credential that grants more opens more', async (t) => {
  const { answers, connect, say, quiet, change } = setup(true);
  answers.set('a', all('c'));
  const client = connect();
  await say(client, authorize('a'));
  answers.set('a', all('c', 'd'));
  change();
  await quiet();
  t.deepEqual(await say(client, subscribe('d')), [subscribed('d')]);
});

test('of two credentials one is revoked, and the other one still counts', async (t) => {
  const { answers, connect, say, quiet, change } = setup(true);
  answers.set('a', all('c')).set('b', all('c', 'd'));
  const client = connect();
  await say(client, authorize('a'), authorize('b'), subscribe('c'));
  answers.delete('a');
  change();
  await quiet();
  t.is(client.ended, null);
  answers.delete('b');
  change();
  await quiet();
  t.is(client.ended, '1008 revoked');
});

test('the owner of a topic whose key is revoked is closed, and its key is in no state', async (t) => {
  const own = book();
  own.answers.set('key', onPatterns(['d/*'], writeOnly));
  const door = wspubsubDoor({ topicLength: 256, subscribersNeedRight: false });
  const { connect, quiet } = guardedWorld(own.authenticator, door);
  const owner = connect({ target: '/ws/pub/key/d/t', upgrade: true });
  await quiet();
  t.is(owner.ended, null);
  t.is(owner.state().memberships.owned?.name, 'd/t');
  own.answers.delete('key');
  own.change();
  await quiet();
  t.is(owner.ended, '1008 revoked');
});

test('only a connection that was granted something keeps an account of it', async (t) => {
  const { answers, connect, say } = setup();
  answers.set('for good', all('c'));
  answers.set('token', until(10_000, 0, 'd'));
  const client = connect();
  t.is(client.state().rights, undefined);
  t.deepEqual(await say(client, authorize('for good'), subscribe('c')), [ok, subscribed('c')]);
  t.is(client.state().rights?.held, 1);
  t.deepEqual(await say(client, authorize('token'), subscribe('d')), [ok, subscribed('d')]);
  t.is(client.state().rights?.held, 2);
  t.deepEqual(await say(client, publish('c', 'still')), [frame(publish('c', 'still'))]);
});
