import { inspect } from 'node:util';
import test from 'ava';
import type { Event, Refused } from '../../../src/door/contract.ts';
import { pinghubSession, postSession } from '../../../src/door/pinghub/sessions.ts';
import { binary, granted, lastOf, notGranted, play, text, unavailable } from '../script.ts';

const session = pinghubSession('p', null);
const joined: Event = { type: 'joined', topic: 'p' };

const posting = postSession('p', null);
const knownPosting = postSession('p', 's');
const published: Event = { type: 'published', topic: 'p' };
const body = (payload: string | Buffer): Event => ({ type: 'body', payload: Buffer.from(payload) });

function refused(why: Refused['why']): Event {
  return { type: 'refused', action: 'publish', topic: 'p', why };
}

test('a WebSocket joins its path, then is accepted', (t) => {
  t.deepEqual(play(session, joined), [['join p while wanted'], ['accept']]);
});

test('a credential of a WebSocket is judged first', (t) => {
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

test('a body is published, then answered', (t) => {
  t.deepEqual(play(posting, body('hi'), published), [[], ['publish p text hi'], ['reply 200']]);
});

test('the answer is OK', (t) => {
  const [, [command]] = posting.step(published);
  t.deepEqual(command, {
    type: 'reply',
    status: 200,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    },
    body: 'OK\n',
  });
});

test('an empty body is judged as any other is', (t) => {
  t.deepEqual(play(posting, body(''), published), [[], ['publish p text '], ['reply 200']]);
  t.deepEqual(lastOf(posting, body(''), refused('forbidden')), ['reply 401']);
});

test('a body that is not UTF-8 is a bad request', (t) => {
  const [, [command]] = posting.step(body(Buffer.from([0xff])));
  t.like(command, { type: 'reply', status: 400 });
  t.regex(command?.type === 'reply' ? command.body : '', /^Error: bad request\. \S.*\n$/);
});

test('a credential of a POST is judged first', (t) => {
  t.deepEqual(play(knownPosting, granted, body('hi'), published), [
    ['authorise s'],
    [],
    ['publish p text hi'],
    ['reply 200'],
  ]);
});

test('a refused credential is unauthorised', (t) => {
  t.deepEqual(lastOf(knownPosting, notGranted), ['reply 401']);
  t.deepEqual(lastOf(knownPosting, notGranted, body('hi')), []);
});

test('no right is unauthorised without a credential, and forbidden with a good one', (t) => {
  const [, [command]] = posting.step(refused('forbidden'));
  t.like(command, { type: 'reply', status: 401, headers: { 'WWW-Authenticate': 'Bearer' } });
  t.deepEqual(lastOf(knownPosting, granted, body('hi'), refused('forbidden')), ['reply 403']);
});

test('a topic with an owner, and a request that was refused as a whole, are forbidden', (t) => {
  t.deepEqual(lastOf(posting, body('hi'), refused('denied')), ['reply 403']);
  t.deepEqual(lastOf(posting, body('hi'), refused('owned')), ['reply 403']);
});

test('what cannot be done now is for later', (t) => {
  const [, [command]] = knownPosting.step(unavailable);
  t.like(command, { type: 'reply', status: 503, headers: { 'Retry-After': '1' } });
  t.deepEqual(lastOf(posting, body('hi'), refused('unavailable')), ['reply 503']);
});

test('an authenticator that answers nonsense is an error of ours', (t) => {
  t.deepEqual(lastOf(knownPosting, { type: 'faulty' }), ['reply 500']);
  t.deepEqual(lastOf(posting, body('hi'), { type: 'faulty' }), ['reply 500']);
});

test('an inspection of a POST does not show its credential', (t) => {
  t.false(inspect(postSession('p', 'SECRET'), { depth: 9, showHidden: true }).includes('SECRET'));
});
