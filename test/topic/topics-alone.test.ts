import test from 'ava';
import type { Elsewhere } from '../../src/topic/elsewhere.ts';
import { judged } from '../../src/topic/topic-requests.ts';
import { topicsWorld } from './topics-world.ts';

/** Topics of a relay that may be alone; what they have asked and told is in `said`. */
function world(alone: boolean) {
  const said: string[] = [];
  const say = (what: string) => () => {
    said.push(what);
  };
  const elsewhere = {
    alone,
    uplink: null,
    wanted: say('wanted'),
    unwanted: say('unwanted'),
    ownership: () => 'none',
    claim: say('claim'),
    released: say('released'),
    isOrdered: () => false,
    sequencer: () => null,
    forward: () => false,
    leftOver: () => [],
    mayFollow: () => true,
    home: () => null,
    isLinked: () => false,
    isLinkTo: () => false,
    hasLed: () => true,
    recall: () => [],
  } satisfies Elsewhere;
  return { ...topicsWorld(elsewhere), said, elsewhere };
}

test('alone, who joins or claims is let in at once, and others could be told later', async (t) => {
  const { member, join, claim, topic, quiet, said } = world(true);
  const [subscriber, owner] = [member(), member()];
  join(subscriber, 't');
  claim(owner, 't');
  await quiet();
  t.deepEqual(subscriber.told, ['joined t']);
  t.deepEqual(owner.told, ['claimed t']);
  t.is(topic('t').interest, 'held');
  t.deepEqual(said, []);
});

test('linked, the same is asked of the others', async (t) => {
  const { member, join, claim, quiet, said } = world(false);
  const [subscriber, owner] = [member(), member()];
  join(subscriber, 't');
  claim(owner, 't');
  await quiet();
  t.deepEqual([subscriber.told, owner.told], [[], []]);
  t.deepEqual(said, ['wanted', 'claim']);
});

test('who waits for other relays as the last one goes is let in by then, and who comes next waits no longer', async (t) => {
  const { member, join, quiet, advance, elsewhere, topic } = world(false);
  const [first, second, third] = [member(), member(), member()];
  join(first, 't');
  await quiet();
  elsewhere.alone = true;
  join(second, 't');
  await quiet();
  t.deepEqual([first.told, second.told], [[], []]);
  await advance(250);
  t.deepEqual([first.told, second.told], [['joined t'], ['joined t']]);
  join(third, 'u');
  await quiet();
  t.deepEqual(third.told, ['joined u']);
  t.is(topic('t').interest, 'held');
});

test('a claim whose judgement never comes is refused in time, though its topic has crashed meanwhile', async (t) => {
  const { member, claim, quiet, advance, topic, topics, kill } = world(false);
  const owner = member();
  claim(owner, 't');
  await quiet();
  const { server } = topic('t');
  if (server === undefined) throw new Error('no server');
  kill(server);
  await quiet();
  await advance(3999);
  t.deepEqual(owner.told, []);
  await advance(1);
  t.deepEqual(owner.told, ['refused claim t unavailable']);
  t.deepEqual([...topics.all()], []);
});

test('a claim that nobody waits for any more is given up, and so is one that is granted too late', async (t) => {
  const { member, claim, join, quiet, advance, topic, said } = world(false);
  const [owner, subscriber] = [member(), member()];
  join(subscriber, 't');
  claim(owner, 't');
  await quiet();
  const { claiming } = topic('t');
  if (claiming === undefined) throw new Error('no claim');
  await advance(4000);
  t.deepEqual(said, ['wanted', 'claim', 'released']);
  judged(topic('t'), claiming, 'granted');
  await quiet();
  t.deepEqual(said, ['wanted', 'claim', 'released', 'released']);
  t.deepEqual(owner.told, ['refused claim t unavailable']);
  t.is(topic('t').lifetime.state, 'unowned');
  claim(owner, 't');
  await quiet();
  judged(topic('t'), claiming, 'granted');
  await quiet();
  t.is(said.at(-1), 'claim', 'another claim is under way');
});

test('when an owner came is kept through its grace, and counts anew for another one', async (t) => {
  const { member, claim, topic, end, advance, quiet } = world(true);
  const [first, second, third] = [member(), member(), member()];
  await advance(500);
  claim(first, 't', 1000);
  await quiet();
  t.is(topic('t').ownedSince, 500);
  end(first);
  await quiet();
  await advance(100);
  claim(second, 't', 0);
  await quiet();
  t.is(topic('t').ownedSince, 500);
  end(second);
  await quiet();
  await advance(100);
  claim(third, 't', 0);
  await quiet();
  t.is(topic('t').ownedSince, 700);
});
