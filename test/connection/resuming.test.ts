import test from 'ava';
import type { AuthenticatorMessage } from '../../src/authenticator/authenticator-server.ts';
import { onPatterns, type Permissions, readAndWrite } from '../../src/authenticator/permissions.ts';
import type { Limits } from '../../src/config/config.ts';
import type { ConnectionMessage } from '../../src/connection/connection.ts';
import { connectionHandler } from '../../src/connection/connection-handler.ts';
import type { Guard } from '../../src/connection/door-context.ts';
import { fanfareFormat } from '../../src/door/fanfare/format.ts';
import { fanfareSession } from '../../src/door/fanfare/session.ts';
import { type Pid, send } from '../../src/otp/process.ts';
import { processName } from '../../src/otp/registry.ts';
import { exit } from '../../src/otp/signal.ts';
import { suspend } from '../../src/otp/sys.ts';
import { Accounting } from '../../src/topic/accounting.ts';
import { Delivery, type Publish } from '../../src/topic/message.ts';
import type { Claim, Join, Joined } from '../../src/topic/topic.ts';
import { Topic } from '../../src/topic/topic.ts';
import { parseFrames } from '../door/parse-frames.ts';
import { script, scripted, spawnOk, testSystem } from '../support/otp.ts';
import { doorContext, FakeTransport } from './connection-world.ts';

/** What a connection says to its client and to its topics when the topics bring their past. The topics are scripted. */

const all = onPatterns(['*'], readAndWrite);
const at = (offset: number) => ({ epoch: '1abcdef', offset });
const limits = {
  message: 65536,
  messageBeforeAuth: 4096,
  topicLength: 256,
  topicsPerConnection: 128,
  pending: 1_048_576,
  writeStall: 0,
  authorise: 0,
  close: 1000,
  publishRate: 0,
} as Limits;

function world(anonymous: Permissions = all) {
  const { system, quiet, advance } = testSystem();
  const accounting = new Accounting();
  const name = processName<AuthenticatorMessage>('authenticator');
  const asked = script();
  spawnOk(system, scripted(asked), null, { name: name.value });
  const guard = { anonymous, server: name } satisfies Guard;
  const requests: (Join | Claim)[] = [];
  const published: Publish[] = [];
  let publishing: 'taken' | 'not taken' = 'taken';
  const live = new Map<string, Topic>();
  const context = doorContext(guard, {
    topics: {
      accounting,
      find: (_realm, topic) => live.get(topic),
      route: (_system, _realm, request) => requests.push(request) > 0,
      publish: (_system, _realm, _name, _topic, publish) => {
        if (publishing === 'taken') published.push(publish);
        return publishing === 'taken';
      },
      isStartedByMessages: (topicName) => topicName === 'kept',
    },
    limits,
  });
  const transport = new FakeTransport('websocket');
  const greeting = { relay: 'r', ping: 25, limits: { message: 65536, topicLength: 256, topics: 128 } };
  const pid: Pid<ConnectionMessage> = spawnOk(system, connectionHandler, {
    context,
    guard,
    transport,
    session: fanfareSession(greeting),
    format: fanfareFormat,
    address: 'test',
  });
  const { fake } = transport;
  let read = 0;
  return {
    system,
    quiet,
    advance,
    accounting,
    guard,
    asked,
    requests,
    published,
    context,
    pid,
    socket: fake,
    done: transport.done,
    takeNothing: () => {
      publishing = 'not taken';
    },
    /** Frames that have been written since the last time. */
    async heard(): Promise<unknown[]> {
      await quiet();
      const bytes = fake.written.slice(read);
      read = fake.written.length;
      return parseFrames(Buffer.concat(bytes)).map(
        ({ payload }) => JSON.parse(payload.toString()) as unknown,
      );
    },
    say: (...frames: readonly object[]) => {
      for (const frame of frames) send(pid, { type: 'text', payload: Buffer.from(JSON.stringify(frame)) });
    },
    /** A topic, and what its server is told. */
    topic(topicName = 'c') {
      const told = script();
      const topic = new Topic('main', topicName);
      topic.serve(spawnOk(system, scripted(told), null) as Pid<never>);
      live.set(topicName, topic);
      return { topic, told: () => told.got.map((message) => (message as { readonly type: string }).type) };
    },
    /** Messages that were attempted. `size`: bytes of each. */
    delivery(from: number, to = from, size = 1): Delivery {
      const parts = [];
      for (let offset = from; offset <= to; offset++)
        parts.push(
          fanfareFormat.render({ kind: 'text', payload: Buffer.alloc(size, 'x') }, 'c', at(offset)) as {
            opcode: 1;
            payload: Buffer;
          },
        );
      accounting.attempt(parts.length);
      return new Delivery(fanfareFormat.assemble(parts), parts.length, accounting);
    },
  };
}

