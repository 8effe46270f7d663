import test from 'ava';
import { behind, forward } from '../../src/topic/topic-requests.ts';
import { isBalanced } from '../support/relay.ts';
import { formatOf, numbered, topicsWorld } from './topics-world.ts';

const KIB = 1024;

test('all messages of one turn come as one delivery, the same object for every member', async (t) => {
  const { member, join, publish, quiet, accounting } = topicsWorld();
  const [a, b, p] = [member(), member(), member()];
  join(a, 't');
  join(b, 't');
  await quiet();
  for (const text of numbered('m', 5)) publish(p, 't', text);
  await quiet();
  t.is(a.deliveries.length, 1);
  t.is(a.deliveries[0], b.deliveries[0]);
  t.deepEqual(a.heard, numbered('m', 5));
  t.is(accounting.messages, 5);
  t.is(accounting.attempts, 10);
  t.true(isBalanced(accounting));
});

test('each format in use has one delivery per turn, and an unused one is not rendered', async (t) => {
  const { member, join, leave, publish, quiet } = topicsWorld();
  const rendered: string[] = [];
  const [red, blue] = ['red', 'blue'].map((name) => formatOf(name, () => rendered.push(name)));
  const [a, b, c] = [member(), member(), member()];
  join(a, 't', { format: red as never });
  join(b, 't', { format: red as never });
  join(c, 't', { format: blue as never });
  await quiet();
  publish(a, 't', 'one');
  await quiet();
  t.deepEqual(rendered, ['red', 'blue']);
  t.is(a.deliveries[0], b.deliveries[0]);
  t.not(a.deliveries[0], c.deliveries[0]);
  leave(c, 't');
  publish(a, 't', 'two');
  await quiet();
  t.deepEqual(rendered, ['red', 'blue', 'red']);
});

test('several publishers: every member sees the one order, and each publisher its own kept', async (t) => {
  const { member, join, publish, quiet } = topicsWorld();
  const members = [member(), member(), member()];
  const publishers = [member(), member()];
  for (const one of members) join(one, 't');
  await quiet();
  for (let i = 0; i < 50; i++) {
    for (const [p, publisher] of publishers.entries()) publish(publisher, 't', `${p}:${i}`);
    if (i % 7 === 0) await quiet();
  }
  await quiet();
  for (const one of members) t.deepEqual(one.heard, members[0]?.heard);
  for (const p of [0, 1]) {
    t.deepEqual(
      members[0]?.heard.filter((text) => text.startsWith(`${p}:`)),
      numbered(`${p}:`, 50),
    );
  }
});

test('a delivery ends with the message that brings it to 64 KiB; the rest follows in the next turn', async (t) => {
  const { member, join, publish, quiet } = topicsWorld();
  const a = member();
  join(a, 't');
  await quiet();
  // 63 KiB, one byte short of the limit, and one byte to reach it.
  publish(a, 't', `a${' '.repeat(63 * KIB - 1)}`);
  publish(a, 't', `b${' '.repeat(KIB - 2)}`);
  publish(a, 't', 'c');
  publish(a, 't', 'd');
  publish(a, 't', 'e');
  await quiet();
  t.deepEqual(
    a.deliveries.map(({ count }) => count),
    [3, 2],
  );
  t.deepEqual(
    a.heard.map((text) => text[0]),
    ['a', 'b', 'c', 'd', 'e'],
  );
});

test('who joins between two publishes gets the second; who leaves between them gets the first', async (t) => {
  const { member, join, leave, publish, quiet, topic } = topicsWorld();
  const [stays, joins, leaves] = [member(), member(), member()];
  join(stays, 't');
  join(leaves, 't');
  await quiet();
  publish(stays, 't', 'one');
  leave(leaves, 't');
  forward(topic('t'), {
    type: 'join',
    name: 't',
    member: joins.pid,
    format: formatOf('other'),
    while: 'wanted',
  });
  publish(stays, 't', 'two');
  await quiet();
  t.deepEqual(stays.heard, ['one', 'two']);
  t.deepEqual(leaves.heard, ['one']);
  t.deepEqual(joins.heard, ['two']);
});

for (const late of [1, 3]) {
  test(`a topic whose last member leaves with ${late} publishes behind the leave is let go`, async (t) => {
    const { member, join, leave, publish, quiet, topics, accounting, system } = topicsWorld();
    const idle = system.processes.size;
    const a = member();
    join(a, 't');
    await quiet();
    leave(a, 't');
    for (const text of numbered('m', late)) publish(a, 't', text, 1);
    await quiet();
    t.deepEqual([...topics.all()], []);
    t.is(system.processes.size, idle + 1);
    t.is(accounting.lost.unheard, late);
    t.is(a.credit, late);
  });
}

