import test from 'ava';
import fc from 'fast-check';
import type { LinkMessage } from '../../src/cluster/backplane.ts';
import { type Claim, Claims, wins } from '../../src/cluster/claims.ts';
import { type Link, Owners, type OwnersEffect, type OwnersEvent } from '../../src/cluster/owners.ts';
import { Topic } from '../../src/topic/topic.ts';
import { GRACE, OwnersWorld } from './owners-world.ts';

const topic = new Topic('main', 't');
const member = { id: 1 };

/** Relay b, linked to others, as a claim is made there. */
function relay() {
  const owners = new Owners(new Claims('b'));
  const happened: OwnersEffect[] = [];
  const timers: { readonly at: number; readonly event: OwnersEvent }[] = [];
  let now = 0;
  const step = (event: OwnersEvent) => {
    for (const effect of owners.step(event, now)) {
      happened.push(effect);
      if (effect.type === 'later') timers.push({ at: now + effect.delay, event: effect.event });
    }
  };
  const advance = (time: number) => {
    now += time;
    for (const timer of [...timers]) {
      if (timer.at > now) continue;
      timers.splice(timers.indexOf(timer), 1);
      step(timer.event);
    }
  };
  const claim = () => {
    const request = { type: 'claim', name: 't', member, grace: 500 } as const;
    step({ type: 'claim', topic, request, since: 1000 + now });
  };
  const verdicts = () => happened.flatMap((effect) => (effect.type === 'judge' ? [effect.granted] : []));
  const told = () => happened.flatMap((effect) => (effect.type === 'elsewhere' ? [effect.ownership] : []));
  const linkTo = (node: string | null) => {
    const link: Link = { id: happened.length };
    step({ type: 'attach', link, node });
    const told = () =>
      happened.flatMap((effect): Extract<LinkMessage, { readonly type: 'claims' }>[] =>
        effect.type === 'tell' && effect.link === link && effect.message.type === 'claims'
          ? [effect.message]
          : [],
      );
    const asked = () => told().filter(({ claims }) => claims[0]?.state === 'asked');
    const say = (granted: boolean, nodes?: readonly string[]) => {
      const ref = asked().at(-1)?.ref ?? 0;
      step({ type: 'verdict', link, ref, granted, ...(nodes === undefined ? {} : { nodes }) });
    };
    const hears = () => step({ type: 'verdict', link, ref: told().at(-1)?.ref ?? 0, granted: true });
    return { link, told, asked, say, hears };
  };
  const announce = (node: string, state: 'owned' | 'grace' | 'gone') => {
    const claims = [{ realm: 'main', name: 't', state, since: 1, grace: 500 }];
    step({ type: 'announced', node, all: false, claims, answer: null });
  };
  return { step, advance, claim, verdicts, told, linkTo, announce };
}

test('a relay that has not heard yet that the owner has left is asked once more', (t) => {
  const { claim, verdicts, linkTo, announce, advance } = relay();
  const [a, c] = [linkTo('a'), linkTo('c')];
  announce('a', 'owned');
  claim();
  c.say(false);
  a.say(true);
  advance(49);
  t.deepEqual([a.asked().length, c.asked().length], [1, 1]);
  advance(1);
  t.deepEqual([a.asked().length, c.asked().length], [2, 2]);
  a.say(true);
  c.say(true);
  t.deepEqual(verdicts(), [], 'the others hear of it first');
  a.hears();
  c.hears();
  t.deepEqual(verdicts(), [true]);
});

test('it is asked five times more, and then it is right', (t) => {
  const { claim, verdicts, linkTo, advance } = relay();
  const c = linkTo('c');
  claim();
  for (let round = 0; round < 5; round++) {
    c.say(false);
    t.deepEqual(verdicts(), [], `round ${round}`);
    advance(50);
  }
  t.is(c.asked().length, 6);
  c.say(false);
  t.deepEqual(verdicts(), [false]);
  advance(5000);
  t.is(c.asked().length, 6);
});

test('the owner’s own no is the last word, and so is its announcement', (t) => {
  const { claim, verdicts, linkTo, announce, advance } = relay();
  const [a, c] = [linkTo('a'), linkTo('c')];
  announce('a', 'owned');
  claim();
  a.say(false);
  t.deepEqual(verdicts(), [false]);
  announce('a', 'gone');
  claim();
  a.say(true);
  c.say(false);
  announce('c', 'owned');
  t.deepEqual(verdicts(), [false, false]);
  advance(5000);
  t.is(c.asked().length, 2);
});

