import test from 'ava';
import type { Pid } from '../../src/otp/process.ts';
import { suspend } from '../../src/otp/sys.ts';
import type { Position } from '../../src/topic/position.ts';
import { hashKey } from '../../src/topic/topic-name.ts';
import { behind, change } from '../../src/topic/topic-requests.ts';
import { isBalanced } from '../support/relay.ts';
import {
  formatOf,
  keeping,
  numbered,
  numbering,
  plain,
  REALM,
  type TopicsWorld,
  topicsWorld,
} from './topics-world.ts';

const format = numbering('numbering');

function lineOf({ topics }: TopicsWorld, name: string) {
  const line = topics.histories.find(REALM, name);
  if (line === undefined) throw new Error(`${name} has no line`);
  return line;
}

function at(world: TopicsWorld, offset: number, name = 'kept'): Position {
  return { epoch: lineOf(world, name).epoch, offset };
}

/** A topic with so many messages that nobody is in. */
async function worldWith(count: number, settings = keeping()) {
  const world = topicsWorld(null, settings);
  const publisher = world.member();
  for (const text of numbered('m', count)) world.publish(publisher, 'kept', text, 1);
  await world.quiet();
  return { ...world, publisher };
}

/** A topic with five messages that nobody is in, which do not fit one portion. */
async function worldWithPortions() {
  const world = await worldWith(0);
  for (let i = 0; i < 5; i++) world.publish(world.publisher, 'kept', 'x'.repeat(20_000));
  await world.quiet();
  return world;
}

test('a member that comes back is sent what it has missed, once and in order, and then what is new', async (t) => {
  const world = await worldWith(5);
  const { member, join, publish, publisher, quiet, accounting, topics } = world;
  const a = member();
  join(a, 'kept', { format, since: at(world, 2) });
  await quiet();
  t.deepEqual(a.told, ['joined kept 2-5 recovered']);
  t.deepEqual(a.heard, ['3:m2', '4:m3', '5:m4']);
  publish(publisher, 'kept', 'new');
  await quiet();
  t.is(a.heard.at(-1), '6:new');
  t.is(accounting.attempts, 4);
  t.true(isBalanced(accounting));
  t.deepEqual(topics.histories.resumed, { recovered: 1, missed: 0, unknown: 0, kept: 0 });
  t.is(topics.histories.replayed, 3);
});

test('a member that asks for another part of the past is sent it, and one that only comes back once more is not', async (t) => {
  const world = await worldWith(5);
  const { member, join, publish, publisher, quiet, accounting } = world;
  const a = member();
  join(a, 'kept', { format, since: at(world, 4) });
  join(a, 'kept', { format, since: at(world, 4), again: { grace: 0 } });
  await quiet();
  t.deepEqual(a.heard, ['5:m4']);
  join(a, 'kept', { format, since: at(world, 3) });
  await quiet();
  publish(publisher, 'kept', 'new');
  await quiet();
  t.deepEqual(a.told, ['joined kept 4-5 recovered', 'joined kept', 'joined kept 3-5 recovered']);
  t.deepEqual(a.heard, ['5:m4', '4:m3', '5:m4', '6:new']);
  t.true(isBalanced(accounting));
});

test('messages to a topic that nobody is in are kept, and counted as unheard as ever', async (t) => {
  const world = await worldWith(3);
  const { accounting, publisher, topics, advance, quiet, member, join } = world;
  t.is(accounting.lost.unheard, 3);
  t.is(publisher.credit, 3);
  t.is([...topics.all()].length, 1);
  await advance(1000);
  await advance(1000);
  t.is([...topics.all()].length, 0);
  t.is(topics.histories.messages, 3);
  const a = member();
  join(a, 'kept', { format, since: 'all' });
  await quiet();
  t.deepEqual(a.told, ['joined kept 0-3']);
  t.deepEqual(a.heard, ['1:m0', '2:m1', '3:m2']);
});

test('a topic of which nothing is kept has no line, and is not started for a message', async (t) => {
  const { member, join, publish, quiet, topic, topics } = topicsWorld(null, keeping());
  const a = member();
  t.false(publish(a, 'other', 'one'));
  join(a, 'other', { format, since: 'all' });
  await quiet();
  t.is(topic('other').line, null);
  publish(a, 'other', 'two');
  await quiet();
  t.deepEqual(a.told, ['joined other']);
  t.deepEqual(a.heard, ['null:two']);
  t.deepEqual([...topics.histories.all()], []);
});