const subscribe = (channel: string, since?: string) => ({ type: 'subscribe', channel, since });
const content = (offset: number) => ({
  type: 'publish',
  channel: 'c',
  content: 'x',
  at: `1abcdef:${offset}`,
});
const resumed = (from: number, to: number): Pick<Joined, 'resumption'> => ({
  resumption: { from: at(from), at: at(to), recovered: true },
});

test('the answer comes first, then what was missed, then what is new', async (t) => {
  const { heard, say, topic, requests, pid, delivery, accounting } = world();
  await heard();
  say(subscribe('c', '1abcdef:4'), { type: 'ping' });
  await heard();
  t.deepEqual(requests[0]?.type === 'join' && requests[0].since, at(4));
  const { topic: c } = topic();
  send(pid, { type: 'joined', topic: c, ...resumed(4, 6), deliveries: [delivery(5), delivery(6)] });
  send(pid, delivery(7));
  t.deepEqual(await heard(), [
    { type: 'subscribe_ok', channel: 'c', at: '1abcdef:4', until: '1abcdef:6', recovered: true },
    content(5),
    content(6),
    { type: 'pong' },
    content(7),
  ]);
  t.like(accounting, { attempts: 3, delivered: 3, droppedInAll: 0 });
});

test('nothing of the past arrives where the right has gone while the join was under way', async (t) => {
  const { heard, say, topic, guard, pid, delivery, accounting } = world();
  await heard();
  say(subscribe('c', 'all'));
  await heard();
  guard.anonymous = onPatterns(['d'], readAndWrite);
  send(pid, { type: 'reguarded' });
  const { topic: c, told } = topic();
  send(pid, { type: 'joined', topic: c, ...resumed(0, 2), deliveries: [delivery(1, 2)] });
  t.deepEqual(await heard(), [{ type: 'subscribe_error', channel: 'c', why: 'permission_denied' }]);
  t.deepEqual(told(), ['leave']);
  t.like(accounting, { attempts: 2, delivered: 0, dropped: { closed: 2 } });
});

test('the past that a handler leaves in its mailbox is counted as lost, in an answer and in a portion', async (t) => {
  for (const [reason, dropped] of [
    ['kill', 'crash'],
    ['shutdown', 'closed'],
  ] as const) {
    const { system, heard, say, topic, pid, delivery, accounting, quiet } = world();
    await heard();
    say(subscribe('c', 'all'));
    await heard();
    const { topic: c } = topic();
    if (reason === 'kill') suspend(pid);
    else exit(pid, reason);
    const portion = { type: 'portion', topic: c, deliveries: [delivery(3)] } as const;
    if (reason === 'kill') {
      send(pid, { type: 'joined', topic: c, ...resumed(0, 2), deliveries: [delivery(1, 2)], more: true });
      send(pid, portion);
      exit(pid, reason);
    } else {
      send(pid, { type: 'closed', code: 1006 });
      send(pid, portion);
    }
    await quiet();
    t.false(system.processes.has(pid.id));
    t.is(accounting.dropped[dropped], accounting.attempts);
  }
});

test('a position on a topic without positions is answered: nobody knows what is missing', async (t) => {
  const { heard, say, topic, pid } = world();
  await heard();
  say(subscribe('c', '1abcdef:4'));
  await heard();
  send(pid, { type: 'joined', topic: topic().topic });
  t.deepEqual(await heard(), [
    { type: 'subscribe_ok', channel: 'c', recovered: false, missed: null, why: 'unknown_epoch' },
  ]);
  say(subscribe('c', '1abcdef:4'));
  t.deepEqual(await heard(), [{ type: 'subscribe_ok', channel: 'c' }], 'it is in already');
});

