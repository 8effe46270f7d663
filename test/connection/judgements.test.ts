import test from 'ava';
import { CREDENTIALS } from '../../src/authenticator/standing.ts';
import { Judgements } from '../../src/connection/judgements.ts';

/** Answers that one connection remembers, beside those about topics that it is in. */
const ANSWERS = 512;

test('of more answers than are remembered the oldest goes, but for topics that are joined', (t) => {
  const judgements = new Judgements(null, undefined);
  t.is(judgements.allow('read', 'joined', 'joined', 1), undefined);
  judgements.join('joined', 'joined');
  for (let n = 0; n < ANSWERS; n++) t.is(judgements.allow('write', `t${n}`, `t${n}`, 100 + n), undefined);
  t.is(judgements.allow('write', 'more', 'more', 9999), 100);
  t.is(judgements.topicOf('write', 't0'), undefined);
  t.is(judgements.topicOf('write', 't1'), 't1');
  t.is(judgements.topicOf('read', 'joined'), 'joined');
});

test('a question that opened two rights is needed until both are forgotten', (t) => {
  const judgements = new Judgements(null, undefined);
  judgements.allow('read', 'a', 'b', 7);
  judgements.allow('write', 'a', 'b', 7);
  t.is(judgements.forget('read', 'a'), undefined);
  t.is(judgements.forget('write', 'a'), 7);
  t.is(judgements.size, 0);
  t.is(judgements.forget('write', 'a'), undefined);
});

test('a new answer takes back what it does not give, of that question alone', (t) => {
  const judgements = new Judgements(null, undefined);
  judgements.allow('read', 'a', 'a', 1);
  judgements.allow('write', 'a', 'a', 1);
  judgements.allow('read', 'b', 'b', 2);
  t.false(judgements.take(1, () => true));
  t.true(judgements.take(1, (right) => right === 'read'));
  t.is(judgements.topicOf('read', 'a'), 'a');
  t.is(judgements.topicOf('write', 'a'), undefined);
  t.false(judgements.take(3, () => false));
  t.is(judgements.topicOf('read', 'b'), 'b');
});

test('of more credentials than are remembered the oldest goes', (t) => {
  const judgements = new Judgements(null, undefined);
  for (let ref = 1; ref <= CREDENTIALS; ref++) t.is(judgements.offer(ref, ''), undefined);
  t.is(judgements.offer(CREDENTIALS + 1, ''), 1);
  t.is(judgements.offered.length, CREDENTIALS);
  t.is(judgements.offered[0], 2);
});

test('a topic that was joined by two names is left with the last of them', (t) => {
  const judgements = new Judgements(null, undefined);
  judgements.join('a', 'topic');
  judgements.join('b', 'topic');
  t.is(judgements.leave('a'), undefined);
  t.is(judgements.leave('b'), 'topic');
  t.is(judgements.leave('c'), 'c', 'a name that leads nowhere else is the topic');
});

test('a credential of a frame is kept, unless the request names the topic and brings its own', (t) => {
  const kept = new Judgements(null, undefined);
  kept.offer(1, 'secret');
  t.is(kept.authorization, 'secret');
  const named = new Judgements({ read: true, write: false, topicAt: () => null }, undefined);
  named.offer(1, 'secret');
  t.is(named.authorization, '');
});