test('without since a member hears nothing of the past, and nothing is said of it', async (t) => {
  const world = await worldWith(3);
  const a = world.member();
  world.join(a, 'kept', { format });
  await world.quiet();
  t.deepEqual(a.told, ['joined kept']);
  t.deepEqual(a.heard, []);
  t.deepEqual(world.topics.histories.resumed, { recovered: 0, missed: 0, unknown: 0, kept: 0 });
});

test('what waits is fanned out before a member is resumed: nothing is missed in between, and nothing comes twice', async (t) => {
  const world = await worldWith(2);
  const { member, join, publish, publisher, quiet } = world;
  const [a, b] = [member(), member()];
  join(a, 'kept', { format });
  await quiet();
  publish(publisher, 'kept', 'x');
  join(b, 'kept', { format, since: at(world, 1) });
  publish(publisher, 'kept', 'y');
  await quiet();
  t.deepEqual(a.heard, ['3:x', '4:y']);
  t.deepEqual(b.heard, ['2:m1', '3:x', '4:y']);
});

test('while somebody is behind, a member is resumed up to what was fanned out, and gets the rest with all others', async (t) => {
  const world = await worldWith(2);
  const { member, join, publish, publisher, quiet, topic } = world;
  const [a, b] = [member(), member()];
  join(a, 'kept', { format });
  await quiet();
  behind(topic('kept'), a.pid, true);
  publish(publisher, 'kept', 'x');
  join(b, 'kept', { format, since: at(world, 0) });
  await quiet();
  t.deepEqual(b.told, ['joined kept 0-2 recovered']);
  t.deepEqual(b.heard, ['1:m0', '2:m1']);
  behind(topic('kept'), a.pid, false);
  await quiet();
  t.deepEqual(b.heard, ['1:m0', '2:m1', '3:x']);
  t.deepEqual(a.heard, ['3:x']);
});

test('a herd that comes back is sent the same bytes, rendered once', async (t) => {
  let rendered = 0;
  const counting = numbering('counting', () => rendered++);
  const world = await worldWith(10);
  const { member, join, publish, publisher, quiet } = world;
  const herd = Array.from({ length: 50 }, () => member());
  for (const one of herd) join(one, 'kept', { format: counting, since: at(world, 4) });
  await quiet();
  t.is(rendered, 6);
  const [first] = herd;
  for (const one of herd) t.is(one.deliveries[0]?.bytes, first?.deliveries[0]?.bytes);
  publish(publisher, 'kept', 'new');
  await quiet();
  const late = member();
  join(late, 'kept', { format: counting, since: at(world, 4) });
  await quiet();
  t.is(late.heard.length, 7);
  t.is(late.heard.at(-1), '11:new');
});

test('what does not fit one portion comes in several, and what is published meanwhile comes behind, in order', async (t) => {
  const world = await worldWith(0);
  const { member, join, publish, publisher, quiet, topic, accounting } = world;
  const text = (index: number) => `m${index} ${'x'.repeat(20_000)}`;
  for (let i = 0; i < 10; i++) publish(publisher, 'kept', text(i));
  await quiet();
  const a = member();
  a.asks = false;
  join(a, 'kept', { format, since: at(world, 0) });
  await quiet();
  t.deepEqual(a.told, ['joined kept 0-10 recovered']);
  t.is(a.heard.length, 4);
  t.true(a.more);
  publish(publisher, 'kept', text(10));
  await quiet();
  t.is(a.heard.length, 4);
  t.is(topic('kept').members.groups.length, 0);
  t.is(accounting.lost.unheard, 10);
  a.ask();
  await quiet();
  t.is(a.heard.length, 8);
  a.ask();
  await quiet();
  t.false(a.more);
  t.is(topic('kept').members.groups.length, 1);
  publish(publisher, 'kept', text(11));
  await quiet();
  t.deepEqual(
    a.heard.map((heard) => heard.split(':')[0]),
    numbered('', 13).slice(1),
  );
  a.ask();
  await quiet();
  t.is(a.heard.length, 12);
  t.true(isBalanced(accounting));
});

