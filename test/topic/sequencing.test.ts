import test from 'ava';
import type { Pid } from '../../src/otp/process.ts';
import type { Elsewhere } from '../../src/topic/elsewhere.ts';
import { PATIENCE } from '../../src/topic/follower.ts';
import type { Position } from '../../src/topic/position.ts';
import type { MemberMessage, Recall } from '../../src/topic/topic.ts';
import { come, interested, resync, unlinked } from '../../src/topic/topic-requests.ts';
import { keeping, numbering, REALM, textMessage, topicsWorld } from './topics-world.ts';

const format = numbering('numbering');
const epoch = '3aaaaaa';
const NAME = 'kept';

/** An ordered topic of a relay that is linked to others, and what it asks of them. They confirm interest at once. */
function world(...relays: readonly string[]) {
  const linked = new Set(relays);
  const asked: string[] = [];
  const links = new Map<string, Pid<MemberMessage>>();
  const self = { node: 'self', epoch: 1 };
  let home: string | null = relays[0] ?? null;
  const elsewhere: Elsewhere = {
    alone: false,
    uplink: null,
    wanted: interested,
    unwanted: () => undefined,
    ownership: () => 'none',
    claim: () => undefined,
    released: () => undefined,
    isOrdered: () => true,
    sequencer: () => (home === null ? self : null),
    forward: () => true,
    leftOver: () => [],
    mayFollow: () => true,
    home: () => home,
    isLinked: (relay) => linked.has(relay),
    isLinkTo: (one, relay) => links.get(relay) === one,
    hasLed: () => true,
    recall(_topic, since, relay) {
      const those = relay === null ? [...linked] : [relay].filter((one) => linked.has(one));
      asked.push(...those.map((one) => `${one} ${since}`.trim()));
      return those;
    },
  };
  const base = topicsWorld(elsewhere, keeping());
  const { member, join, quiet, topic, advance } = base;
  const link = member().pid;
  const send = (from: string, first: number, texts: readonly string[], isAnswer: boolean, of = epoch) =>
    come(topic(NAME), {
      type: 'incoming',
      place: { epoch: of, first, lineage: [] },
      count: texts.length,
      isAnswer,
      from,
      messages: texts.map(textMessage),
      keys: null,
      via: { node: from, epoch: 1 },
      link,
      credit: 0,
    });
  return {
    ...base,
    asked,
    async advance(time: number) {
      await advance(time);
      await quiet();
    },
    /** Somebody joins, and asks for what is behind a position. */
    async comes(since?: Position) {
      const one = member();
      join(one, NAME, { format, ...(since === undefined ? {} : { since }) });
      await quiet();
      return one;
    },
    async publishes(from: string, first: number, ...texts: string[]) {
      send(from, first, texts, false);
      await quiet();
    },
    /** A relay sends what it keeps from an offset on. */
    async answers(from: string, first: number, ...texts: string[]) {
      if (texts.length > 0) send(from, first, texts, true);
      send(from, first + texts.length, [], true);
      await quiet();
    },
    /** A relay asks for what is kept behind an offset. Returns what it is sent. */
    async asks(relay: string, offset: number) {
      const one = member();
      links.set(relay, one.pid);
      base.topics.recall(base.system, REALM, recallOf(one.pid, offset), false);
      await quiet();
      return one.heard;
    },
    /** A relay that was the home has made its link to this one again. */
    async returns(relay: string) {
      linked.add(relay);
      home = relay;
      resync(topic(NAME), relay);
      await quiet();
    },
    /** Another relay is the home now, and linked. */
    begins(relay: string) {
      linked.add(relay);
      home = relay;
    },
    /** A relay ends. */
    async ends(relay: string, next: string | null) {
      linked.delete(relay);
      home = next;
      unlinked(topic(NAME));
      await quiet();
    },
  };
}

const at = (offset: number): Position => ({ epoch, offset });

const recallOf = (member: Pid<MemberMessage>, offset: number): Recall => ({
  type: 'recall',
  name: NAME,
  since: `${epoch}:${offset}`,
  member,
  answer: (messages, place) =>
    Buffer.from(`${place?.first ?? 'none'}:${messages.map(({ payload }) => payload.toString()).join(' ')}`),
});

test('who comes first waits until the home has answered, and is told where its line stands', async (t) => {
  const { comes, advance, answers, asked } = world('home');
  const a = await comes();
  await advance(PATIENCE - 1);
  t.deepEqual(a.told, []);
  t.deepEqual(asked, ['home']);
  await answers('home', 1);
  t.deepEqual(a.told, ['joined kept']);
  t.deepEqual(a.heard, []);
});

