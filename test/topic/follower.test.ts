import test from 'ava';
import {
  Follower,
  isLater,
  PATIENCE,
  type Placed,
  type Step,
  sharedOf,
  sinceOf,
  type Tail,
} from '../../src/topic/follower.ts';
import { Line } from '../../src/topic/history/line.ts';
import type { Ancestor } from '../../src/topic/position.ts';
import { textMessage } from './topics-world.ts';

const [one, two, three] = ['1aaaaaa', '2bbbbbb', '3cccccc'] as const;

interface Options {
  readonly lineage?: readonly Ancestor[];
  readonly isAnswer?: boolean;
  readonly from?: string;
}

const batch = (epoch: string, first: number, count: number, options: Options = {}): Placed => ({
  place: { epoch, first, lineage: options.lineage ?? [] },
  count,
  isAnswer: options.isAnswer ?? false,
  from: options.from ?? 'home',
});

const nothing: Placed = { place: null, count: 0, isAnswer: true, from: 'home' };

/** One that follows from a tail, and what it does, in short. */
function at(tail: Tail, leads = false, isKept = true) {
  const follower = new Follower<Placed>(() => tail, leads, isKept);
  const take = (one: Placed, now = 0, isHome = false) => short(follower.take(one, now, isHome));
  return { follower, take };
}

const short = (steps: readonly Step<Placed>[]) =>
  steps.map((step) => {
    switch (step.type) {
      case 'take':
        return `${step.isFill ? 'fill' : 'take'} ${step.from}-${step.to}`;
      case 'change':
        return step.change.type === 'hole' ? `hole ${step.change.count}` : step.change.type;
      case 'lose':
        return `lose ${step.count} ${step.why}`;
      case 'ask':
        return `ask ${step.relay}`;
      default:
        return step.type;
    }
  });

const tail = (epoch: string, last: number, lineage: readonly Ancestor[] = []): Tail => ({
  epoch,
  last,
  lineage,
});

test('what comes next is taken, what was there is not, and what is partly new in part', (t) => {
  const { take, follower } = at(tail(one, 5));
  t.deepEqual(take(batch(one, 6, 2)), ['take 0-2']);
  t.deepEqual(take(batch(one, 6, 2)), []);
  t.deepEqual(take(batch(one, 7, 3)), ['take 1-3']);
  t.is(follower.since, `${one}:9`);
});

test('what is beyond is asked for once, comes in the answer, and is a hole where the answer has none', (t) => {
  const { take, follower } = at(tail(one, 5));
  t.deepEqual(take(batch(one, 8, 1)), ['ask home']);
  t.deepEqual(take(batch(one, 9, 1), PATIENCE - 1), []);
  t.true(follower.isAsking);
  t.deepEqual(take(batch(one, 7, 3, { isAnswer: true })), ['hole 1', 'take 0-3']);
  t.deepEqual(take(batch(one, 11, 0, { isAnswer: true })), ['hole 1']);
  t.false(follower.isAsking);
  t.deepEqual(take(batch(one, 11, 1)), ['take 0-1']);
});

test('what nobody brings is given up after a second, and not before; of a relay that is away not at all', (t) => {
  const late = () => {
    const world = at(tail(one, 5));
    world.take(batch(one, 8, 2));
    return world.follower;
  };
  t.deepEqual(short(late().expire(PATIENCE - 1, true)), []);
  t.deepEqual(short(late().expire(PATIENCE, true)), ['hole 4', 'lose 2 unreachable']);
  t.deepEqual(short(late().expire(PATIENCE, false)), []);
});

test('an epoch that goes on where this relay is takes over; one that leaves earlier makes it forget the rest', (t) => {
  const lineage = [{ epoch: one, end: 5 }];
  t.deepEqual(at(tail(one, 5)).take(batch(two, 6, 1, { lineage })), ['continue', 'take 0-1']);
  t.deepEqual(at(tail(one, 7)).take(batch(two, 6, 1, { lineage })), ['truncate', 'take 0-1']);
  t.deepEqual(at(tail(one, 4)).take(batch(two, 6, 1, { lineage })), ['ask home']);
  const answer = batch(two, 5, 2, { lineage, isAnswer: true });
  t.deepEqual(at(tail(one, 4)).take(answer), ['take 0-1', 'continue', 'take 1-2']);
});