test('a member that is behind does not hold up the topic while it is resumed, but does from then on', async (t) => {
  const world = await worldWithPortions();
  const { member, join, publish, publisher, quiet, topic } = world;
  const [a, b] = [member(), member()];
  a.asks = false;
  join(a, 'kept', { format, since: at(world, 0) });
  join(b, 'kept', { format });
  await quiet();
  behind(topic('kept'), a.pid, true);
  publish(publisher, 'kept', 'while');
  await quiet();
  t.deepEqual(b.heard, ['6:while']);
  a.ask();
  await quiet();
  t.deepEqual([...topic('kept').fanOut.behind], [a.pid]);
  publish(publisher, 'kept', 'after');
  await quiet();
  t.deepEqual(b.heard, ['6:while']);
  behind(topic('kept'), a.pid, false);
  await quiet();
  t.deepEqual(b.heard, ['6:while', '7:after']);
  t.deepEqual(a.heard.slice(-2), ['6:while', '7:after']);
});

test('who takes portions more slowly than the topic goes on is left behind, and told', async (t) => {
  const world = await worldWith(0, keeping({}, { resume: 150_000 }));
  const { member, join, publish, publisher, quiet, topic, topics } = world;
  for (let i = 0; i < 6; i++) publish(publisher, 'kept', 'x'.repeat(20_000));
  await quiet();
  const a = member();
  a.asks = false;
  join(a, 'kept', { format, since: at(world, 0) });
  await quiet();
  t.true(a.more);
  // It has 40,000 bytes to take, and may have to take 150,000 and a portion.
  for (let i = 0; i < 8; i++) publish(publisher, 'kept', 'y'.repeat(20_000));
  await quiet();
  t.deepEqual(a.told, ['joined kept 0-6 recovered']);
  publish(publisher, 'kept', 'z'.repeat(20_000));
  await quiet();
  t.deepEqual(a.told, ['joined kept 0-6 recovered', 'too-slow kept']);
  t.false(topic('kept').members.has(a.pid));
  t.is(topics.histories.resumed.recovered, 1);
});

test('a topic is not idle while somebody is being resumed; one who leaves or ends meanwhile is gone', async (t) => {
  const { member, join, leave, end, quiet, advance, topic } = await worldWithPortions();
  const [a, b] = [member(), member()];
  for (const one of [a, b]) {
    one.asks = false;
    join(one, 'kept', { format, since: 'all' });
  }
  await quiet();
  await advance(5000);
  t.is(topic('kept').members.size, 2);
  leave(a, 'kept');
  end(b);
  await quiet();
  t.is(topic('kept').members.size, 0);
  a.ask();
  await quiet();
  t.is(a.heard.length, 4);
});

test('a poisonous message takes a number: who was there hears of the gap, and who comes back does', async (t) => {
  const world = await worldWith(1);
  const { member, join, publish, publisher, quiet, accounting } = world;
  const [a, b, c] = [member(), member(), member()];
  join(a, 'kept', { format });
  await quiet();
  for (const text of ['one', 'poison', 'two']) publish(publisher, 'kept', text, 1);
  await quiet();
  t.deepEqual(a.heard, ['2:one', '-1 restarted', '4:two']);
  join(b, 'kept', { format, since: at(world, 1) });
  join(c, 'kept', { format, since: at(world, 3) });
  await quiet();
  t.deepEqual(b.told, ['joined kept 1-4 missed 1 restarted']);
  t.deepEqual(b.heard, ['2:one', '4:two']);
  t.deepEqual(c.told, ['joined kept 3-4 recovered']);
  t.is(publisher.credit, 4);
  t.is(accounting.lost.crash, 1);
  t.true(isBalanced(accounting));
});

test('what a crash on bytes takes from one format is told there, and can be asked for again', async (t) => {
  const world = await worldWith(0);
  const { member, join, publish, publisher, quiet, accounting } = world;
  let fails = true;
  const brittle = {
    ...format,
    assemble(parts: Parameters<typeof format.assemble>[0]) {
      if (!fails) return format.assemble(parts);
      fails = false;
      throw new Error('no bytes');
    },
  };
  const [a, b] = [member(), member()];
  join(a, 'kept', { format });
  join(b, 'kept', { format: brittle });
  await quiet();
  publish(publisher, 'kept', 'one', 1);
  publish(publisher, 'kept', 'two', 1);
  await quiet();
  t.deepEqual(a.heard, ['1:one', '2:two']);
  t.deepEqual(b.heard, ['-2 restarted']);
  t.is(publisher.credit, 2);
  t.is(accounting.dropped.crash, 2);
  t.true(isBalanced(accounting));
  const late = member();
  join(late, 'kept', { format: brittle, since: at(world, 0) });
  await quiet();
  t.deepEqual(late.heard, ['1:one', '2:two']);
});