test('an owner at a relay that is not linked cannot be asked: the claim is refused at once', (t) => {
  const { claim, verdicts, linkTo, announce } = relay();
  const a = linkTo('a');
  announce('c', 'owned');
  claim();
  t.deepEqual(verdicts(), [false]);
  t.is(a.asked().length, 0);
});

test('who does not answer is waited for: 2 s for its judgement, and 250 ms for it to hear', (t) => {
  const { claim, verdicts, linkTo, advance } = relay();
  const a = linkTo('a');
  claim();
  advance(1999);
  t.is(a.told().at(-1)?.claims[0]?.state, 'asked');
  advance(1);
  t.is(a.told().at(-1)?.claims[0]?.state, 'owned');
  advance(249);
  t.deepEqual(verdicts(), []);
  advance(1);
  t.deepEqual(verdicts(), [true]);
});

test('over a link to all a refusal is the last word, and the owner is among those who grant, or the claim is refused', (t) => {
  const { claim, verdicts, linkTo, announce, advance } = relay();
  const all = linkTo(null);
  announce('a', 'owned');
  claim();
  all.say(true, ['c']);
  t.deepEqual(verdicts(), [false]);
  claim();
  all.say(false);
  t.deepEqual(verdicts(), [false, false]);
  claim();
  all.say(true, ['a', 'c']);
  advance(250);
  t.deepEqual(verdicts(), [false, false, true]);
});

test('a topic that claims again, while its first claim is judged, has given that up', (t) => {
  const { claim, verdicts, linkTo } = relay();
  const a = linkTo('a');
  claim();
  claim();
  t.deepEqual(verdicts(), [false]);
  t.is(a.asked().length, 2);
  a.say(true);
  a.hears();
  t.deepEqual(verdicts(), [false, true]);
});

test('a link that ends is waited for no longer, neither for its judgement nor to hear', (t) => {
  const { step, claim, verdicts, linkTo } = relay();
  const [a, c] = [linkTo('a'), linkTo('c')];
  claim();
  c.say(true);
  step({ type: 'detach', link: a.link });
  t.is(c.told().at(-1)?.claims[0]?.state, 'owned');
  t.deepEqual(verdicts(), []);
  step({ type: 'detach', link: c.link });
  t.deepEqual(verdicts(), [true]);
});

test('a grace ends when it is over, also for a topic whose own owner was never let in', (t) => {
  const { step, claim, linkTo, announce, advance, told } = relay();
  const a = linkTo('a');
  announce('a', 'grace');
  t.deepEqual(told(), ['grace']);
  claim();
  a.say(true);
  step({ type: 'released', topic });
  t.like(a.told().at(-1)?.claims[0], { state: 'grace', grace: 500 });
  advance(499);
  step({ type: 'expire', topic });
  t.deepEqual(told(), ['grace'], 'a timer that rings early ends nothing');
  advance(1);
  t.deepEqual(told(), ['grace', 'none']);
});

const NODES = ['a', 'b', 'c'];
const NAMES = ['t', 'u'];
const RUNS = { numRuns: 300 };

type Act =
  | ('claim' | 'leave' | 'happen' | 'calm' | 'pass' | 'cut' | 'heal' | 'notice')
  | ('isolate' | 'rejoin' | 'die' | 'restart');

interface Action {
  readonly act: Act;
  /** Of the relay, the connection, or the queue. */
  readonly place: number;
  readonly name: string;
  readonly time: number;
}

/** Any of these acts; those that are named more often are more frequent. */
function actions(...acts: readonly Act[]): fc.Arbitrary<Action[]> {
  const action = fc.record({
    act: fc.constantFrom(...acts),
    place: fc.nat({ max: 100 }),
    name: fc.constantFrom('t', 't', 't', 'u'),
    time: fc.constantFrom(1, 49, 50, 250, GRACE, 2000),
  });
  return fc.array(action, { maxLength: 80, size: 'max' });
}

const skews = fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 3, maxLength: 3 });