test('portions are asked for one at a time, and only when nothing waits for the client', async (t) => {
  const { heard, say, topic, pid, delivery, socket, quiet } = world();
  await heard();
  socket.room = 100;
  say(subscribe('c', 'all'), subscribe('d', 'all'));
  await quiet();
  const c = topic('c');
  const d = topic('d');
  send(pid, {
    type: 'joined',
    topic: c.topic,
    ...resumed(0, 1),
    deliveries: [delivery(1, 1, 500)],
    more: true,
  });
  await quiet();
  t.deepEqual(c.told(), [], 'the first one has not been taken');
  socket.read(socket.writableLength);
  await quiet();
  t.deepEqual(c.told(), ['portion']);
  send(pid, { type: 'joined', topic: d.topic, ...resumed(0, 1), deliveries: [], more: true });
  await quiet();
  t.deepEqual([c.told(), d.told()], [['portion'], []], 'one at a time');
  send(pid, { type: 'portion', topic: c.topic, deliveries: [delivery(2, 2, 500)], more: true });
  await quiet();
  t.deepEqual([c.told(), d.told()], [['portion'], []]);
  while (socket.writableLength > 0) {
    socket.read(socket.writableLength);
    await quiet();
  }
  t.deepEqual(c.told().length + d.told().length, 2);
  socket.room = Number.POSITIVE_INFINITY;
  send(pid, { type: 'portion', topic: c.topic, deliveries: [delivery(3)] });
  await quiet();
  t.deepEqual([c.told(), d.told()], [['portion', 'portion'], ['portion']]);
  send(pid, { type: 'portion', topic: d.topic, deliveries: [delivery(2)] });
  await quiet();
  send(pid, delivery(4));
  await quiet();
  t.deepEqual([c.told(), d.told()], [['portion', 'portion'], ['portion']], 'nobody has more');
});

test('while the past of a topic is being written, the client does not join the next one', async (t) => {
  const { heard, say, topic, pid, delivery, socket, requests, quiet } = world();
  await heard();
  socket.room = 100;
  say(subscribe('c', 'all'), subscribe('d', 'all'));
  await quiet();
  send(pid, { type: 'joined', topic: topic().topic, ...resumed(0, 1), deliveries: [delivery(1, 1, 500)] });
  await quiet();
  t.deepEqual(
    requests.map(({ name }) => name),
    ['c'],
  );
  socket.read(socket.writableLength);
  await quiet();
  t.deepEqual(
    requests.map(({ name }) => name),
    ['c', 'd'],
  );
});

test('who leaves between two portions gets no more of them', async (t) => {
  const { heard, say, topic, pid, delivery, accounting } = world();
  await heard();
  say(subscribe('c', 'all'));
  await heard();
  const c = topic();
  send(pid, { type: 'joined', topic: c.topic, ...resumed(0, 1), deliveries: [delivery(1)], more: true });
  say({ type: 'unsubscribe', channel: 'c' });
  send(pid, { type: 'portion', topic: c.topic, deliveries: [delivery(2)], more: true });
  send(pid, { type: 'left', name: 'c' });
  t.deepEqual((await heard()).slice(2), [{ type: 'unsubscribe_ok', channel: 'c' }]);
  t.deepEqual(
    c.told().filter((type) => type !== 'portion'),
    ['leave'],
  );
  t.like(accounting, { attempts: 2, delivered: 1, dropped: { closed: 1 } });
});

test('who leaves hears so once the topic has let go, behind the last message, and what it has sent next waits for that', async (t) => {
  const { heard, say, topic, pid, delivery, requests, accounting } = world();
  await heard();
  say(subscribe('c', 'now'));
  await heard();
  const c = topic();
  send(pid, { type: 'joined', topic: c.topic, ...resumed(0, 0) });
  await heard();
  say({ type: 'unsubscribe', channel: 'c' }, subscribe('c', '1abcdef:1'), { type: 'ping' });
  send(pid, delivery(1));
  t.deepEqual(await heard(), [content(1)]);
  t.is(requests.length, 1);
  send(pid, { type: 'left', name: 'other' });
  send(pid, delivery(2));
  send(pid, { type: 'left', name: 'c' });
  t.deepEqual(await heard(), [content(2), { type: 'unsubscribe_ok', channel: 'c' }]);
  t.is(requests.length, 2);
  send(pid, { type: 'joined', topic: c.topic, ...resumed(1, 2), deliveries: [delivery(2)] });
  t.deepEqual((await heard()).slice(1), [content(2), { type: 'pong' }]);
  t.like(accounting, { attempts: 3, delivered: 3, droppedInAll: 0 });
});