test('a kept message that crashes whoever renders it is a hole from then on, and the join is not lost with it', async (t) => {
  const world = await worldWith(0);
  const { member, join, publish, publisher, quiet, crashes } = world;
  for (const text of ['one', 'bomb', 'two']) publish(publisher, 'kept', text);
  await quiet();
  const explosive = numbering('explosive', (text) => {
    if (text.startsWith('bomb')) throw new Error('bomb');
  });
  const [a, b] = [member(), member()];
  join(a, 'kept', { format: explosive, since: at(world, 0) });
  await quiet();
  t.is(crashes().length, 1);
  t.deepEqual(a.told, ['joined kept 0-3 missed 1 restarted']);
  t.deepEqual(a.heard, ['1:one', '3:two']);
  join(b, 'kept', { format, since: at(world, 0) });
  await quiet();
  t.deepEqual(b.heard, ['1:one', '3:two']);
});

test('a replay whose bytes cannot be made is refused', async (t) => {
  const world = await worldWith(2);
  const { member, join, quiet, crashes, accounting } = world;
  const broken = {
    ...format,
    assemble() {
      throw new Error('no bytes');
    },
  };
  const a = member();
  join(a, 'kept', { format: broken, since: 'all' });
  await quiet();
  t.is(crashes().length, 1);
  t.deepEqual(a.told, ['refused join kept unavailable']);
  t.true(isBalanced(accounting));
});

test('a killed server is followed by one that goes on with the numbers, and with those who are being resumed', async (t) => {
  const world = await worldWithPortions();
  const { member, join, publish, publisher, quiet, kill, topic } = world;
  const a = member();
  a.asks = false;
  join(a, 'kept', { format, since: 'all' });
  await quiet();
  kill(topic('kept').server as Pid<never>);
  await quiet();
  publish(publisher, 'kept', 'new');
  a.ask();
  await quiet();
  t.deepEqual(
    a.heard.map((heard) => heard.split(':')[0]),
    ['1', '2', '3', '4', '5', '6'],
  );
});

test('members of a topic that is lost for good are told where they stand, and miss nothing', async (t) => {
  const world = await worldWith(3);
  const { member, join, publish, publisher, quiet, kill } = world;
  const a = member();
  join(a, 'kept', { format, since: at(world, 1) });
  await quiet();
  suspend(world.topic('kept').server as Pid<never>);
  publish(publisher, 'kept', 'lost with the server', 1);
  kill(`topics.${hashKey('kept') % 8}.servers`);
  await quiet();
  t.deepEqual(a.told.slice(1), ['lost kept 3']);
  publish(publisher, 'kept', 'while nobody is in', 1);
  await quiet();
  join(a, 'kept', { format, since: at(world, 3) });
  await quiet();
  t.is(a.told.at(-1), 'joined kept 4-5 missed 1 restarted');
  t.deepEqual(a.heard.slice(-1), ['5:while nobody is in']);
  t.is(publisher.credit, 5);
  t.true(isBalanced(world.accounting));
});

test('where nobody can be told of a gap, those who are lost with the server come back for what they have missed', async (t) => {
  const world = await worldWith(1);
  const { member, join, publish, publisher, quiet, crashes } = world;
  let fails = false;
  const brittle = {
    ...format,
    assemble(parts: Parameters<typeof format.assemble>[0]) {
      if (fails) throw new Error('no bytes');
      return format.assemble(parts);
    },
  };
  const [a, b] = [member(), member()];
  join(a, 'kept', { format });
  join(b, 'kept', { format: brittle });
  await quiet();
  fails = true;
  publish(publisher, 'kept', 'one', 1);
  await quiet();
  t.is(crashes().length, 11);
  t.deepEqual(a.told.at(-1), 'lost kept 2');
  t.deepEqual(b.told.at(-1), 'lost kept 1');
  fails = false;
  join(b, 'kept', { format: brittle, since: at(world, 1) });
  await quiet();
  t.deepEqual(b.heard, ['2:one']);
});

test('who is lost while it is being resumed stands where its last portion ended', async (t) => {
  const { member, join, quiet, kill } = await worldWithPortions();
  const a = member();
  a.asks = false;
  join(a, 'kept', { format, since: 'all' });
  await quiet();
  kill(`topics.${hashKey('kept') % 8}.servers`);
  await quiet();
  t.is(a.told.at(-1), 'lost kept 4');
});

