import test from 'ava';
import type { Event } from '../../../src/door/contract.ts';
import { subscriberSession } from '../../../src/door/wspubsub/sessions.ts';
import { binary, granted, lastOf, notGranted, play, text } from '../script.ts';

const session = subscriberSession('d/t', null);
const joined: Event = { type: 'joined', topic: 'd/t' };
const ended: Event = { type: 'ended', topic: 'd/t' };
const missing: Event = { type: 'refused', action: 'join', topic: 'd/t', why: 'missing' };

test('a subscriber is accepted when it has joined', (t) => {
  t.deepEqual(play(session, joined), [['join d/t while owned'], ['accept']]);
});

test('a topic that nobody has started is not found', (t) => {
  t.deepEqual(lastOf(session, missing), ['reply 404']);
});

test('what a subscriber sends is ignored', (t) => {
  t.deepEqual(lastOf(session, joined, text('x')), []);
  t.deepEqual(lastOf(session, joined, binary(0xff)), []);
});

test('a subscriber is disconnected when the topic ends', (t) => {
  t.deepEqual(lastOf(session, joined, ended), ['close 1000 topic ended']);
  t.deepEqual(lastOf(session, joined, ended, ended), []);
});

test('with a credential it is judged first', (t) => {
  const known = subscriberSession('d/t', 's');
  t.deepEqual(play(known, granted, joined), [['authorise s'], ['join d/t while owned'], ['accept']]);
  t.deepEqual(lastOf(known, notGranted), ['reply 401']);
});
