import { inspect } from 'node:util';
import test from 'ava';
import type { Event, Refused } from '../../../src/door/contract.ts';
import { postSession } from '../../../src/door/pinghub/sessions.ts';
import { granted, lastOf, notGranted, play, unavailable } from '../script.ts';

const session = postSession('p', null);
const known = postSession('p', 's');
const published: Event = { type: 'published', topic: 'p' };
const body = (payload: string | Buffer): Event => ({ type: 'body', payload: Buffer.from(payload) });

function refused(why: Refused['why']): Event {
  return { type: 'refused', action: 'publish', topic: 'p', why };
}

test('a body is published, then answered', (t) => {
  t.deepEqual(play(session, body('hi'), published), [[], ['publish p text hi'], ['reply 200']]);
});

test('the answer is OK', (t) => {
  const [, [command]] = session.step(published);
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
  t.deepEqual(play(session, body(''), published), [[], ['publish p text '], ['reply 200']]);
  t.deepEqual(lastOf(session, body(''), refused('forbidden')), ['reply 401']);
});

test('a body that is not UTF-8 is a bad request', (t) => {
  const [, [command]] = session.step(body(Buffer.from([0xff])));
  t.like(command, { type: 'reply', status: 400 });
  t.regex(command?.type === 'reply' ? command.body : '', /^Error: bad request\. \S.*\n$/);
});

test('a credential is judged first', (t) => {
  t.deepEqual(play(known, granted, body('hi'), published), [
    ['authorise s'],
    [],
    ['publish p text hi'],
    ['reply 200'],
  ]);
});

test('a refused credential is unauthorised', (t) => {
  t.deepEqual(lastOf(known, notGranted), ['reply 401']);
  t.deepEqual(lastOf(known, notGranted, body('hi')), []);
});

test('no right is unauthorised without a credential, and forbidden with a good one', (t) => {
  const [, [command]] = session.step(refused('forbidden'));
  t.like(command, { type: 'reply', status: 401, headers: { 'WWW-Authenticate': 'Bearer' } });
  t.deepEqual(lastOf(known, granted, body('hi'), refused('forbidden')), ['reply 403']);
});

test('a topic with an owner, and a request that was refused as a whole, are forbidden', (t) => {
  t.deepEqual(lastOf(session, body('hi'), refused('denied')), ['reply 403']);
  t.deepEqual(lastOf(session, body('hi'), refused('owned')), ['reply 403']);
});

test('what cannot be done now is for later', (t) => {
  const [, [command]] = known.step(unavailable);
  t.like(command, { type: 'reply', status: 503, headers: { 'Retry-After': '1' } });
  t.deepEqual(lastOf(session, body('hi'), refused('unavailable')), ['reply 503']);
});

test('an authenticator that answers nonsense is an error of ours', (t) => {
  t.deepEqual(lastOf(known, { type: 'faulty' }), ['reply 500']);
  t.deepEqual(lastOf(session, body('hi'), { type: 'faulty' }), ['reply 500']);
});

test('an inspection does not show the credential', (t) => {
  t.false(inspect(postSession('p', 'SECRET'), { depth: 9, showHidden: true }).includes('SECRET'));
});