test('where the home does not answer for a second, who comes is let in, and told that something may be missing', async (t) => {
  const { comes, advance, answers } = world('home');
  const a = await comes(at(2));
  await advance(PATIENCE - 1);
  t.deepEqual(a.told, []);
  await advance(1);
  t.deepEqual(a.told, ['joined kept 0-0 missed null link']);
  await answers('home', 1, 'one', 'two', 'three');
  const b = await comes(at(2));
  t.deepEqual(b.told, ['joined kept 2-3 recovered']);
});

test('who has waited for no answer does not tell the next one that nothing is missing, until a message follows', async (t) => {
  const { comes, advance, answers, publishes, leave, ends } = world('home', 'other');
  const a = await comes();
  await answers('home', 1, 'one', 'two');
  leave(a, NAME);
  await advance(10_000);
  const b = await comes(at(2));
  await advance(PATIENCE);
  t.deepEqual(b.told, ['joined kept 2-2 missed null link']);
  const c = await comes(at(2));
  t.deepEqual(c.told, ['joined kept 2-2 missed null link']);
  await publishes('home', 3, 'three');
  const d = await comes(at(2));
  t.deepEqual(d.told, ['joined kept 2-3 recovered']);
  await ends('home', 'other');
  t.deepEqual((await comes(at(3))).told, ['joined kept 3-3 recovered']);
});

test('what a home was asked for that ends, the next one is asked for, and who waits misses nothing', async (t) => {
  const { comes, ends, answers, asked, advance } = world('home', 'next');
  const a = await comes(at(2));
  await advance(PATIENCE / 2);
  await ends('home', 'next');
  await advance(PATIENCE - 1);
  t.deepEqual(asked, ['home', 'next']);
  t.deepEqual(a.told, []);
  await answers('next', 1, 'one', 'two', 'three');
  t.deepEqual(a.told, ['joined kept 2-3 recovered']);
  t.deepEqual(a.heard, ['3:three']);
});

test('the next home does not answer either: who waits is let in a second later', async (t) => {
  const { comes, ends, advance } = world('home', 'next');
  const a = await comes(at(2));
  await advance(PATIENCE / 2);
  await ends('home', 'next');
  await advance(PATIENCE - 1);
  t.deepEqual(a.told, []);
  await advance(1);
  t.deepEqual(a.told, ['joined kept 0-0 missed null link']);
});

test('if this relay is the next home, all others are asked for what the home that has ended was asked for', async (t) => {
  const { comes, ends, answers, asked } = world('home', 'x', 'y');
  const a = await comes(at(2));
  await ends('home', null);
  t.deepEqual(asked, ['home', 'x', 'y']);
  await answers('x', 1, 'one', 'two', 'three');
  t.deepEqual(a.told, []);
  await answers('y', 1, 'one', 'two');
  t.deepEqual(a.told, ['joined kept 2-3 recovered']);
});

test('a new home does not wait for a relay whose link has ended', async (t) => {
  const { comes, ends, answers, publish, member, quiet, asked } = world('home', 'x', 'y');
  const a = await comes();
  await answers('home', 1, 'one');
  await ends('home', null);
  publish(member(), NAME, 'two');
  await quiet();
  t.deepEqual(asked.slice(1), [`x ${epoch}:1`, `y ${epoch}:1`]);
  await answers('x', 2);
  t.deepEqual(a.heard, []);
  await ends('y', null);
  t.deepEqual(a.heard, ['2:two']);
});

test('while what is missing has been asked for, who comes back waits for it', async (t) => {
  const { comes, answers, publishes, asked, advance } = world('home');
  const a = await comes();
  await answers('home', 1, 'one');
  await publishes('home', 4, 'four');
  t.deepEqual(asked, ['home', `home ${epoch}:1`]);
  const b = await comes(at(1));
  await advance(PATIENCE - 1);
  t.deepEqual(b.told, []);
  await answers('home', 2, 'two', 'three', 'four');
  t.deepEqual(b.told, ['joined kept 1-4 recovered']);
  t.deepEqual(b.heard, ['2:two', '3:three', '4:four']);
  t.deepEqual(a.heard, ['2:two', '3:three', '4:four']);
});

