import test from 'ava';
import fc from 'fast-check';
import { type Relay, type Seen, World } from './follower-world.ts';

type Act =
  | { readonly act: 'publish' | 'join' | 'restart' | 'restart topic'; readonly at: number }
  | {
      readonly act: 'arrive' | 'lose' | 'lose any' | 'overtake' | 'cut' | 'link';
      readonly from: number;
      readonly to: number;
    }
  | { readonly act: 'split'; readonly first: number }
  | { readonly act: 'heal' | 'flow' }
  | { readonly act: 'wait'; readonly time: number };

const relay = fc.nat({ max: 3 });
const way = { from: relay, to: relay };
const at = <Name extends Act['act']>(act: Name) => fc.record({ act: fc.constant(act), at: relay });
const on = <Name extends Act['act']>(...names: Name[]) =>
  fc.record({ act: fc.constantFrom(...names), ...way });
const of = <Name extends Act['act']>(act: Name) => fc.constant({ act });

type Weighted = fc.MaybeWeightedArbitrary<Act>;
const traffic: readonly Weighted[] = [
  { weight: 12, arbitrary: at('publish') },
  { weight: 10, arbitrary: on('arrive') },
  { weight: 3, arbitrary: of('flow') },
  { weight: 2, arbitrary: at('join') },
];
const broken: readonly Weighted[] = [
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constant('split' as const), first: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: of('heal') },
  { weight: 1, arbitrary: on('lose') },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant('wait' as const), time: fc.constantFrom(100, 260, 1100) }),
  },
];
const worse: readonly Weighted[] = [
  { weight: 1, arbitrary: on('cut') },
  { weight: 1, arbitrary: on('link') },
  { weight: 2, arbitrary: on('lose any', 'overtake') },
  { weight: 1, arbitrary: at('restart') },
  { weight: 1, arbitrary: at('restart topic') },
];
const quiet: readonly Weighted[] = [
  { weight: 2, arbitrary: at('join') },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constant('restart topic' as const), at: fc.integer({ min: 1, max: 2 }) }),
  },
];
const acts = (...choice: readonly Weighted[]) =>
  fc.array(fc.oneof(...choice), { minLength: 20, maxLength: 120, size: 'max' });

/** `isQuick`: what is on its way arrives before anybody has waited too long for it, and one trouble is over before the next. */
function perform(world: World, list: readonly Act[], isQuick = false): void {
  const relayAt = (index: number) => world.relays[index % world.relays.length] as Relay;
  let id = 0;
  for (const one of list) {
    switch (one.act) {
      case 'publish':
        relayAt(one.at).publish(++id);
        break;
      case 'join':
        relayAt(one.at).join();
        break;
      case 'restart':
        world.restart(one.at % world.relays.length);
        break;
      case 'restart topic':
        relayAt(one.at).restartTopic();
        break;
      case 'arrive':
        world.arrive(relayAt(one.from), relayAt(one.to));
        break;
      case 'lose':
        world.lose(relayAt(one.from), relayAt(one.to));
        break;
      case 'lose any':
        world.way(relayAt(one.from).name, relayAt(one.to).name).shift();
        break;
      case 'overtake':
        world.way(relayAt(one.from).name, relayAt(one.to).name).reverse();
        break;
      case 'cut':
        world.cut(relayAt(one.from), relayAt(one.to));
        break;
      case 'link':
        world.link(relayAt(one.from), relayAt(one.to));
        break;
      case 'split':
        world.split(one.first);
        break;
      case 'heal':
        world.heal();
        if (isQuick) world.calm();
        break;
      case 'flow':
        world.flow();
        break;
      case 'wait':
        if (isQuick) world.flow();
        world.now += one.time;
        for (const each of world.relays) each.tick();
    }
  }
}

test('whatever is lost, late, cut off or dies: a position is one message everywhere, and who is told that nothing is missing misses nothing', (t) => {
  let sure = 0;
  let unsure = 0;
  const check = fc.property(acts(...traffic, ...broken, ...worse), fc.boolean(), (list, isKept) => {
    const world = new World(4, isKept);
    world.calm();
    perform(world, list);
    for (const each of world.relays) {
      checkStream(each.seen);
      checkLine(world, each);
      for (const last of world.seen)
        if (resumes(world, last, each)) sure++;
        else if (isKept) unsure++;
    }
  });
  fc.assert(check, { numRuns: 1000 });
  t.true(sure > unsure, `${sure} of ${sure + unsure} resumed`);
});