test('an epoch of which nothing is known is asked for, and then goes to nobody who may have had it before', (t) => {
  const { take } = at(tail(one, 5));
  t.deepEqual(take(batch(three, 9, 1)), ['ask home']);
  t.deepEqual(take(batch(three, 8, 2, { isAnswer: true })), ['adopt', 'fill 0-2']);
  t.deepEqual(take(batch(three, 10, 0, { isAnswer: true })), ['filled']);
  t.deepEqual(take(batch(three, 10, 1)), ['take 0-1']);
});

test('an earlier epoch is stale, and its relay is asked, so that it hears of the later one', (t) => {
  const { take } = at(tail(two, 5, [{ epoch: one, end: 3 }]));
  t.deepEqual(take(batch(one, 4, 2)), ['lose 2 stale', 'ask home']);
  t.deepEqual(take(nothing), []);
});

test('a new home takes what others have in the order of offsets, and begins an epoch behind all of it', (t) => {
  const { follower, take } = at(tail(one, 5));
  follower.settle();
  follower.awaits(['a', 'b']);
  take(batch(one, 8, 1, { isAnswer: true, from: 'a' }));
  take(batch(one, 9, 0, { isAnswer: true, from: 'a' }));
  t.false(follower.isAnswered);
  take(batch(one, 6, 2, { isAnswer: true, from: 'b' }));
  take(batch(one, 8, 0, { isAnswer: true, from: 'b' }));
  t.true(follower.isAnswered);
  t.deepEqual(short(follower.lead(0, () => 0)), ['take 0-2', 'take 0-1', 'continue']);
  t.is(follower.mode, 'leading');
});

test('a new home that lacks the end of an earlier epoch does not claim it for its own', (t) => {
  const lineage = [{ epoch: one, end: 5 }];
  const { follower, take } = at(tail(one, 2));
  follower.settle();
  follower.awaits(['a']);
  // Its answer has got lost but for the first part.
  take(batch(two, 3, 1, { isAnswer: true, from: 'a', lineage }));
  const last = follower.lead(0, () => 0).at(-1);
  t.like(last, { type: 'change', change: { type: 'continue', lineage: [{ epoch: one, end: 3 }] } });
});

test('where nothing is kept, nobody is asked, and nothing that has come is let go of', (t) => {
  const { take } = at(tail(one, 5), false, false);
  t.deepEqual(take(batch(one, 8, 1)), ['hole 2', 'take 0-1']);
  t.deepEqual(take(batch(three, 4, 1)), ['adopt', 'take 0-1']);
});

test('a home that is contradicted asks around; another relay’s claim to be behind does not disturb it', (t) => {
  const { follower, take } = at(tail(two, 5, [{ epoch: one, end: 3 }]), true);
  t.false(follower.isBehind(`${one}:3`));
  t.true(follower.isBehind(`${three}:1,${one}:2`));
  t.deepEqual(take(batch(three, 1, 1), 2000, true), ['settle']);
  t.is(follower.mode, 'settling');
});

test('two lines share what the shorter has of what both have; what is not known is not shared', (t) => {
  const line = tail(three, 9, [
    { epoch: two, end: 6 },
    { epoch: one, end: 4 },
  ]);
  t.is(sinceOf(line), `${three}:9,${two}:6,${one}:4`);
  t.is(sharedOf(line, `${three}:7`), 7);
  t.is(sharedOf(line, `${two}:8,${one}:4`), 6);
  t.is(sharedOf(line, `9zzzzzz:8`), 0);
  t.is(sharedOf(line, ''), 0);
  t.true(isLater(three, two) && isLater('2cccccc', two) && isLater(one, ''));
  t.false(isLater(two, two) || isLater('', one));
});

test('a topic that is started again goes on where its line was left, message by message', (t) => {
  const line = new Line({ realm: 'main', name: 't' }, null, null, '1abcdef');
  for (const text of ['a', 'b']) line.take(textMessage(text), 0);
  const { follower, take } = at(line);
  t.deepEqual(take(batch('1abcdef', 3, 1)), ['take 0-1']);
  line.take(textMessage('c'), 0);
  t.deepEqual(take(batch('1abcdef', 4, 2)), ['take 0-2']);
  t.is(follower.since, '1abcdef:5');
});
