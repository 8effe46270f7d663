import test from 'ava';
import fc from 'fast-check';
import { everything, none, type Permissions } from '../../src/authenticator/permissions.ts';
import { isAlive, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { suspend } from '../../src/otp/sys.ts';
import { Delivery } from '../../src/topic/message.ts';
import { hashKey } from '../../src/topic/topic-name.ts';
import { isBalanced } from '../support/relay.ts';
import { type ConnectionWorld, connectionWorld, type FakeClient } from './connection-world.ts';
import { guardedWorld } from './guarded-world.ts';

/** Less than the second after which a topic goes on without a member who does not read. */
const CLOSE = 500;
const PARTITIONS = 8;
const FAULT = {
  type: 'farewell',
  end: { type: 'fault', code: 1002, reason: 'protocol error' },
} as const;

interface Held {
  readonly world: ConnectionWorld;
  /** Has published `one` to a topic that waits for a member who is behind. */
  readonly client: FakeClient;
  /** The member reads all. */
  letGo(): Promise<void>;
}

async function held(): Promise<Held> {
  const world = await connectionWorld({ limits: { close: CLOSE } });
  const [client, reader] = [await world.client(), await world.client()];
  for (const member of [client, reader]) member.says('join t');
  await world.quiet();
  reader.socket.room = 0;
  world.accounting.attempt(1);
  send(reader.pid, new Delivery(Buffer.alloc(300 * 1024), 1, world.accounting));
  await world.quiet();
  client.says('publish t one');
  return {
    world,
    client,
    letGo: async () => {
      reader.socket.room = Number.POSITIVE_INFINITY;
      reader.socket.read(300 * 1024);
      await world.quiet();
    },
  };
}

for (const [what, end] of [
  ['a fault', 'close 1002 protocol error'],
  ['a command of its session', 'close 1000 asked'],
] as const)
  test(`${what} closes a connection when its topic has let go what was published before, and nothing later is handled`, async (t) => {
    const { world, client, letGo } = await held();
    if (what === 'a fault') client.tells(FAULT);
    else client.says('close');
    client.says('publish t two');
    await world.advance(CLOSE - 1);
    t.is(client.text(), '<joined t>');
    t.is(client.state().phase, 'finishing');
    await letGo();
    t.is(client.text(), '<joined t>one');
    t.is(client.done.at(-1), end);
    await world.advance(CLOSE);
    t.deepEqual(
      client.done.filter((one) => one.startsWith('close')),
      [end],
    );
    t.true(isBalanced(world.accounting));
  });

test('a close waits for limits.close at the most, and what comes later is dropped and counted', async (t) => {
  const { world, client, letGo } = await held();
  client.tells(FAULT);
  await world.quiet();
  await world.advance(CLOSE);
  t.is(client.done.at(-1), 'close 1002 protocol error');
  await letGo();
  t.is(client.text(), '<joined t>');
  t.is(world.accounting.dropped.closed, 1);
  t.true(isBalanced(world.accounting));
});

test('a fault behind a question that is not answered closes the connection after limits.close', async (t) => {
  const world = await connectionWorld({ limits: { close: CLOSE } });
  const client = await world.client();
  const router = world.system.names.get(`topics.${hashKey('t') % PARTITIONS}.router`);
  if (router === undefined) throw new Error('no router');
  suspend(router);
  client.says('join t');
  client.says('publish t one');
  client.tells(FAULT);
  await world.quiet();
  await world.advance(CLOSE - 1);
  t.deepEqual(client.done, ['accept', 'pause']);
  await world.advance(1);
  t.is(client.done.at(-1), 'close 1002 protocol error');
});

test('a client that goes while its last messages are on their way is logged with what ended it', async (t) => {
  const { world, client, letGo } = await held();
  client.tells(FAULT);
  client.tells({ type: 'closed', code: 1006 });
  await world.quiet();
  await letGo();
  t.like(world.closed[0], { code: 1002, reason: 'protocol error' });
  t.true(isBalanced(world.accounting));
});

const RATE = 5;
const LEFT = { type: 'farewell', end: { type: 'left', code: 1000 } } as const;
const GONE = { type: 'closed', code: 1006 } as const;

/** A client has sent ten messages at a rate of five in a second, and a neighbour listens. */
async function throttled(limits: { publishRate: number; close: number }) {
  const world = await connectionWorld({ limits });
  const [client, neighbour] = [await world.client(), await world.client()];
  neighbour.says('join t');
  await world.quiet();
  neighbour.socket.written.length = 0;
  for (let i = 0; i < 2 * RATE; i++) client.says(`publish t ${i}`);
  /** In steps: each message that is published sets the timer of the next one. */
  const wind = async (milliseconds: number) => {
    for (let passed = 0; passed < milliseconds; passed += 100) await world.advance(100);
  };
  return { world, client, wind, heard: () => neighbour.text().replaceAll('\n', '') };
}

for (const [what, ends, line] of [
  ['its socket', [GONE], { code: 1006, reason: 'connection lost', in: 10 }],
  ['a close frame and its socket', [LEFT, GONE], { code: 1000, reason: 'closed by client', in: 10 }],
] as const)
  test(`what a client sent before it closed ${what} is published at the rate, in its order`, async (t) => {
    const { world, client, wind, heard } = await throttled({ publishRate: RATE, close: CLOSE });
    for (const end of ends) client.tells(end);
    await world.quiet();
    t.is(heard(), '01234');
    await wind(1000);
    t.is(heard(), '0123456789');
    t.like(world.closed[0], line);
    t.false('unpublished' in (world.closed[0] ?? {}));
    t.is(world.context.counters.connections, 1);
    t.is(world.accounting.lost.abandoned, 0);
    t.is(world.accounting.messages, 10);
    t.true(isBalanced(world.accounting));
  });

test('a close is answered after limits.close, and what came before it is published nevertheless', async (t) => {
  const { world, client, wind, heard } = await throttled({ publishRate: RATE, close: CLOSE });
  client.tells(LEFT);
  await world.quiet();
  await wind(CLOSE);
  t.is(client.done.at(-1), 'close 1000 closed by client');
  t.true(heard().length < 10);
  await wind(1000);
  t.is(heard(), '0123456789');
  t.is(world.closed.length, 0);
  client.tells(GONE);
  await world.quiet();
  t.like(world.closed[0], { code: 1000, in: 10 });
  t.is(world.accounting.lost.abandoned, 0);
});

test('what is not published in time after its client has gone is lost, and counted', async (t) => {
  const { world, client, wind, heard } = await throttled({ publishRate: 1, close: CLOSE });
  client.tells(GONE);
  await world.quiet();
  await wind(5000);
  const published = heard().length;
  t.true(published >= 5 && published <= 6, `${published}`);
  const unpublished = 10 - published;
  t.like(world.closed[0], { code: 1006, reason: 'connection lost', in: published, unpublished });
  t.is(world.accounting.lost.abandoned, unpublished);
  t.is(world.accounting.messages, 10);
  t.is(world.context.counters.messages, 10);
  await wind(5000);
  t.is(heard().length, published);
});

for (const [what, end] of [
  ['drains', { type: 'exit', from: null, reason: 'shutdown' }],
  ['is told to disconnect', { type: 'exit', from: null, reason: { shutdown: 'go' } }],
] as const)
  test(`what waits when the relay ${what} is lost, and counted, with what comes later`, async (t) => {
    const { world, client } = await throttled({ publishRate: RATE, close: CLOSE });
    await world.quiet();
    send(client.pid, end);
    client.says('publish t late');
    client.tells(GONE);
    await world.quiet();
    t.like(world.closed[0], { code: 1001, in: 5, unpublished: 6 });
    t.is(world.accounting.lost.abandoned, 6);
    t.is(world.accounting.messages, 11);
  });

test('behind what ends a connection, messages are lost, and counted; what is none is not', async (t) => {
  const world = await connectionWorld();
  const client = await world.client();
  for (const each of ['publish t one', 'close', 'publish t two', 'join t']) client.says(each);
  client.tells(GONE);
  await world.quiet();
  t.like(world.closed[0], { code: 1000, in: 1, unpublished: 1 });
  t.like(world.accounting.lost, { unheard: 1, abandoned: 1 });
});

for (const [what, end] of [
  ['crashes', (client: FakeClient) => send(client.pid, null as never)],
  ['is killed', (client: FakeClient) => exit(client.pid, 'kill')],
] as const)
  test(`what a connection holds that ${what} is lost, and counted, with what waits in its mailbox`, async (t) => {
    const { world, client } = await throttled({ publishRate: RATE, close: CLOSE });
    await world.quiet();
    if (what === 'is killed') client.says('publish t late');
    end(client);
    if (what === 'crashes') client.says('publish t late');
    await world.quiet();
    t.like(world.closed[0], { in: 5, unpublished: 5 });
    t.like(world.accounting.lost, { abandoned: 0, crash: 6 });
    t.is(world.accounting.messages, 11);
    t.is(world.context.counters.messages, 11);
  });

/** A PuSu client whose message is being judged, and who goes. */
async function goneWhileJudged() {
  let answer: (allowed: Permissions) => void = () => undefined;
  const world = guardedWorld({
    name: 'Slow',
    anonymous: none,
    needs: 'topic',
    authorise: (asked) =>
      new Promise((resolve) => {
        answer = (permissions) =>
          resolve({ permissions, subject: null, expires: null, topic: asked.access?.topic ?? '' });
      }),
  });
  const listener = world.member();
  world.join(listener, 'c');
  await world.quiet();
  const client = world.connect();
  for (const content of ['1', '2']) client.send({ type: 'publish', channel: 'c', content });
  await world.quiet();
  send(client.pid, GONE);
  await world.quiet();
  return { world, listener, client, answer: (allowed: Permissions) => answer(allowed) };
}

test('a client that goes while its topic is judged is heard when the topic may be used', async (t) => {
  const { world, listener, answer } = await goneWhileJudged();
  t.deepEqual(listener.heard, []);
  answer(everything);
  await world.quiet();
  t.is(listener.heard.length, 2);
  t.like(world.closed[0], { code: 1006, in: 2 });
  t.is(world.accounting.lost.abandoned, 0);
});

test('it is not heard when the topic may not be used, or nobody says so in time', async (t) => {
  for (const how of ['denied', 'late', 'revoked'] as const) {
    const { world, listener, answer, client } = await goneWhileJudged();
    if (how === 'denied') answer(none);
    else if (how === 'late') await world.advance(5000);
    else send(client.pid, { type: 'reguarded' });
    await world.quiet();
    t.deepEqual(listener.heard, [], how);
    // The one that was denied was not lost.
    const unpublished = how === 'denied' ? 1 : 2;
    t.like(world.closed[0], { code: 1006, in: 0, unpublished }, how);
    t.is(world.accounting.lost.abandoned, unpublished, how);
  }
});

type Happening = (client: FakeClient, wind: (milliseconds: number) => Promise<void>) => unknown;

const happenings: Readonly<Record<string, Happening>> = {
  joins: (client) => client.says('join t'),
  'asks for its close': (client) => client.says('close'),
  'sends a close frame': (client) => client.tells(LEFT),
  goes: (client) => client.tells(GONE),
  'is drained': (client) => send(client.pid, { type: 'exit', from: null, reason: 'shutdown' }),
  'is killed': (client) => exit(client.pid, 'kill'),
  crashes: (client) => send(client.pid, null as never),
  'is let alone': (_, wind) => wind(0),
  waits: (_, wind) => wind(300),
};

test('whatever ends a connection, and when: each message that came is counted once', async (t) => {
  const steps = fc.array(
    fc.oneof({ weight: 2, arbitrary: fc.constant('publishes') }, fc.constantFrom(...Object.keys(happenings))),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(0, RATE), async (each, publishRate) => {
      const world = await connectionWorld({ limits: { publishRate, close: CLOSE } });
      const client = await world.client();
      const wind = async (milliseconds: number) => {
        for (let passed = 0; passed < milliseconds; passed += 100) await world.advance(100);
        await world.quiet();
      };
      let came = 0;
      for (const step of each) {
        if (step !== 'publishes') await happenings[step]?.(client, wind);
        else if (isAlive(client.pid)) {
          client.says(`publish t ${came}`);
          came++;
        }
      }
      client.tells(GONE);
      await wind(7000);
      const { accounting, context, closed } = world;
      t.is(isAlive(client.pid), false);
      t.is(closed.length, 1);
      t.is(accounting.messages, came);
      t.is(context.counters.messages, came);
      t.true(isBalanced(accounting));
    }),
    { numRuns: 60 },
  );
});
