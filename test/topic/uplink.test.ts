import test from 'ava';
import fc from 'fast-check';
import type { Elsewhere } from '../../src/topic/elsewhere.ts';
import { interested, judged, publish } from '../../src/topic/topic-requests.ts';
import { turn } from '../support/otp.ts';
import { type TopicsWorld, textMessage, topicsWorld } from './topics-world.ts';

interface World extends TopicsWorld {
  /** What has gone up, by topic. */
  readonly up: Map<string, string[]>;
}

/** Topics whose messages all go to other relays, which know of every member at once. */
function worldWithUplink(): World {
  const up = new Map<string, string[]>();
  const elsewhere: Elsewhere = {
    alone: false,
    uplink: {
      publish({ name }, messages, accounting) {
        accounting.attempt(messages.length);
        accounting.deliver(messages.length);
        up.set(name, [...(up.get(name) ?? []), ...messages.map(({ payload }) => payload.toString())]);
      },
    },
    wanted: interested,
    unwanted: () => undefined,
    ownership: () => 'none',
    claim: (topic, claim) => judged(topic, claim, 'granted'),
    released: () => undefined,
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
  };
  return { ...topicsWorld(elsewhere), up };
}

test('what is published where nobody is goes up, and its credit comes back', async (t) => {
  const world = worldWithUplink();
  const publisher = world.member();
  for (const text of ['1', '2', '3']) t.true(world.publish(publisher, 'x', text, 10));
  await world.quiet();
  t.deepEqual(world.up.get('x'), ['1', '2', '3']);
  t.is(publisher.credit, 30);
  t.deepEqual(world.accounting.lost.unheard, 0);
});

test('such a topic lives for a second after its last message, and then goes', async (t) => {
  const world = worldWithUplink();
  const publisher = world.member();
  world.publish(publisher, 'x', '1');
  await world.quiet();
  const first = world.topic('x');
  await world.advance(999);
  world.publish(publisher, 'x', '2');
  await world.advance(1000);
  t.is(world.topic('x'), first);
  await world.advance(1000);
  t.is([...world.topics.all()].length, 0);
  t.deepEqual(world.up.get('x'), ['1', '2']);
});

test('what came from another relay goes to members here, and not up', async (t) => {
  const world = worldWithUplink();
  const member = world.member();
  world.join(member, 'x');
  await world.quiet();
  const message = textMessage('from there');
  const via = { node: 'there', epoch: 0 };
  publish(world.topic('x'), { type: 'publish', message, from: member.pid, credit: 0, via });
  world.publish(member, 'x', 'from here');
  await world.quiet();
  t.deepEqual(member.heard, ['from there', 'from here']);
  t.deepEqual(world.up.get('x'), ['from here']);
});

test('a message that is owned by somebody else is refused, topic or no topic', async (t) => {
  const world = worldWithUplink();
  const [owner, other] = [world.member(), world.member()];
  world.join(owner, 'x');
  await world.quiet();
  world.claim(owner, 'x');
  await world.quiet();
  world.publish(other, 'x', 'no', 5);
  world.publish(owner, 'x', 'yes');
  await world.quiet();
  t.deepEqual(world.up.get('x'), ['yes']);
  t.is(other.credit, 5);
});

type Act = 'publish-x' | 'publish-y' | 'join' | 'leave' | 'turn' | 'quiet' | 'second' | 'kill-router';
const calm = fc.constantFrom<Act>(
  'publish-x',
  'publish-x',
  'publish-y',
  'join',
  'leave',
  'turn',
  'quiet',
  'second',
);

async function run(world: World, acts: readonly Act[]): Promise<Record<'x' | 'y', number>> {
  const [publisher, member] = [world.member(), world.member()];
  const sent = { x: 0, y: 0 };
  for (const act of acts) {
    if (act === 'publish-x' || act === 'publish-y') {
      const name = act === 'publish-x' ? 'x' : 'y';
      if (world.publish(publisher, name, String(sent[name]), 1)) sent[name]++;
    } else if (act === 'join') world.join(member, 'x');
    else if (act === 'leave') world.leave(member, 'x');
    else if (act === 'turn') await turn();
    else if (act === 'quiet') await world.quiet();
    else if (act === 'second') await world.advance(1000);
    else {
      for (const name of [...world.system.names.keys()])
        if (/^topics\.\d\.router$/.test(name)) world.kill(name);
    }
  }
  await world.quiet();
  const { lost, messages } = world.accounting;
  if (messages !== sent.x + sent.y) throw new Error(`${messages} of ${sent.x + sent.y} are accounted for`);
  if (publisher.credit !== sent.x + sent.y) throw new Error(`${publisher.credit} of the credit is back`);
  const gone = Object.values(lost).reduce((sum, count) => sum + count, 0);
  const up = (world.up.get('x')?.length ?? 0) + (world.up.get('y')?.length ?? 0);
  if (up + gone !== messages) throw new Error(`${up} went up and ${gone} were lost of ${messages}`);
  return sent;
}

test('whatever comes and goes, all goes up, once and in order', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(calm, { maxLength: 60 }), async (acts) => {
      const world = worldWithUplink();
      const sent = await run(world, acts);
      for (const name of ['x', 'y'] as const)
        t.deepEqual(
          world.up.get(name) ?? [],
          Array.from({ length: sent[name] }, (_, index) => String(index)),
        );
    }),
  );
});

test('routers that die on the way lose no more than their mail, which is counted, and change no order', async (t) => {
  const acts = fc.array(fc.oneof({ weight: 12, arbitrary: calm }, fc.constant<Act>('kill-router')), {
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(acts, async (list) => {
      // Beyond their intensity the routers would be gone for good.
      let kills = 0;
      const world = worldWithUplink();
      await run(
        world,
        list.filter((act) => act !== 'kill-router' || ++kills <= 3),
      );
      for (const texts of world.up.values()) {
        const numbers = texts.map(Number);
        t.true(numbers.every((one, index) => index === 0 || one > (numbers[index - 1] as number)));
      }
    }),
  );
});