test('what a format cannot carry is missing for whoever is resumed, and is told', async (t) => {
  const world = await worldWith(0);
  const { member, join, publish, publisher, quiet, accounting } = world;
  for (const text of ['one', 'undeliverable', 'nothing', 'two']) publish(publisher, 'kept', text);
  await quiet();
  const a = member();
  join(a, 'kept', { format, since: at(world, 0) });
  await quiet();
  t.deepEqual(a.told, ['joined kept 0-4 missed 1 undeliverable']);
  t.deepEqual(a.heard, ['1:one', '4:two']);
  t.is(accounting.dropped.undeliverable, 1);
  t.is(accounting.attempts, 3);
  // Behind it nothing is missing, and what comes while it is there is a gap in its place.
  for (const text of ['three', 'undeliverable', 'four']) publish(publisher, 'kept', text);
  await quiet();
  t.deepEqual(a.heard.slice(2), ['5:three', '-1 undeliverable', '7:four']);
  const b = member();
  join(b, 'kept', { format, since: at(world, 2) });
  await quiet();
  t.deepEqual(b.told, ['joined kept 2-7 missed 1 undeliverable']);
  const c = member();
  join(c, 'kept', { format: plain, since: at(world, 2) });
  await quiet();
  t.deepEqual(c.heard, ['two', 'three', 'four']);
  t.is(world.topics.histories.missed, 3);
  t.true(isBalanced(accounting));
});

test('what is missing at the end of the past is told in its place, and no member that comes back is told of it again', async (t) => {
  const world = await worldWith(0);
  const { member, join, publish, publisher, quiet, accounting } = world;
  for (const text of ['undeliverable', 'one', 'undeliverable', 'undeliverable'])
    publish(publisher, 'kept', text);
  await quiet();
  const a = member();
  join(a, 'kept', { format, since: at(world, 0) });
  await quiet();
  t.deepEqual(a.told, ['joined kept 1-2 missed 1 undeliverable']);
  t.deepEqual(a.heard, ['2:one', '-1 undeliverable', '-1 undeliverable']);
  const b = member();
  join(b, 'kept', { format, since: at(world, 2) });
  await quiet();
  t.deepEqual(b.told, ['joined kept 4-4 missed 2 undeliverable']);
  t.deepEqual(b.heard, []);
  const c = member();
  join(c, 'kept', { format, since: at(world, 1) });
  await quiet();
  t.deepEqual(c.told, ['joined kept 1-2 recovered']);
  t.deepEqual(c.heard, a.heard);
  t.true(isBalanced(accounting));
});

test('a publisher with a receipt hears where its message stands, once it is fanned out', async (t) => {
  const world = topicsWorld(null, keeping());
  const { member, join, publish, quiet, topic } = world;
  const [a, b] = [member(), member()];
  publish(a, 'kept', 'one', 1, { receipt: '"r1"' });
  await quiet();
  t.deepEqual(a.told, ['published kept "r1" 1']);
  t.is(a.credit, 1);
  join(b, 'other');
  await quiet();
  publish(a, 'other', 'two', 1, { receipt: '2' });
  await quiet();
  t.is(a.told.at(-1), 'published other 2 null');
  behind(topic('other'), b.pid, true);
  await quiet();
  publish(a, 'other', 'three', 1, { receipt: '3' });
  await quiet();
  t.is(a.told.length, 2);
  behind(topic('other'), b.pid, false);
  await quiet();
  t.is(a.told.at(-1), 'published other 3 null');
});

test('a receipt comes back for what is lost, too: refused', async (t) => {
  const world = topicsWorld(null, keeping());
  const { member, join, claim, publish, quiet } = world;
  const [a, owner] = [member(), member()];
  join(a, 'kept', { format: plain });
  await quiet();
  publish(a, 'kept', 'poison', 1, { receipt: '1' });
  publish(a, 'kept', 'one', 1, { receipt: '2' });
  await quiet();
  t.deepEqual(a.told.slice(1), ['refused publish kept unavailable 1', 'published kept 2 2']);
  claim(owner, 'owned');
  await quiet();
  publish(a, 'owned', 'two', 1, { receipt: '3' });
  await quiet();
  t.deepEqual(a.told.slice(3), ['refused publish owned owned 3']);
  t.is(a.credit, 3);
});

