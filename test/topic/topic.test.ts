import test from 'ava';
import type { Pid } from '../../src/otp/process.ts';
import type { Lifetime } from '../../src/topic/lifetime.ts';
import { type Claim, type Join, type MemberMessage, Topic } from '../../src/topic/topic.ts';
import { plain } from './topics-world.ts';

const [a, b, server] = [{ id: 1 }, { id: 2 }, { id: 3 }] as const;
const ref = {} as never;

function joinOf(member: Pid<MemberMessage>): Join {
  return { type: 'join', name: 't', member, format: plain, while: 'wanted' };
}

function claimOf(member: Pid<MemberMessage>): Claim {
  return { type: 'claim', name: 't', member, grace: 10 };
}

test('a topic is idle while nobody is in it, owns it, waits to, or has published to it', (t) => {
  const busy: Record<string, (topic: Topic) => void> = {
    'a member': ({ members }) => members.add(a, plain, ref),
    'another relay': ({ members }) => members.add(a, { ...plain, remote: true }, ref),
    'an owner': (topic) => topic.become({ state: 'owned', owner: a, grace: 0 }, 0),
    'a time of grace': (topic) => topic.become({ state: 'grace', until: 10 }, 0),
    'a join that waits': (topic) => topic.await(joinOf(a)),
    'a claim that waits': (topic) => topic.ask(claimOf(a)),
    'a message': ({ fanOut }) => fanOut.push({ type: 'publish', from: a, credit: 0, via: null } as never),
  };
  t.true(new Topic('main', 't').isIdle);
  for (const [what, happens] of Object.entries(busy)) {
    const topic = new Topic('main', 't');
    happens(topic);
    t.false(topic.isIdle, what);
  }
  const topic = new Topic('main', 't');
  topic.become({ state: 'elsewhere', grace: true }, 0);
  t.true(topic.isIdle, 'an owner elsewhere');
});

test('what the router holds back is let go at once and in its order', (t) => {
  const topic = new Topic('main', 't');
  t.false(topic.isStarting);
  topic.holdBack(joinOf(a));
  topic.holdBack(claimOf(b));
  t.true(topic.isStarting);
  t.deepEqual(topic.letGo(), [joinOf(a), claimOf(b)]);
  t.false(topic.isStarting);
  t.deepEqual(topic.letGo(), []);
});

test('who looks at a topic that has retired finds no server', (t) => {
  const topic = new Topic('main', 't');
  topic.serve(server);
  t.is(topic.server, server);
  topic.retire();
  t.is(topic.server, undefined);
  t.true(topic.retired);
});

test('a topic is owned since its first owner came, through graces and over owners', (t) => {
  const topic = new Topic('main', 't');
  const owned = (owner: Pid<MemberMessage>): Lifetime<Pid<MemberMessage>> => ({
    state: 'owned',
    owner,
    grace: 10,
  });
  topic.become(owned(a), 100);
  topic.become({ state: 'grace', until: 210 }, 200);
  topic.become(owned(b), 205);
  topic.become(owned(b), 207);
  t.is(topic.ownedSince, 100);
  topic.become({ state: 'elsewhere', grace: false }, 300);
  t.is(topic.ownedSince, 100);
  topic.become(owned(a), 400);
  t.is(topic.ownedSince, 400);
});

test('a claim is judged once, and no other one in its place', (t) => {
  const topic = new Topic('main', 't');
  const claim = claimOf(a);
  topic.ask(claim);
  t.false(topic.judged(claimOf(a)));
  t.true(topic.judged(claim));
  t.false(topic.judged(claim));
});

test('the other relays are asked once for all who wait, and anew when all interest was lost', (t) => {
  const topic = new Topic('main', 't');
  t.false(topic.loseInterest(), 'nobody has heard of any');
  t.is(topic.await(joinOf(a)), 1);
  t.is(topic.await(joinOf(b)), null);
  t.false(topic.loseInterest(), 'two are coming');
  t.deepEqual([topic.nextJoin()?.member, topic.nextJoin()?.member, topic.nextJoin()], [a, b, undefined]);
  topic.holdInterest();
  topic.members.add(a, plain, ref);
  t.false(topic.loseInterest(), 'a is in');
  topic.members.remove(a);
  t.true(topic.loseInterest());
  t.is(topic.interest, 'none');
  t.is(topic.await(joinOf(a)), 2);
});
