import test from 'ava';
import { CREDENTIALS } from '../../src/authenticator/standing.ts';
import { Asking, Judged } from '../../src/connection/asking.ts';

/** Answers that one connection remembers, beside those about topics that it is in. */
const ANSWERS = 512;

test('of more answers than are remembered the oldest goes, but for topics that are joined', (t) => {
  const judged = new Judged();
  t.is(judged.allow('read', 'joined', 'joined', 1), undefined);
  judged.joined.set('joined', 'joined');
  for (let n = 0; n < ANSWERS; n++) t.is(judged.allow('write', `t${n}`, `t${n}`, 100 + n), undefined);
  t.is(judged.allow('write', 'more', 'more', 9999), 100);
  t.is(judged.topicOf('write', 't0'), undefined);
  t.is(judged.topicOf('write', 't1'), 't1');
  t.is(judged.topicOf('read', 'joined'), 'joined');
});

test('a question that opened two rights is needed until both are forgotten', (t) => {
  const judged = new Judged();
  judged.allow('read', 'a', 'b', 7);
  judged.allow('write', 'a', 'b', 7);
  t.is(judged.forget('read', 'a'), undefined);
  t.is(judged.forget('write', 'a'), 7);
  t.is(judged.size, 0);
  t.is(judged.forget('write', 'a'), undefined);
});

test('a new answer takes back what it does not give, of that question alone', (t) => {
  const judged = new Judged();
  judged.allow('read', 'a', 'a', 1);
  judged.allow('write', 'a', 'a', 1);
  judged.allow('read', 'b', 'b', 2);
  t.false(judged.take(1, () => true));
  t.true(judged.take(1, (right) => right === 'read'));
  t.is(judged.topicOf('read', 'a'), 'a');
  t.is(judged.topicOf('write', 'a'), undefined);
  t.false(judged.take(3, () => false));
  t.is(judged.topicOf('read', 'b'), 'b');
});

test('of more credentials than are remembered the oldest goes', (t) => {
  const asking = new Asking(null, undefined);
  for (let ref = 1; ref <= CREDENTIALS; ref++) t.is(asking.offer(ref), undefined);
  t.is(asking.offer(CREDENTIALS + 1), 1);
  t.is(asking.offered.length, CREDENTIALS);
  t.is(asking.offered[0], 2);
});
