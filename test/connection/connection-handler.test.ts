import test from 'ava';
import { CREDIT_BYTES } from '../../src/connection/intake.ts';
import { isAlive, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { resume, suspend } from '../../src/otp/sys.ts';
import { costOf, Delivery } from '../../src/topic/message.ts';
import { hashKey } from '../../src/topic/topic-name.ts';
import { behind, retire } from '../../src/topic/topic-requests.ts';
import { isBalanced } from '../support/relay.ts';
import { connectionWorld } from './connection-world.ts';

const PARTITIONS = 8;

test('a member gets what is published from its joining to its leaving', async (t) => {
  const world = await connectionWorld();
  const [a, b] = [await world.client(), await world.client()];
  a.says('join t');
  await world.quiet();
  b.says('publish t one');
  await world.quiet();
  a.says('leave t');
  await world.quiet();
  b.says('publish t two');
  await world.quiet();
  t.is(a.text(), '<joined t>one');
  t.is(world.accounting.lost.unheard, 1);
});

test('a join of a topic that one is in is answered at once', async (t) => {
  const world = await connectionWorld();
  const a = await world.client();
  a.says('join t');
  a.says('join t');
  await world.quiet();
  t.is(a.text(), '<joined t><joined t>');
});

for (const [over, topics] of [
  [false, 3],
  [true, 4],
] as const) {
  test(`a connection ${over ? 'cannot be in more topics than its limit' : 'may be in as many topics as its limit'}`, async (t) => {
    const world = await connectionWorld({ limits: { topicsPerConnection: 3 } });
    const a = await world.client();
    for (let i = 1; i <= topics; i++) a.says(`join t${i}`);
    await world.quiet();
    t.is(a.text().includes('too-many'), over);
    t.is(a.state().memberships.size, 3);
  });
}

test('what a client sends while a join is open waits for its answer, unread beyond that', async (t) => {
  const world = await connectionWorld();
  const a = await world.client();
  const router = world.system.names.get(`topics.${hashKey('t') % PARTITIONS}.router`);
  if (router === undefined) throw new Error('no router');
  suspend(router);
  a.says('join t');
  a.says('publish t one');
  await world.quiet();
  t.deepEqual(a.done, ['accept', 'pause']);
  t.is(a.text(), '');
  resume(router);
  await world.quiet();
  t.is(a.text(), '<joined t>one');
  t.deepEqual(a.done, ['accept', 'pause', 'resume']);
});

test('a publisher without credit is not read from, until its topic has fanned out what it sent', async (t) => {
  const world = await connectionWorld({ limits: { messageBeforeAuth: 0 } });
  const [reader, a] = [await world.client(), await world.client()];
  reader.says('join t');
  await world.quiet();
  const topic = world.topic('t');
  behind(topic, reader.pid, true);
  const half = 'x'.repeat(CREDIT_BYTES / 2 - costOf(0));
  a.says(`publish t ${half}`);
  await world.quiet();
  t.deepEqual(a.done, ['accept']);
  a.says(`publish t ${half}`);
  await world.quiet();
  t.deepEqual(a.done, ['accept', 'pause']);
  behind(topic, reader.pid, false);
  await world.quiet();
  t.deepEqual(a.done, ['accept', 'pause', 'resume']);
});

test('a publisher whose messages are lost with a topic that retires gets its credit back', async (t) => {
  const world = await connectionWorld();
  const [reader, a] = [await world.client(), await world.client()];
  reader.says('join t');
  await world.quiet();
  const { server } = world.topic('t');
  if (server === undefined) throw new Error('no server');
  suspend(server);
  a.says(`publish t ${'x'.repeat(CREDIT_BYTES)}`);
  await world.quiet();
  retire(world.topic('t'));
  resume(server);
  await world.quiet();
  t.deepEqual(a.done, ['accept', 'pause', 'resume']);
  t.is(world.accounting.lost.unheard, 1);
});

test('an exchange is answered when its message has been fanned out, and when nobody hears it', async (t) => {
  const world = await connectionWorld();
  const [reader, heard, unheard] = [
    await world.client(),
    await world.client('exchange'),
    await world.client('exchange'),
  ];
  reader.says('join t');
  await world.quiet();
  heard.tells({ type: 'body', payload: Buffer.from('publish t one') });
  unheard.tells({ type: 'body', payload: Buffer.from('publish nowhere one') });
  await world.quiet();
  t.is(heard.text(), '<published t>');
  t.is(unheard.text(), '<published nowhere>');
  t.is(world.context.counters.posts, 2);
});

test('a handler that crashes closes its own client with 1011, and what waited is counted as lost to the crash', async (t) => {
  const world = await connectionWorld();
  const [a, b] = [await world.client(), await world.client()];
  for (const client of [a, b]) client.says('join t');
  await world.quiet();
  a.socket.room = 0;
  for (const text of ['one', 'two']) {
    b.says(`publish t ${text}`);
    await world.quiet();
  }
  a.says('crash');
  b.says('publish t three');
  await world.quiet();
  t.deepEqual(a.done, ['accept', 'close 1011 internal error']);
  t.deepEqual(b.done, ['accept']);
  t.is(b.text(), '<joined t>onetwothree');
  t.is(world.accounting.dropped.crash, 2);
  t.true(isBalanced(world.accounting));
  t.is(world.closed[0]?.reason, 'crash');
  t.is(world.topic('t').members.size, 1);
});

test('a killed handler takes its client along, and all that waited for it is counted', async (t) => {
  const world = await connectionWorld();
  const [a, b] = [await world.client(), await world.client()];
  for (const client of [a, b]) client.says('join t');
  await world.quiet();
  a.socket.room = 0;
  for (const text of ['one', 'two']) {
    b.says(`publish t ${text}`);
    await world.quiet();
  }
  world.accounting.attempt(1);
  send(a.pid, new Delivery(Buffer.from('in the mailbox'), 1, world.accounting));
  exit(a.pid, 'kill');
  await world.quiet();
  t.deepEqual(a.done, ['accept', 'destroy']);
  t.deepEqual(b.done, ['accept']);
  t.is(world.accounting.dropped.crash, 3);
  t.true(isBalanced(world.accounting));
  t.is(world.closed.length, 1);
  t.is(world.closed[0]?.code, 1006);
  t.is(world.closed[0]?.reason, 'killed');
  t.is(world.context.counters.connections, 1);
});

test('deliveries that come with the end of the connection are counted', async (t) => {
  const world = await connectionWorld();
  const a = await world.client();
  world.accounting.attempt(2);
  a.tells({ type: 'closed', code: 1001 });
  send(a.pid, new Delivery(Buffer.from('late'), 2, world.accounting));
  await world.quiet();
  t.false(isAlive(a.pid));
  t.is(world.accounting.dropped.closed, 2);
});

test('a killed supervisor of connections makes its own clients go away, and no others', async (t) => {
  const world = await connectionWorld();
  const clients = [];
  for (let i = 0; i < PARTITIONS; i++) clients.push(await world.client());
  world.kill('connections.0');
  await world.quiet();
  t.deepEqual(clients.map(({ done }) => done.at(-1)).sort(), [
    ...Array(PARTITIONS - 1).fill('accept'),
    'close 1001 going away',
  ]);
  t.true(world.system.names.has('connections.0'));
});

test('members of a topic that is lost for good join it again by themselves and go on', async (t) => {
  const world = await connectionWorld();
  const [a, b] = [await world.client(), await world.client()];
  for (const client of [a, b]) client.says('join t');
  await world.quiet();
  world.kill(`topics.${hashKey('t') % PARTITIONS}.servers`);
  await world.quiet();
  await world.advance(100);
  b.says('publish t on');
  await world.quiet();
  t.is(a.text(), '<joined t>on');
  t.is(world.topic('t').members.size, 2);
  await world.advance(10_000);
  t.deepEqual(a.done, ['accept']);
});

test('crashes beyond the intensity of a partition: members stay, and go on', async (t) => {
  const world = await connectionWorld();
  const [a, b] = [await world.client(), await world.client()];
  for (const client of [a, b]) client.says('join t');
  await world.quiet();
  for (let i = 0; i <= 10; i++) {
    b.says('publish t poison');
    await world.quiet();
  }
  await world.advance(100);
  b.says('publish t on');
  await world.quiet();
  t.is(a.text(), '<joined t>on');
  t.deepEqual(a.done, ['accept']);
  t.is(world.accounting.lost.crash, 11);
});

test('an owner and its subscribers find each other again after their topic was lost', async (t) => {
  const world = await connectionWorld();
  const [owner, sub] = [await world.client(), await world.client('websocket', 'owned')];
  owner.says('claim t');
  await world.quiet();
  sub.says('join t');
  await world.quiet();
  world.kill(`topics.${hashKey('t') % PARTITIONS}.servers`);
  await world.quiet();
  await world.advance(100);
  owner.says('publish t on');
  await world.quiet();
  t.is(sub.text(), '<joined t>on');
  t.is(world.topic('t').lifetime.state, 'owned');
  await world.advance(10_000);
  t.deepEqual(sub.done, ['accept']);
  t.false(sub.text().includes('ended'));
});

test('who leaves a topic while it is lost is in no other one of that name', async (t) => {
  const world = await connectionWorld();
  const [a, b] = [await world.client(), await world.client()];
  for (const client of [a, b]) client.says('join t');
  await world.quiet();
  const router = `topics.${hashKey('t') % PARTITIONS}.router`;
  world.kill(`topics.${hashKey('t') % PARTITIONS}.servers`);
  await world.quiet();
  const pid = world.system.names.get(router);
  if (pid === undefined) throw new Error('no router');
  suspend(pid);
  await world.advance(100);
  a.says('leave t');
  await world.quiet();
  resume(pid);
  await world.quiet();
  await world.advance(1000);
  b.says('publish t on');
  await world.quiet();
  t.is(a.text(), '<joined t>');
  t.is(b.text(), '<joined t>on');
  t.is(world.topic('t').members.size, 1);
});

test('a topic that cannot be had again for 5 seconds ends its members, to come back later', async (t) => {
  const world = await connectionWorld();
  const a = await world.client();
  a.says('join t');
  await world.quiet();
  exit(world.root, 'kill');
  await world.quiet();
  for (let i = 0; i < 49; i++) await world.advance(100);
  t.deepEqual(a.done, ['accept']);
  await world.advance(100);
  t.deepEqual(a.done, ['accept', 'close 1013 topic lost']);
});
