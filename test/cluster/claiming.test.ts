import test from 'ava';
import type { LinkMessage } from '../../src/cluster/backplane.ts';
import { ownershipServer } from '../../src/cluster/ownership-server.ts';
import { type Pid, send } from '../../src/otp/process.ts';
import { newAccounting } from '../../src/topic/accounting.ts';
import { type MemberMessage, Topic, type TopicMessage } from '../../src/topic/topic.ts';
import { Topics } from '../../src/topic/topics.ts';
import { spawnOk, spawnScripted, testSystem } from '../support/otp.ts';

/** Relay b, linked to others, as a claim is made there. */
function relay() {
  const base = testSystem();
  const { system, quiet } = base;
  const server = spawnOk(system, ownershipServer, {
    node: 'b',
    topics: () => new Topics(newAccounting()),
    table: new Map(),
    alone: () => false,
    wallClock: () => 1000 + system.clock.now(),
  });
  const { pid, log } = spawnScripted(system);
  const topic = new Topic('main', 't');
  topic.server = pid as Pid<TopicMessage>;
  const member = spawnScripted(system).pid as Pid<MemberMessage>;
  const claim = () =>
    send(server, { type: 'claim', topic, claim: { type: 'claim', member, name: 't', grace: 500 } });
  const verdicts = () => (log.got as { verdict?: string }[]).flatMap(({ verdict = '' }) => verdict || []);
  const linkTo = (node: string) => {
    const { pid: link, log: told } = spawnScripted(system);
    send(server, { type: 'attach', link: link as Pid<LinkMessage>, node });
    const asked = () =>
      (told.got as LinkMessage[]).flatMap((message) =>
        message.type === 'claims' && message.claims[0]?.state === 'asked' ? [message.ref] : [],
      );
    const say = (granted: boolean, ref = asked().at(-1) ?? 0) =>
      send(server, { type: 'verdict', link: link as Pid<LinkMessage>, ref, granted });
    const hears = () => say(true, (told.got as { ref: number }[]).at(-1)?.ref);
    const announce = (state: 'owned' | 'grace' | 'gone') => {
      const claims = [{ realm: 'main', name: 't', state, since: 1, grace: 500 }] as const;
      send(server, { type: 'announced', node, all: false, claims, answer: null });
    };
    return { asked, say, hears, announce };
  };
  return { ...base, quiet, claim, verdicts, linkTo };
}

test('a relay that has not heard yet that the owner has left is asked once more', async (t) => {
  const { claim, verdicts, linkTo, quiet, clock } = relay();
  const [a, c] = [linkTo('a'), linkTo('c')];
  a.announce('owned');
  claim();
  await quiet();
  c.say(false);
  a.say(true);
  await quiet();
  clock.advance(49);
  await quiet();
  t.deepEqual([a.asked().length, c.asked().length], [1, 1]);
  clock.advance(1);
  await quiet();
  t.deepEqual([a.asked().length, c.asked().length], [2, 2]);
  t.deepEqual(verdicts(), []);
  a.say(true);
  c.say(true);
  await quiet();
  for (const { hears } of [a, c]) hears();
  await quiet();
  t.deepEqual(verdicts(), ['granted']);
});

test('it is asked five times more, and then it is right', async (t) => {
  const { claim, verdicts, linkTo, quiet, clock } = relay();
  const c = linkTo('c');
  claim();
  await quiet();
  for (let round = 0; round < 5; round++) {
    c.say(false);
    await quiet();
    t.deepEqual(verdicts(), [], `round ${round}`);
    clock.advance(50);
    await quiet();
  }
  t.is(c.asked().length, 6);
  c.say(false);
  await quiet();
  t.deepEqual(verdicts(), ['owned']);
  clock.advance(5000);
  await quiet();
  t.is(c.asked().length, 6);
});

test('the owner’s own no is the last word, and so is its announcement', async (t) => {
  const { claim, verdicts, linkTo, quiet, clock } = relay();
  const [a, c] = [linkTo('a'), linkTo('c')];
  a.announce('owned');
  claim();
  await quiet();
  a.say(false);
  await quiet();
  t.deepEqual(verdicts(), ['owned']);
  a.announce('gone');
  claim();
  await quiet();
  a.say(true);
  c.say(false);
  await quiet();
  c.announce('owned');
  await quiet();
  t.deepEqual(verdicts(), ['owned', 'owned']);
  clock.advance(5000);
  await quiet();
  t.is(c.asked().length, 2);
});