test('who leaves what it is not in, or what has nobody to say so any more, hears so at once', async (t) => {
  const { heard, say, pid } = world();
  await heard();
  say({ type: 'unsubscribe', channel: 'c' });
  t.deepEqual(await heard(), [{ type: 'unsubscribe_ok', channel: 'c' }]);
  say(subscribe('c', 'now'));
  await heard();
  send(pid, { type: 'joined', topic: new Topic('main', 'c'), ...resumed(0, 0) });
  say({ type: 'unsubscribe', channel: 'c' });
  t.deepEqual((await heard()).slice(1), [{ type: 'unsubscribe_ok', channel: 'c' }]);
});

test('a member that its topic leaves behind while it takes the past is closed as slow', async (t) => {
  const { heard, say, topic, pid, done } = world();
  await heard();
  say(subscribe('c', 'all'));
  await heard();
  const c = topic();
  send(pid, { type: 'joined', topic: c.topic, ...resumed(0, 1), deliveries: [], more: true });
  send(pid, { type: 'too-slow', topic: c.topic });
  await heard();
  t.is(done.at(-1), 'close 1013 slow');
});

test('who has lost a topic joins it again since where it stood, and hears what it has missed', async (t) => {
  const { heard, say, topic, pid, delivery, requests } = world();
  await heard();
  say(subscribe('c'));
  await heard();
  const before = topic().topic;
  send(pid, { type: 'joined', topic: before, resumption: { from: at(1), at: at(1) } });
  send(pid, { type: 'lost', topic: before, at: at(3) });
  await heard();
  t.like(requests[1], { type: 'join', name: 'c', since: at(3), again: { grace: 1000 } });
  const next = topic().topic;
  send(pid, { type: 'joined', topic: next, ...resumed(3, 5), deliveries: [delivery(4, 5)] });
  t.deepEqual(await heard(), [content(4), content(5)], 'and no word of it');
  send(pid, { type: 'lost', topic: next, at: at(5) });
  const third = topic().topic;
  await heard();
  const gone = { from: at(7), at: at(8), recovered: false, missed: 2, why: 'too_old' } as const;
  send(pid, { type: 'joined', topic: third, resumption: gone, deliveries: [delivery(8)] });
  t.deepEqual(await heard(), [
    { type: 'gap', channel: 'c', from: '1abcdef:5', to: '1abcdef:7', missed: 2, why: 'too_old' },
    content(8),
  ]);
});

test('a topic without positions is joined again without any', async (t) => {
  const { heard, say, topic, pid, requests } = world();
  await heard();
  say(subscribe('c'));
  await heard();
  const before = topic().topic;
  send(pid, { type: 'joined', topic: before });
  send(pid, { type: 'lost', topic: before, at: null });
  await heard();
  t.false('since' in (requests[1] ?? {}));
  send(pid, { type: 'joined', topic: topic().topic });
  t.deepEqual(await heard(), []);
});

test('the answer to a join that was made after a loss is not taken for that to a new question', async (t) => {
  const { heard, say, topic, pid, requests, delivery, accounting } = world();
  await heard();
  say(subscribe('c', '1abcdef:1'));
  await heard();
  const before = topic().topic;
  send(pid, { type: 'joined', topic: before, ...resumed(1, 1) });
  before.retire();
  send(pid, { type: 'lost', topic: before, at: at(5) });
  say({ type: 'unsubscribe', channel: 'c' }, subscribe('c', '1abcdef:2'));
  await heard();
  t.is(requests.length, 3);
  const { topic: next, told } = topic();
  send(pid, { type: 'joined', topic: next, again: true, ...resumed(5, 6), deliveries: [delivery(6)] });
  t.deepEqual(await heard(), []);
  send(pid, { type: 'refused', action: 'join', name: 'c', why: 'unavailable', again: true });
  t.deepEqual(await heard(), []);
  t.is(accounting.dropped.closed, 1);
  send(pid, { type: 'joined', topic: next, ...resumed(2, 6), deliveries: [delivery(3, 6)] });
  t.deepEqual(await heard(), [
    { type: 'subscribe_ok', channel: 'c', at: '1abcdef:2', until: '1abcdef:6', recovered: true },
    ...[3, 4, 5, 6].map(content),
  ]);
  t.deepEqual(told(), []);
});

