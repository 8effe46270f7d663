import test from 'ava';
import type { Event, Refused } from '../../../src/door/contract.ts';
import { pinghubSession } from '../../../src/door/pinghub/sessions.ts';
import { binary, granted, lastOf, play, text } from '../script.ts';

const session = pinghubSession('p', null);
const joined: Event = { type: 'joined', topic: 'p' };

function refused(why: Refused['why']): Event {
  return { type: 'refused', action: 'publish', topic: 'p', why };
}

test('a WebSocket joins its path, then is accepted', (t) => {
  t.deepEqual(play(session, joined), [['join p while wanted'], ['accept']]);
});

test('a credential is judged first', (t) => {
  t.deepEqual(play(pinghubSession('p', 's'), granted, joined), [
    ['authorise s'],
    ['join p while wanted'],
    ['accept'],
  ]);
});

test('a text is published', (t) => {
  t.deepEqual(lastOf(session, joined, text('hi')), ['publish p text hi']);
});

test('binary that is UTF-8 is published as text', (t) => {
  t.deepEqual(lastOf(session, joined, binary(0x68, 0x69)), ['publish p text hi']);
});

test('binary that is not UTF-8 closes with 1007', (t) => {
  t.deepEqual(lastOf(session, joined, binary(0xff)), ['close 1007 invalid UTF-8']);
  t.deepEqual(lastOf(session, joined, binary(0xff), text('x')), []);
});

test('an empty message goes back to its sender alone', (t) => {
  t.deepEqual(lastOf(session, joined, text('')), ['send ']);
  t.deepEqual(lastOf(session, joined, binary()), ['send ']);
});

test('publishing without the right to closes', (t) => {
  t.deepEqual(lastOf(session, joined, refused('forbidden')), ['close 1008 forbidden']);
  t.deepEqual(lastOf(session, joined, refused('owned')), ['close 1008 owned elsewhere']);
  t.deepEqual(lastOf(session, joined, refused('unavailable')), ['close 1013 try again later']);
  t.deepEqual(lastOf(session, joined, refused('forbidden'), text('x')), []);
});