function perform(world: OwnersWorld, { act, place, name, time }: Action): void {
  const relay = world.relays[place % world.relays.length];
  const connection = world.connections[place % world.connections.length];
  if (relay === undefined || connection === undefined) throw new Error('an empty world');
  switch (act) {
    case 'claim':
      world.claim(relay, name);
      return;
    case 'leave':
      world.leave(relay, name);
      return;
    case 'happen':
      for (let i = 0; i <= place % 8; i++) world.happen(place);
      return;
    case 'calm':
      world.calm();
      return;
    case 'pass':
      world.advance(time);
      return;
    case 'cut':
      world.cut(connection);
      return;
    case 'heal':
      world.heal(connection);
      return;
    case 'notice':
      world.notice(connection, time > 50 ? 'from' : 'to');
      return;
    case 'isolate':
      for (const one of world.connectionsOf(relay)) {
        world.cut(one);
        world.notice(one, 'from');
        world.notice(one, 'to');
      }
      return;
    case 'rejoin':
      for (const one of world.connectionsOf(relay)) world.heal(one);
      return;
    case 'die':
      world.die(relay);
      return;
    case 'restart':
      world.restart(relay);
      return;
  }
}

/** All relays, each of them linked to all others. */
function connected(skew: readonly number[]): OwnersWorld {
  const world = new OwnersWorld(NODES, skew);
  for (const connection of world.connections) world.heal(connection);
  world.settle();
  return world;
}

/** Each part of the network comes to rest by itself. */
function rest(world: OwnersWorld): void {
  for (const connection of world.connections)
    for (const end of ['from', 'to'] as const) world.notice(connection, end);
  world.settle();
}

/** The claim that is to win when the parts of the network meet. */
function winner({ relays }: OwnersWorld, name: string): Claim | undefined {
  const rivals = relays
    .flatMap(({ claims }) => claims.own({ realm: 'main', name }) ?? [])
    .filter(({ state }) => state === 'owned');
  return rivals.find((one) => rivals.every((other) => one === other || wins(one, other)));
}

const life = ['claim', 'claim', 'claim', 'leave', 'happen', 'happen', 'happen', 'calm'] as const;
const harm = ['cut', 'heal', 'notice', 'isolate', 'rejoin', 'rejoin', 'pass', 'pass'] as const;

test('whatever the network did, when it is whole again each topic has one owner, by the rule, and every relay knows', (t) => {
  fc.assert(
    fc.property(skews, actions(...life, ...harm, 'die', 'restart'), (skew, acts) => {
      const world = connected(skew);
      for (const act of acts) perform(world, act);
      rest(world);
      const expected = new Map(NAMES.map((name) => [name, winner(world, name)?.node]));
      for (const connection of world.connections) world.heal(connection);
      world.settle();
      for (const [name, owner] of expected) {
        t.deepEqual(
          world.ownersOf(name).map(({ node }) => node),
          owner === undefined ? [] : [owner],
        );
        for (const one of world.relays) {
          const isHere = owner === undefined || one.node === owner;
          const known = [...one.claims.of({ realm: 'main', name })].map(({ node, state }) => [node, state]);
          t.deepEqual(known, owner === undefined ? [] : [[owner, 'owned']]);
          t.is(one.claims.ownership({ realm: 'main', name }, world.now), isHere ? 'none' : 'owned');
          const { lifetime } = world.topic(one, name);
          if (owner === undefined) t.is(lifetime.state, 'unowned');
          else if (!isHere) t.deepEqual(lifetime, { state: 'elsewhere', grace: false });
        }
      }
    }),
    RUNS,
  );
});

test('as long as ownership servers live, every claim is answered once, whatever the network does', (t) => {
  fc.assert(
    fc.property(skews, actions(...life, ...harm), (skew, acts) => {
      const world = connected(skew);
      for (const act of acts) perform(world, act);
      rest(world);
      for (const verdicts of world.asked.values()) t.is(verdicts.length, 1);
      t.false(world.isMistaken, 'a claim that has lost is not granted');
    }),
    RUNS,
  );
});

test('while all relays hear each other in time, no topic ever has two owners', (t) => {
  fc.assert(
    fc.property(skews, actions(...life), (skew, acts) => {
      const world = connected(skew);
      for (const act of acts) perform(world, act);
      world.settle();
      t.true(world.most <= 1);
    }),
    RUNS,
  );
});