test('a message that is sent again with its key is answered as the first was, and not sent again', async (t) => {
  const world = topicsWorld(null, keeping());
  const { member, join, publish, quiet, advance, topic, accounting } = world;
  const [a, b] = [member(), member()];
  join(b, 'kept', { format });
  await quiet();
  publish(a, 'kept', 'one', 1, { key: 'k', receipt: '1' });
  publish(a, 'kept', 'one', 1, { key: 'k', receipt: '2' });
  publish(a, 'kept', 'two', 1, { key: 'l', receipt: '3' });
  await quiet();
  t.deepEqual(a.told, ['published kept 1 1', 'published kept 2 1', 'published kept 3 2']);
  publish(a, 'kept', 'one', 1, { key: 'k', receipt: '4' });
  publish(a, 'kept2', 'one', 1, { key: 'k', receipt: '5' });
  await quiet();
  t.deepEqual(a.told.slice(3), ['published kept 4 1', 'published kept2 5 1']);
  t.deepEqual(b.heard, ['1:one', '2:two']);
  t.is(a.credit, 5);
  t.is(accounting.messages, 3);
  behind(topic('kept'), b.pid, true);
  publish(a, 'kept', 'three', 1, { key: 'm', receipt: '6' });
  publish(a, 'kept', 'three', 1, { key: 'm', receipt: '7' });
  await quiet();
  behind(topic('kept'), b.pid, false);
  await quiet();
  t.deepEqual(a.told.slice(5), ['published kept 6 3', 'published kept 7 3']);
  await advance(300_000);
  publish(a, 'kept', 'one', 1, { key: 'k', receipt: '8' });
  await quiet();
  t.is(a.told.at(-1), 'published kept 8 4');
});

test('of two messages with one key the second is sent where the first has crashed the server', async (t) => {
  const world = topicsWorld(null, keeping());
  const { member, join, publish, quiet } = world;
  const [a, b] = [member(), member()];
  let fails = true;
  const brittle = numbering('brittle', () => {
    if (fails) {
      fails = false;
      throw new Error('once');
    }
  });
  join(b, 'kept', { format: brittle });
  await quiet();
  publish(a, 'kept', 'one', 1, { key: 'k', receipt: '1' });
  publish(a, 'kept', 'one', 1, { key: 'k', receipt: '2' });
  await quiet();
  t.deepEqual(a.told, ['refused publish kept unavailable 1', 'published kept 2 2']);
  t.deepEqual(b.heard, ['-1 restarted', '2:one']);
});

test('what happens to a line is told where it happens: between the messages before and those behind', async (t) => {
  const world = await worldWith(1);
  const { member, join, publish, publisher, quiet, topic } = world;
  const a = member();
  join(a, 'kept', { format, since: at(world, 0) });
  await quiet();
  publish(publisher, 'kept', 'before');
  change(topic('kept'), { type: 'hole', count: null, why: 'link' });
  publish(publisher, 'kept', 'behind');
  change(topic('kept'), { type: 'continue', epoch: '2abcdef' });
  publish(publisher, 'kept', 'last');
  await quiet();
  t.deepEqual(a.heard, ['1:m0', '2:before', '-null link', '4:behind', '5:last']);
  t.deepEqual(topic('kept').line?.position, { epoch: '2abcdef', offset: 5 });
  t.is(world.accounting.messages, 4);
});

test('who is being resumed as its line goes on elsewhere is left behind: its place leads nowhere', async (t) => {
  const world = await worldWithPortions();
  const { member, join, publish, publisher, quiet, topic } = world;
  const [a, b] = [member(), member()];
  a.asks = false;
  for (const one of [a, b]) join(one, 'kept', { format, since: 'all' });
  await quiet();
  change(topic('kept'), { type: 'adopt', position: { epoch: '3abcdef', offset: 70 }, why: 'restarted' });
  publish(publisher, 'kept', 'new');
  await quiet();
  t.is(a.told.at(-1), 'too-slow kept');
  t.deepEqual(b.heard.slice(-2), ['-null restarted', '71:new']);
});

test('the topic of probes keeps nothing', async (t) => {
  const { topics, system, quiet, member } = topicsWorld(null, keeping());
  const { pid } = member();
  topics.route(system, '@probe', {
    type: 'join',
    name: 'kept',
    member: pid,
    format: formatOf('f'),
    while: 'wanted',
  });
  await quiet();
  t.is(topics.find('@probe', 'kept')?.line, null);
  t.deepEqual([...topics.histories.all()], []);
});

test('kept messages that are too old go by themselves', async (t) => {
  const world = await worldWith(3, keeping({ age: 5000 }));
  const { topics, advance } = world;
  await advance(4999);
  t.is(topics.histories.messages, 3);
  await advance(1001);
  t.is(topics.histories.messages, 0);
  t.is(topics.histories.evicted.age, 3);
  t.is(lineOf(world, 'kept').last, 3);
});