test('what is lost on a link, or while it is cut, comes late: nothing that its home still has is missing anywhere', (t) => {
  const check = fc.property(acts(...traffic, ...broken), (list) => {
    const world = new World(4);
    world.calm();
    perform(world, list, true);
    whole(world);
    const tails = world.relays.map(({ line }) => `${line.epoch}:${line.last}`);
    t.is(new Set(tails).size, 1, tails.join(' '));
    const kept = world.relays.map(({ line }) => line.kept.map(({ id }) => id));
    for (const ids of kept) t.deepEqual(ids, kept[0] ?? []);
    t.false(kept[0]?.includes(null));
  });
  fc.assert(check, { numRuns: 500 });
});

test('while only the home publishes, joins and links that break for a while cost nobody anything', (t) => {
  const check = fc.property(acts(...traffic, ...broken, ...quiet), (list) => {
    const world = new World(3);
    world.calm();
    const atHome = list.map((one) => (one.act === 'publish' ? { ...one, at: 0 } : one));
    perform(world, [{ act: 'publish', at: 0 }, { act: 'flow' }]);
    for (const each of world.relays) each.seen = [];
    perform(world, atHome, true);
    world.heal();
    world.calm();
    // Of what was lost last, the others hear by the message behind it.
    perform(world, [{ act: 'publish', at: 0 }]);
    world.calm();
    const [{ line: good, seen }] = world.relays as [Relay];
    t.false(
      seen.some(({ type }) => type === 'gap'),
      'the home is told of a gap',
    );
    for (const { line } of world.relays) {
      t.is(`${line.epoch}:${line.last}`, `${good.epoch}:${good.last}`);
      t.deepEqual(line.kept, good.kept);
    }
  });
  fc.assert(check, { numRuns: 500 });
});

test('when the network is whole again and quiet, all relays have one tail, whoever has died', (t) => {
  const check = fc.property(acts(...traffic, ...broken, ...worse), fc.boolean(), (list, isKept) => {
    const world = new World(3, isKept);
    world.calm();
    perform(world, list);
    const id = whole(world);
    const tails = world.relays.map(({ line }) => `${line.epoch}:${line.last}`);
    t.is(new Set(tails).size, 1, tails.join(' '));
    for (const { line } of world.relays) t.is(line.kept.at(-1)?.id, id);
  });
  fc.assert(check, { numRuns: 500 });
});

test('who is asked by a new home, and is linked to the one of before, answers when it has what that one has sent', (t) => {
  const world = new World(3);
  world.calm();
  const [home, next, far] = world.relays as [Relay, Relay, Relay];
  home.publish(1);
  world.calm();
  for (const each of world.relays) each.seen = [];
  home.publish(2);
  world.cut(home, next);
  next.publish(3);
  // Its question overtakes the message.
  world.arrive(next, far);
  world.arrive(far, next);
  world.arrive(home, far);
  world.cut(home, far);
  world.calm();
  for (const { seen } of [next, far])
    t.deepEqual(
      seen.map((one) => (one.type === 'message' ? one.id : 'gap')),
      [2, 3],
    );
});

/** Returns the last message that is published then. */
function whole(world: World): number {
  world.heal();
  world.calm();
  let id = 1_000_000;
  for (const { name } of world.relays) {
    world.relays.find((one) => one.name === name)?.publish(++id);
    world.calm();
  }
  return id;
}

/** Whether a client that has seen a message last is told at that relay that it gets all that it has missed. */
function resumes(
  world: World,
  last: Extract<Seen, { readonly type: 'message' }>,
  { line, name }: Relay,
): boolean {
  const place = line.find(last);
  if (place === null || !place.isSure) return false;
  if (world.meaning(line.epoch, place.offset) !== last.id)
    throw new Error(`${last.epoch}:${last.offset} is another message at ${name}`);
  return line.behind(place.offset) !== null;
}

/** Messages follow one another, or a gap is told; none comes twice. */
function checkStream(seen: readonly Seen[]): void {
  const ids = new Set<number>();
  let last: number | null = null;
  for (const one of seen) {
    if (one.type === 'gap') {
      last = null;
      continue;
    }
    if (last !== null && one.offset !== last + 1) throw new Error(`${one.offset} behind ${last}`);
    if (ids.has(one.id)) throw new Error(`${one.id} comes twice ${JSON.stringify(seen)}`);
    ids.add(one.id);
    last = one.offset;
  }
}

function checkLine(world: World, { line, name }: Relay): void {
  for (const { offset, id } of line.kept)
    if (id !== null && world.meaning(line.epoch, offset) !== id)
      throw new Error(
        `${name} has ${id} at ${line.epoch}:${offset}, which is ${world.meaning(line.epoch, offset)}`,
      );
}