test('a right that comes back brings the topic from now on, and a word of what is missing', async (t) => {
  const { heard, say, topic, pid, requests, advance } = world(onPatterns(['d'], readAndWrite));
  await heard();
  const grant = async (ref: number) => {
    say({ type: 'authorize', authorization: 'token' });
    await heard();
    const terms = { subject: 'u', lasts: 10_000, grace: 60_000, topic: null };
    send(pid, { type: 'authorised', ref, permissions: onPatterns(['c'], readAndWrite), terms });
    return (await heard()).at(0);
  };
  t.deepEqual(await grant(1), { type: 'authorization_ok', expires_in: 10, subject: 'u' });
  say(subscribe('c'));
  await heard();
  const first = topic();
  send(pid, { type: 'joined', topic: first.topic, resumption: { from: at(1), at: at(1) } });
  await heard();
  await advance(10_001);
  t.deepEqual(first.told(), ['leave']);
  await grant(2);
  t.like(requests[1], { type: 'join', name: 'c', since: 'now' });
  const second = topic();
  send(pid, { type: 'joined', topic: second.topic, resumption: { from: at(9), at: at(9) } });
  t.deepEqual(await heard(), [
    { type: 'gap', channel: 'c', from: null, to: '1abcdef:9', missed: null, why: 'expired' },
  ]);
  send(pid, { type: 'lost', topic: second.topic, at: at(9) });
  await heard();
  t.like(requests.at(-1), { type: 'join', since: at(9) }, 'from here on nothing is to be missed');
});

test('a message with an id is answered when it has been fanned out, or refused', async (t) => {
  const { heard, say, pid, published, topic, takeNothing } = world();
  await heard();
  say(
    { type: 'publish', channel: 'c', content: 1, id: 'a', key: 'k' },
    { type: 'publish', channel: 'c', content: 2 },
  );
  t.deepEqual(await heard(), []);
  t.like(published[0], { receipt: '"a"', key: 'k' });
  t.false('receipt' in (published[1] ?? {}) || 'key' in (published[1] ?? {}));
  send(pid, { type: 'published', name: 'c', receipt: '"a"', at: at(5) });
  send(pid, { type: 'published', name: 'c', receipt: '7', at: null });
  send(pid, { type: 'refused', action: 'publish', name: 'c', why: 'owned', receipt: '8' });
  t.deepEqual(await heard(), [
    { type: 'publish_ok', id: 'a', at: '1abcdef:5' },
    { type: 'publish_ok', id: 7 },
    { type: 'publish_error', id: 8, channel: 'c', why: 'owned' },
  ]);
  takeNothing();
  say({ type: 'publish', channel: 'unheard', content: 1, id: 9 });
  t.deepEqual(await heard(), [{ type: 'publish_ok', id: 9 }], 'nobody is in it');
  say({ type: 'publish', channel: 'kept', content: 1, id: 9 });
  t.deepEqual(
    await heard(),
    [{ type: 'publish_error', id: 9, channel: 'kept', why: 'unavailable' }],
    'it would have been kept',
  );
  topic('full');
  say(
    { type: 'publish', channel: 'full', content: 1, id: 10 },
    { type: 'publish', channel: 'full', content: 1 },
  );
  t.deepEqual(await heard(), [{ type: 'publish_error', id: 10, channel: 'full', why: 'unavailable' }]);
});

test('what could not be judged names its channel', async (t) => {
  const { heard, say, pid, guard, asked } = world();
  guard.anonymous = onPatterns(['d'], readAndWrite);
  await heard();
  say({ type: 'authorize', authorization: 'x' });
  await heard();
  t.is(asked.got.length, 1);
  send(pid, { type: 'unavailable', ref: 1 });
  t.deepEqual(await heard(), [{ type: 'authorization_failed', why: 'unavailable' }]);
});

test('a client is told goodbye before it is sent away, with more time the more there are', async (t) => {
  for (const [others, within] of [
    [0, 1],
    [999, 1],
    [1000, 2],
    [1_000_000, 30],
  ] as const) {
    const { heard, pid, context, done } = world();
    await heard();
    context.counters.connections += others;
    exit(pid, others === 0 ? { shutdown: 'moved' } : 'shutdown');
    t.deepEqual(await heard(), [{ type: 'goodbye', within }]);
    t.is(done.at(-1), `close 1001 ${others === 0 ? 'moved' : 'going away'}`);
  }
});
