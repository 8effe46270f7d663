import test from 'ava';
import { send } from '../../src/otp/process.ts';
import { suspend } from '../../src/otp/sys.ts';
import { Delivery } from '../../src/topic/message.ts';
import { hashKey } from '../../src/topic/topic-name.ts';
import { isBalanced } from '../support/relay.ts';
import { type ConnectionWorld, connectionWorld, type FakeClient } from './connection-world.ts';

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