test('a relay that ends without having been asked changes nothing', async (t) => {
  const { comes, ends, asked, answers } = world('home', 'other');
  const a = await comes(at(1));
  await ends('other', 'home');
  t.deepEqual(asked, ['home']);
  await answers('home', 1, 'one');
  t.deepEqual(a.told, ['joined kept 1-1 recovered']);
});

test('who waits while this relay asks all others, and is no home any more then, waits for the answer of the one that is', async (t) => {
  const { comes, ends, begins, answers, asked } = world('home', 'x');
  const a = await comes(at(2));
  await ends('home', null);
  begins('back');
  await answers('x', 1, 'one');
  t.deepEqual(asked, ['home', 'x', `back ${epoch}:1`]);
  t.deepEqual(a.told, []);
  await answers('back', 2, 'two', 'three');
  t.deepEqual(a.told, ['joined kept 2-3 recovered']);
});

test('a relay that leads is sure of its line, though its home did not answer before', async (t) => {
  const { comes, answers, ends, advance, publish, member, quiet, leave } = world('home');
  const a = await comes();
  await answers('home', 1, 'one');
  leave(a, NAME);
  await advance(10_000);
  const b = await comes(at(1));
  await advance(PATIENCE);
  t.deepEqual(b.told, ['joined kept 1-1 missed null link']);
  await ends('home', null);
  publish(member(), NAME, 'two');
  await quiet();
  t.deepEqual((await comes(at(1))).told, ['joined kept 1-2 recovered']);
});

test('what a first member was to wait for at most does not hold up the next first one', async (t) => {
  const { comes, answers, leave, advance } = world('home');
  const a = await comes();
  await answers('home', 1, 'one');
  leave(a, NAME);
  await advance(200);
  const b = await comes(at(1));
  await advance(60);
  await answers('home', 2);
  t.deepEqual(b.told, ['joined kept 1-1 recovered']);
});

test('who comes back while this relay asks all others waits, too, where another one is the home by then', async (t) => {
  const { comes, ends, begins, answers } = world('home', 'x');
  const a = await comes();
  await answers('home', 1, 'one');
  await ends('home', null);
  const b = await comes(at(1));
  begins('back');
  await answers('x', 2);
  t.deepEqual(b.told, []);
  await answers('back', 2, 'two');
  t.deepEqual(b.told, ['joined kept 1-2 recovered']);
  t.deepEqual(a.heard, ['2:two']);
});

test('who is asked by another relay than its home asks that one first, and answers with what it has sent', async (t) => {
  const { comes, answers, asks, asked, publishes, returns } = world('home', 'next', 'third');
  await comes();
  await answers('home', 1, 'one');
  const got = [await asks('next', 0), await asks('third', 1)];
  t.deepEqual(asked.slice(1), [`home ${epoch}:1`]);
  await publishes('home', 2, 'two');
  t.deepEqual(got, [[], []]);
  await returns('home');
  t.deepEqual(got, [[], []]);
  await answers('home', 3);
  t.deepEqual(got, [
    ['1:one two', '3:'],
    ['2:two', '3:'],
  ]);
});

test('who is asked as its home ends answers once it has seen that', async (t) => {
  const { comes, answers, asks, ends, publishes } = world('home', 'next');
  const a = await comes();
  await answers('home', 1, 'one');
  const got = await asks('next', 1);
  await publishes('home', 2, 'two');
  await ends('home', 'next');
  t.deepEqual(got, ['2:two', '3:']);
  t.deepEqual(a.heard, ['2:two']);
});

test('the home is answered at once, and who is not is answered after a second, or as soon as it is the home', async (t) => {
  const { comes, answers, asks, advance, returns } = world('home', 'next');
  await comes();
  await answers('home', 1, 'one');
  t.deepEqual(await asks('home', 0), ['1:one', '2:']);
  const late = await asks('next', 1);
  await advance(PATIENCE - 1);
  t.deepEqual(late, []);
  await advance(1);
  t.deepEqual(late, ['2:']);
  const again = await asks('next', 1);
  t.deepEqual(again, []);
  await returns('next');
  t.deepEqual(again, ['2:']);
});

test('what a relay fetches where nobody is a member, to answer another one, is lost on nobody', async (t) => {
  const { comes, answers, asks, leave, advance, accounting } = world('home', 'next');
  const a = await comes();
  await answers('home', 1, 'one');
  leave(a, NAME);
  await advance(10_000);
  const got = await asks('next', 1);
  await answers('home', 2, 'two');
  t.deepEqual(got, ['2:two', '3:']);
  t.is(accounting.lost.unheard, 0);
});
