import test from 'ava';
import { FORGET, ForwardedCounts } from '../../../src/cluster/mesh/forwarded-counts.ts';
import { underway } from '../../support/underway.ts';

const home = { node: 'home', incarnation: 'first' };
const anew = { node: 'home', incarnation: 'second' };

/** A relay that has forwarded so many messages to its home, of which so many are known to have been taken. */
function forwarded(sent: number, taken: number) {
  let lost = 0;
  const answers = { done: 0, notDone: 0 };
  const counts = new ForwardedCounts(
    (count) => {
      lost += count;
    },
    (_, isDone) => {
      answers[isDone ? 'done' : 'notDone']++;
    },
  );
  counts.linked(home, 0);
  counts.sent('home', underway(sent));
  counts.confirmed('home', taken);
  return { counts, answers, lost: () => lost };
}

test('a link made again to the same relay: what it has not taken is lost, to the message', (t) => {
  const { counts, lost } = forwarded(100, 60);
  t.is(counts.linked(home, 97), 3);
  t.is(lost(), 3);
  t.like(counts.of('home'), { sent: 97, taken: 97, unreachable: 3 });
  t.is(counts.linked(home, 97), 0, 'and only once');
  t.is(lost(), 3);
});

test('a relay that was started anew: what the one before has not confirmed is lost', (t) => {
  const { counts, lost } = forwarded(100, 60);
  t.is(counts.linked(anew, 0), 40);
  t.is(lost(), 40);
  t.like(counts.of('home'), { incarnation: 'second', sent: 0, taken: 0, unreachable: 40 });
});

test('a relay that has forgotten what it took counts from its new beginning', (t) => {
  const { counts, lost } = forwarded(100, 60);
  t.is(counts.linked(home, 59), 40);
  t.is(lost(), 40);
  t.like(counts.of('home'), { sent: 59, taken: 59 });
});

test('a relay that remembers more than this one has sent since it was settled for has lost nothing more', (t) => {
  const { counts, lost } = forwarded(100, 60);
  counts.settle('home');
  t.is(lost(), 40);
  t.is(counts.linked(home, 97), 0);
  counts.settleAll();
  t.is(lost(), 40);
});

test('a relay that stays away is waited for as long as it remembers, and no longer', (t) => {
  const { counts, lost } = forwarded(100, 60);
  counts.forgetIfLongGone('home', 2 * FORGET);
  t.is(lost(), 0, 'one that is linked is never given up');
  t.is(counts.parted('home', 1000), 40, 'of so many nobody can tell');
  counts.forgetIfLongGone('home', 1000 + FORGET - 1);
  t.is(lost(), 0);
  counts.forgetIfLongGone('home', 1000 + FORGET);
  t.is(lost(), 40);
  t.is(counts.of('home'), undefined);
  counts.forgetIfLongGone('home', 1000 + FORGET);
  t.is(lost(), 40);
});

test('what could not be handed over is lost at once, whoever would have been there', (t) => {
  const { counts, lost } = forwarded(100, 100);
  counts.unreachable('home', underway(3));
  counts.unreachable(null, underway(4));
  t.is(lost(), 7);
  t.like(counts.of('home'), { sent: 100, unreachable: 3 });
});

test('publishers hear once what has become of their messages: sent to all, in vain, or perhaps', (t) => {
  const { counts, answers } = forwarded(100, 60);
  t.deepEqual(answers, { done: 0, notDone: 0 }, 'that they were taken is no answer');
  counts.settled('home', { count: 50, failed: [3, 50] });
  t.deepEqual(answers, { done: 48, notDone: 2 });
  counts.settled('home', { count: 50, failed: [] });
  counts.settled('home', { count: 70, failed: [] });
  t.deepEqual(answers, { done: 68, notDone: 2 });
  counts.parted('home', 0);
  t.deepEqual(answers, { done: 68, notDone: 32 });
  counts.linked(home, 97);
  counts.settled('home', { count: 97, failed: [80] });
  counts.unreachable(null, underway(1));
  t.deepEqual(answers, { done: 68, notDone: 33 }, 'those of a connection before have been answered');
  counts.sent('home', underway(2));
  counts.settled('home', { count: 99, failed: [98] });
  t.deepEqual(answers, { done: 69, notDone: 34 });
});

test('what a relay that leaves has not taken is neither lost nor answered: it goes elsewhere, in its order', (t) => {
  const { counts, answers, lost } = forwarded(10, 7);
  counts.settled('home', { count: 5, failed: [] });
  const left = counts.leaves('home');
  t.deepEqual(
    left.map(({ topic }) => topic.name),
    ['7', '8', '9'],
  );
  t.is(counts.parted('home', 0), 0);
  t.is(counts.linked(anew, 0), 0);
  t.is(lost(), 0);
  t.deepEqual(answers, { done: 5, notDone: 2 }, 'of what it has taken and said no more, nobody knows');
});
