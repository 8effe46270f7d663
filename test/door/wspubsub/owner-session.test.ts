import { inspect } from 'node:util';
import test from 'ava';
import type { Event, Refused } from '../../../src/door/contract.ts';
import { ownerSession } from '../../../src/door/wspubsub/sessions.ts';
import { binary, granted, lastOf, notGranted, play, text, unavailable } from '../script.ts';

const session = ownerSession('key', 'd/t');
const claimed: Event = { type: 'claimed', topic: 'd/t' };

function refused(why: Refused['why'], action: Refused['action']): Event {
  return { type: 'refused', action, topic: 'd/t', why };
}

test('the key is judged, then the topic claimed, then the upgrade accepted', (t) => {
  t.deepEqual(play(session, granted, claimed), [['authorise key'], ['claim d/t'], ['accept']]);
});

test('a wrong key is forbidden before anything is claimed', (t) => {
  t.deepEqual(play(session, notGranted), [['authorise key'], ['reply 403']]);
});

test('a key of another domain is forbidden', (t) => {
  t.deepEqual(lastOf(session, granted, refused('forbidden', 'claim')), ['reply 403']);
});

test('a second publisher is a conflict', (t) => {
  t.deepEqual(lastOf(session, granted, refused('owned', 'claim')), ['reply 409']);
});

test('keys or a topic that cannot be asked now are for later', (t) => {
  const [, [command]] = session.step(unavailable);
  t.like(command, { type: 'reply', status: 503, headers: { 'Retry-After': '1' } });
  t.deepEqual(lastOf(session, granted, refused('unavailable', 'claim')), ['reply 503']);
  t.deepEqual(lastOf(session, granted, unavailable), ['reply 503']);
});

test('messages are published as the kind they are', (t) => {
  t.deepEqual(lastOf(session, granted, claimed, text('hi')), ['publish d/t text hi']);
  t.deepEqual(lastOf(session, granted, claimed, text('')), ['publish d/t text ']);
  t.deepEqual(lastOf(session, granted, claimed, binary(0xff, 0x61)), ['publish d/t binary \xffa']);
});

test('an owner that lost its topic is closed', (t) => {
  t.deepEqual(lastOf(session, granted, claimed, refused('owned', 'publish')), ['close 1008 owned elsewhere']);
  t.deepEqual(lastOf(session, granted, claimed, refused('owned', 'claim')), ['close 1008 owned elsewhere']);
  t.deepEqual(lastOf(session, granted, claimed, refused('owned', 'publish'), text('x')), []);
});

test('an owner whose relay cannot publish now is closed', (t) => {
  t.deepEqual(lastOf(session, granted, claimed, refused('unavailable', 'publish')), [
    'close 1013 try again later',
  ]);
});

test('an inspection does not show the key', (t) => {
  const secret = ownerSession('SECRET', 'd/t');
  t.false(inspect(secret, { depth: 9, showHidden: true }).includes('SECRET'));
  t.false(JSON.stringify(secret).includes('SECRET'));
});
