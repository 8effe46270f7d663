import test from 'ava';
import { isAlive, type Pid, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { resume, suspend, trace } from '../../src/otp/sys.ts';
import type { Format } from '../../src/topic/message.ts';
import type { Left } from '../../src/topic/topic.ts';
import { hashKey } from '../../src/topic/topic-name.ts';
import { behind, forward, leave } from '../../src/topic/topic-requests.ts';
import { spawnScripted } from '../support/otp.ts';
import { isBalanced } from '../support/relay.ts';
import { formatOf, numbered, plain, type TestMember, type TopicsWorld, topicsWorld } from './topics-world.ts';

function serverOf(world: TopicsWorld, name: string) {
  const { server } = world.topic(name);
  if (server === undefined) throw new Error('no server');
  return server;
}

test('a poisonous message is lost alone: those before and after it in its turn arrive, in order', async (t) => {
  const world = topicsWorld();
  const { member, join, publish, quiet, accounting, crashes } = world;
  const [a, b] = [member(), member()];
  join(a, 't');
  join(b, 't');
  await quiet();
  const first = serverOf(world, 't');
  for (const text of ['one', 'two', 'poison', 'three', 'four']) publish(a, 't', text, 1);
  await quiet();
  t.deepEqual(a.heard, ['one', 'two', 'three', 'four']);
  t.deepEqual(b.heard, a.heard);
  t.is(a.credit, 5);
  t.is(accounting.messages, 5);
  t.is(accounting.lost.crash, 1);
  t.is(accounting.attempts, 8);
  t.true(isBalanced(accounting));
  t.is(crashes().length, 1);
  t.not(serverOf(world, 't'), first);
});

test('a server that crashes with 200,000 messages behind it is followed by one that has them all', async (t) => {
  const { member, join, publish, quiet, accounting, topic, crashes } = topicsWorld();
  const a = member();
  join(a, 't');
  await quiet();
  const { server } = topic('t');
  if (server === undefined) throw new Error('no server');
  publish(a, 't', 'one');
  send(server, { type: 'join' } as never);
  for (let i = 0; i < 200_000; i++) publish(a, 't', 'm');
  await quiet();
  t.is(crashes().length, 1);
  t.is(a.heard.length, 200_001);
  t.is(accounting.messages, 200_001);
  t.true(isBalanced(accounting));
});

test('a poisonous message that is the last of its turn does not hold back those before it', async (t) => {
  const { member, join, publish, quiet } = topicsWorld();
  const a = member();
  join(a, 't');
  await quiet();
  publish(a, 't', 'one');
  publish(a, 't', 'poison');
  await quiet();
  t.deepEqual(a.heard, ['one']);
});

test('a message that one format cannot survive is delivered to no other format either', async (t) => {
  const { member, join, publish, quiet, accounting } = topicsWorld();
  const [a, b] = [member(), member()];
  const robust: Format = { ...plain, render: ({ payload }) => ({ opcode: 1, payload }) };
  join(a, 't', { format: robust });
  join(b, 't');
  await quiet();
  for (const text of ['undeliverable', 'poison', 'two']) publish(a, 't', text);
  await quiet();
  t.deepEqual(a.heard, ['undeliverable', 'two']);
  t.deepEqual(b.heard, ['two']);
  t.is(accounting.lost.crash, 1);
  t.is(accounting.dropped.undeliverable, 1);
  t.is(accounting.attempts, 4);
  t.true(isBalanced(accounting));
});

test('a crash while a delivery is put together loses it for that format, counted, and for no other', async (t) => {
  const { member, join, publish, quiet, accounting } = topicsWorld();
  const [a, b] = [member(), member()];
  let faults = 1;
  const brittle: Format = {
    ...formatOf('brittle'),
    assemble(parts) {
      if (faults-- > 0) throw new Error('no bytes');
      return plain.assemble(parts);
    },
  };
  join(a, 't');
  join(b, 't', { format: brittle });
  await quiet();
  publish(a, 't', 'one', 1);
  publish(a, 't', 'two', 1);
  await quiet();
  publish(a, 't', 'three', 1);
  await quiet();
  t.deepEqual(a.heard, ['one', 'two', 'three']);
  t.deepEqual(b.heard, ['three']);
  t.is(accounting.dropped.crash, 2);
  t.is(accounting.messages, 3);
  t.is(a.credit, 3);
  t.true(isBalanced(accounting));
});

test('a poisonous message that is flushed by a join does not take the join with it', async (t) => {
  const world = topicsWorld();
  const { member, join, publish, quiet } = world;
  const [a, b] = [member(), member()];
  join(a, 't');
  await quiet();
  publish(a, 't', 'poison');
  forward(world.topic('t'), { type: 'join', name: 't', member: b.pid, format: plain, while: 'wanted' });
  publish(a, 't', 'one');
  await quiet();
  t.deepEqual(b.told, ['joined t']);
  t.deepEqual(b.heard, ['one']);
  t.deepEqual(a.heard, ['one']);
});

test('nor the join of a format that has another one for topics of which nothing is kept', async (t) => {
  const world = topicsWorld();
  const { member, join, publish, quiet } = world;
  const [a, b] = [member(), member()];
  join(a, 't');
  await quiet();
  publish(a, 't', 'poison');
  const format = { ...formatOf('for kept topics'), unkept: plain };
  forward(world.topic('t'), { type: 'join', name: 't', member: b.pid, format, while: 'wanted' });
  await quiet();
  t.deepEqual(b.told, ['joined t']);
});

test('who leaves is told so once, behind its last message, and also where the server crashes on it or ends', async (t) => {
  const world = topicsWorld();
  const { member, join, publish, quiet, topic, system } = world;
  const [a, b, c] = [member(), member(), member()];
  for (const one of [a, b, c]) join(one, 't');
  await quiet();
  const leaves = (one: TestMember) => {
    const { pid, log } = spawnScripted(system);
    leave(topic('t'), one.pid, pid as Pid<Left>);
    return log.got;
  };
  publish(c, 't', 'one');
  const first = leaves(a);
  publish(c, 't', 'two');
  await quiet();
  t.deepEqual([first, a.heard], [[{ type: 'left', name: 't' }], ['one']]);
  publish(c, 't', 'poison');
  const second = leaves(b);
  publish(c, 't', 'three');
  await quiet();
  t.deepEqual(second, [{ type: 'left', name: 't' }]);
  t.deepEqual(b.heard, ['one', 'two']);
  t.deepEqual(c.heard, ['one', 'two', 'three']);
  suspend(serverOf(world, 't'));
  const third = leaves(c);
  exit(world.root, 'shutdown');
  await quiet();
  t.deepEqual(third, [{ type: 'left', name: 't' }]);
});

test('a poisonous message that is flushed by a leave does not keep the member in', async (t) => {
  const world = topicsWorld();
  const { member, join, leave, publish, quiet } = world;
  const [a, b] = [member(), member()];
  join(a, 't');
  join(b, 't');
  await quiet();
  publish(a, 't', 'poison');
  leave(b, 't');
  publish(a, 't', 'one');
  await quiet();
  t.deepEqual(a.heard, ['one']);
  t.deepEqual(b.heard, []);
  t.false(world.topic('t').members.has(b.pid));
});

test('a message object that is no message takes nobody with it, and the queue goes on', async (t) => {
  const world = topicsWorld();
  const { member, join, publish, quiet, accounting } = world;
  const a = member();
  join(a, 't');
  await quiet();
  publish(a, 't', 'one');
  send(serverOf(world, 't'), null as never);
  publish(a, 't', 'two');
  await quiet();
  t.deepEqual(a.heard, ['one', 'two']);
  t.true(isBalanced(accounting));
});

test('a killed server is followed by one with its members, its messages and who is behind', async (t) => {
  const world = topicsWorld();
  const { member, join, publish, quiet, kill, accounting } = world;
  const [a, b] = [member(), member()];
  join(a, 't');
  join(b, 't');
  await quiet();
  const old = serverOf(world, 't');
  behind(world.topic('t'), b.pid, true);
  publish(a, 't', 'one', 1);
  await quiet();
  publish(a, 't', 'two', 1);
  kill(old);
  publish(a, 't', 'three', 1);
  await quiet();
  t.false(isAlive(old));
  t.deepEqual(a.heard, []);
  behind(world.topic('t'), b.pid, false);
  await quiet();
  t.deepEqual(a.heard, ['one', 'two', 'three']);
  t.deepEqual(b.heard, a.heard);
  t.is(a.credit, 3);
  t.is(accounting.lost.crash, 0);
});

test('a member that ends while the server is down is no member of the next one', async (t) => {
  const world = topicsWorld();
  const { system, member, join, publish, quiet, kill, end, accounting } = world;
  const [a, b] = [member(), member()];
  join(a, 't');
  join(b, 't');
  await quiet();
  const supervisor = [...system.names].find(
    ([name]) => name.endsWith('.servers') && isParentOf(world, name),
  )?.[1] as Pid<never>;
  suspend(supervisor);
  kill(serverOf(world, 't'));
  end(b);
  await quiet();
  resume(supervisor);
  publish(a, 't', 'one');
  await quiet();
  t.deepEqual(a.heard, ['one']);
  t.false(world.topic('t').members.has(b.pid));
  t.is(accounting.attempts, 1);
});

/** Whether the supervisor of that name has the server of topic `t`. */
function isParentOf({ system, topic }: TopicsWorld, name: string): boolean {
  const supervisor = system.names.get(name);
  return system.processes.get(topic('t').server?.id ?? 0)?.parent === supervisor;
}

test('up to 10 crashes in 5 seconds are survived; with the 11th the members hear that their topics are lost', async (t) => {
  const { member, join, publish, quiet, accounting, clock } = topicsWorld();
  const a = member();
  join(a, 't');
  await quiet();
  for (let i = 0; i < 10; i++) {
    publish(a, 't', 'poison', 1);
    publish(a, 't', `m${i}`, 1);
    await quiet();
    clock.advance(499);
  }
  t.deepEqual(a.told, ['joined t']);
  t.deepEqual(a.heard, numbered('m', 10));
  publish(a, 't', 'poison', 1);
  publish(a, 't', 'with it', 1);
  await quiet();
  t.deepEqual(a.told, ['joined t', 'lost t']);
  t.deepEqual(a.heard, numbered('m', 10));
  t.is(accounting.lost.crash, 12);
  t.is(accounting.messages, 22);
  t.is(a.credit, 22);
  t.true(isBalanced(accounting));
  join(a, 't');
  await quiet();
  publish(a, 't', 'again');
  await quiet();
  t.is(a.heard.at(-1), 'again');
});

test('messages and joins that wait for a server that is lost are counted, answered, and give their credit back', async (t) => {
  const world = topicsWorld();
  const { member, join, publish, quiet, kill, accounting, topics } = world;
  const [a, b] = [member(), member()];
  join(a, 't');
  await quiet();
  behind(world.topic('t'), a.pid, true);
  publish(b, 't', 'queued', 1);
  await quiet();
  publish(b, 't', 'in the mailbox', 1);
  forward(world.topic('t'), { type: 'join', name: 't', member: b.pid, format: plain, while: 'wanted' });
  const supervisor = [...world.system.names.keys()].find(
    (name) => name.endsWith('.servers') && isParentOf(world, name),
  );
  kill(supervisor as string);
  await quiet();
  t.deepEqual(a.told, ['joined t', 'lost t']);
  t.deepEqual(b.told, ['refused join t unavailable']);
  t.is(b.credit, 2);
  t.is(accounting.lost.crash, 2);
  t.is(accounting.messages, 2);
  t.deepEqual([...topics.all()], []);
  join(b, 't');
  await quiet();
  t.deepEqual(b.told, ['refused join t unavailable', 'joined t']);
});

test('a killed topic supervisor takes its partition alone: the others notice nothing', async (t) => {
  const world = topicsWorld();
  const { member, join, publish, quiet, kill, system } = world;
  const names = numbered('topic', 40);
  const members = names.map((name) => {
    const one = member();
    join(one, name);
    return one;
  });
  await quiet();
  const processes = system.processes.size;
  kill('topics.3.servers');
  await quiet();
  const lost = names.filter((name, index) => members[index]?.told.includes(`lost ${name}`));
  t.true(lost.length > 0 && lost.length < names.length);
  t.is(system.processes.size, processes - lost.length);
  for (const name of names) publish(members[0] as never, name, 'one');
  await quiet();
  for (const [index, name] of names.entries())
    t.deepEqual(members[index]?.heard, lost.includes(name) ? [] : ['one']);
});

test('a killed partition comes back empty, and its members are told', async (t) => {
  const { member, join, publish, quiet, kill, system, topics } = topicsWorld();
  const a = member();
  join(a, 't');
  await quiet();
  const partition = hashKey('t') % 8;
  for (const process of [...system.processes.values()])
    if (process.label === `topics.${partition}`) kill(process);
  await quiet();
  t.deepEqual(a.told, ['joined t', 'lost t']);
  t.deepEqual([...topics.all()], []);
  t.false(publish(a, 't', 'nobody there'));
});

test('a killed router leaves the topics alone, and the next one finds and retires them', async (t) => {
  const { member, join, leave, publish, quiet, kill, topics, system } = topicsWorld();
  const before = system.processes.size;
  const members = numbered('topic', 20).map((name) => {
    const one = member();
    join(one, name);
    return one;
  });
  await quiet();
  for (let i = 0; i < 8; i++) kill(`topics.${i}.router`);
  await quiet();
  for (const name of numbered('topic', 20)) publish(members[0] as never, name, 'one');
  await quiet();
  for (const one of members) t.deepEqual(one.heard, ['one']);
  const late = member();
  join(late, 'topic3');
  await quiet();
  t.deepEqual(late.told, ['joined topic3']);
  leave(late, 'topic3');
  for (const [index, one] of members.entries()) leave(one, `topic${index}`);
  await quiet();
  t.deepEqual([...topics.all()], []);
  t.is(system.processes.size, before + members.length + 1);
});

test('joins that a router has when it is killed are answered, and no topic stays half started', async (t) => {
  const world = topicsWorld();
  const { member, join, leave, quiet, kill, topics, system } = world;
  const members = [member(), member(), member()];
  const before = system.processes.size;
  const supervisors = [...system.names].filter(([name]) => name.endsWith('.servers')).map(([, pid]) => pid);
  for (const pid of supervisors) suspend(pid);
  join(members[0] as never, 't');
  await quiet();
  join(members[1] as never, 't');
  for (let i = 0; i < 8; i++) kill(`topics.${i}.router`);
  join(members[2] as never, 't');
  for (const pid of supervisors) resume(pid);
  await quiet();
  for (const one of members.slice(0, 2)) t.deepEqual(one.told, ['refused join t unavailable']);
  join(members[1] as never, 't');
  await quiet();
  t.is(members[1]?.told.at(-1), 'joined t');
  leave(members[1] as never, 't');
  await quiet();
  t.deepEqual([...topics.all()], []);
  t.is(system.processes.size, before);
});

test('a join whose server has started while its router died is forwarded by the next one', async (t) => {
  const { member, join, quiet, kill, system, topic } = topicsWorld();
  const [a, b] = [member(), member()];
  const partition = hashKey('t') % 8;
  const supervisor = system.names.get(`topics.${partition}.servers`) as Pid<never>;
  suspend(supervisor);
  join(a, 't');
  await quiet();
  suspend(system.names.get(`topics.${partition}.router`) as Pid<never>);
  resume(supervisor);
  await quiet();
  t.deepEqual(a.told, []);
  kill(`topics.${partition}.router`);
  await quiet();
  join(b, 't');
  await quiet();
  t.deepEqual(a.told, ['joined t']);
  t.deepEqual(b.told, ['joined t']);
  t.is(topic('t').members.size, 2);
});

test('a topic that asked to go before a join was taken stays', async (t) => {
  const { member, join, leave, publish, quiet, system, topic } = topicsWorld();
  const [a, b] = [member(), member()];
  join(a, 't');
  await quiet();
  const first = topic('t');
  const router = system.names.get(`topics.${hashKey('t') % 8}.router`) as Pid<never>;
  suspend(router);
  join(b, 't');
  leave(a, 't');
  await quiet();
  // The join and the question wait in the router, in this order; the join is taken before the question is looked at.
  trace(router, 1, 1000, () => suspend(router));
  resume(router);
  await quiet();
  t.deepEqual(b.told, ['joined t']);
  resume(router);
  await quiet();
  t.is(topic('t'), first);
  publish(a, 't', 'one');
  await quiet();
  t.deepEqual(b.heard, ['one']);
});
