import { inspect } from 'node:util';
import test from 'ava';
import type { Event, Refused } from '../../../src/door/contract.ts';
import { ownerSession, subscriberSession } from '../../../src/door/wspubsub/sessions.ts';
import { binary, granted, lastOf, notGranted, play, text, unavailable } from '../script.ts';

const owner = ownerSession('key', 'd/t');
const claimed: Event = { type: 'claimed', topic: 'd/t' };

const subscriber = subscriberSession('d/t', null);
const joined: Event = { type: 'joined', topic: 'd/t' };
const ended: Event = { type: 'ended', topic: 'd/t' };
const missing: Event = { type: 'refused', action: 'join', topic: 'd/t', why: 'missing' };

function refused(why: Refused['why'], action: Refused['action']): Event {
  return { type: 'refused', action, topic: 'd/t', why };
}

test('the key is judged, then the topic claimed, then the upgrade accepted', (t) => {
  t.deepEqual(play(owner, granted, claimed), [['authorise key'], ['claim d/t'], ['accept']]);
});

test('a wrong key is forbidden before anything is claimed', (t) => {
  t.deepEqual(play(owner, notGranted), [['authorise key'], ['reply 403']]);
});

test('a key of another domain is forbidden', (t) => {
  t.deepEqual(lastOf(owner, granted, refused('forbidden', 'claim')), ['reply 403']);
});

test('a second publisher is a conflict', (t) => {
  t.deepEqual(lastOf(owner, granted, refused('owned', 'claim')), ['reply 409']);
});

test('keys or a topic that cannot be asked now are for later', (t) => {
  const [, [command]] = owner.step(unavailable);
  t.like(command, { type: 'reply', status: 503, headers: { 'Retry-After': '1' } });
  t.deepEqual(lastOf(owner, granted, refused('unavailable', 'claim')), ['reply 503']);
  t.deepEqual(lastOf(owner, granted, unavailable), ['reply 503']);
});

test('messages are published as the kind they are', (t) => {
  t.deepEqual(lastOf(owner, granted, claimed, text('hi')), ['publish d/t text hi']);
  t.deepEqual(lastOf(owner, granted, claimed, text('')), ['publish d/t text ']);
  t.deepEqual(lastOf(owner, granted, claimed, binary(0xff, 0x61)), ['publish d/t binary \xffa']);
});

test('an owner that lost its topic is closed', (t) => {
  t.deepEqual(lastOf(owner, granted, claimed, refused('owned', 'publish')), ['close 1008 owned elsewhere']);
  t.deepEqual(lastOf(owner, granted, claimed, refused('owned', 'claim')), ['close 1008 owned elsewhere']);
  t.deepEqual(lastOf(owner, granted, claimed, refused('owned', 'publish'), text('x')), []);
});

test('an owner whose relay cannot publish now is closed', (t) => {
  t.deepEqual(lastOf(owner, granted, claimed, refused('unavailable', 'publish')), [
    'close 1013 try again later',
  ]);
});

test('an inspection of an owner does not show its key', (t) => {
  const secret = ownerSession('SECRET', 'd/t');
  t.false(inspect(secret, { depth: 9, showHidden: true }).includes('SECRET'));
  t.false(JSON.stringify(secret).includes('SECRET'));
});

test('a subscriber is accepted when it has joined', (t) => {
  t.deepEqual(play(subscriber, joined), [['join d/t while owned'], ['accept']]);
});

test('a topic that nobody has started is not found', (t) => {
  t.deepEqual(lastOf(subscriber, missing), ['reply 404']);
});

test('what a subscriber sends is ignored', (t) => {
  t.deepEqual(lastOf(subscriber, joined, text('x')), []);
  t.deepEqual(lastOf(subscriber, joined, binary(0xff)), []);
});

test('a subscriber is disconnected when the topic ends', (t) => {
  t.deepEqual(lastOf(subscriber, joined, ended), ['close 1000 topic ended']);
  t.deepEqual(lastOf(subscriber, joined, ended, ended), []);
});

test('a credential of a subscriber is judged first', (t) => {
  const known = subscriberSession('d/t', 's');
  t.deepEqual(play(known, granted, joined), [['authorise s'], ['join d/t while owned'], ['accept']]);
  t.deepEqual(lastOf(known, notGranted), ['reply 401']);
});