test('joining twice is answered twice and makes one member', async (t) => {
  const { member, join, publish, quiet } = topicsWorld();
  const a = member();
  join(a, 't');
  join(a, 't');
  await quiet();
  publish(a, 't', 'one');
  await quiet();
  t.deepEqual(a.told, ['joined t', 'joined t']);
  t.deepEqual(a.heard, ['one']);
});

test('nothing is fanned out while a member is behind; then all that waits is, in its order', async (t) => {
  const { member, join, publish, quiet, topic, accounting } = topicsWorld();
  const [a, b] = [member(), member()];
  join(a, 't');
  join(b, 't');
  await quiet();
  behind(topic('t'), a.pid, true);
  behind(topic('t'), b.pid, true);
  publish(a, 't', 'one', 10);
  await quiet();
  publish(a, 't', 'two', 10);
  behind(topic('t'), a.pid, false);
  await quiet();
  t.deepEqual(b.heard, []);
  t.is(a.credit, 0);
  t.is(accounting.attempts, 0);
  behind(topic('t'), b.pid, false);
  await quiet();
  t.deepEqual(b.heard, ['one', 'two']);
  t.is(a.credit, 20);
});

for (const how of ['leaves', 'ends'] as const) {
  test(`a member that is behind and ${how} holds nobody back`, async (t) => {
    const { member, join, publish, quiet, topic, leave, end } = topicsWorld();
    const [a, b] = [member(), member()];
    join(a, 't');
    join(b, 't');
    await quiet();
    behind(topic('t'), a.pid, true);
    publish(b, 't', 'one');
    await quiet();
    t.deepEqual(b.heard, []);
    if (how === 'leaves') leave(a, 't');
    else end(a);
    await quiet();
    t.deepEqual(b.heard, ['one']);
  });
}

test('a full mailbox refuses messages, and takes the news that a member is no longer behind or has left', async (t) => {
  const { member, join, publish, quiet, topic, leave, accounting } = topicsWorld();
  const [a, b] = [member(), member()];
  join(a, 't');
  join(b, 't');
  await quiet();
  behind(topic('t'), a.pid, true);
  await quiet();
  let accepted = 0;
  while (publish(b, 't', 'm')) accepted++;
  behind(topic('t'), a.pid, false);
  leave(b, 't');
  await quiet();
  t.is(accepted, 1_000_000);
  t.is(a.heard.length, accepted);
  t.is(topic('t').members.size, 1);
  t.true(isBalanced(accounting));
});

test('one who is no member cannot hold a topic back', async (t) => {
  const { member, join, publish, quiet, topic } = topicsWorld();
  const [a, stranger] = [member(), member()];
  join(a, 't');
  await quiet();
  behind(topic('t'), stranger.pid, true);
  publish(a, 't', 'one');
  await quiet();
  t.deepEqual(a.heard, ['one']);
});

test('what a format cannot carry is counted once for each member; nothing to deliver is no attempt', async (t) => {
  const { member, join, publish, quiet, accounting } = topicsWorld();
  const members = [member(), member(), member()];
  for (const one of members) join(one, 't');
  await quiet();
  for (const text of ['one', 'undeliverable', 'nothing', 'two']) publish(members[0] as never, 't', text);
  await quiet();
  t.deepEqual(members[0]?.heard, ['one', 'two']);
  t.is(accounting.messages, 4);
  t.is(accounting.attempts, 9);
  t.is(accounting.dropped.undeliverable, 3);
  t.is(accounting.delivered, 6);
});

test('credit comes back once, and only to messages that cost some', async (t) => {
  const { member, join, publish, quiet } = topicsWorld();
  const [a, p] = [member(), member()];
  join(a, 't');
  await quiet();
  publish(p, 't', 'one', 100);
  publish(p, 't', 'nothing', 20);
  publish(p, 't', 'undeliverable', 3);
  publish(p, 't', 'free');
  await quiet();
  t.is(p.credit, 123);
});

test('a member whose process dies with a delivery in its mailbox has it counted', async (t) => {
  const { member, join, publish, quiet, end, accounting } = topicsWorld();
  const [a, b] = [member(), member()];
  join(a, 't');
  join(b, 't');
  await quiet();
  publish(a, 't', 'one');
  end(b);
  await quiet();
  publish(a, 't', 'two');
  await quiet();
  t.deepEqual(a.heard, ['one', 'two']);
  t.is(accounting.attempts - accounting.delivered, 1);
  t.true(isBalanced(accounting));
});
