import { inspect } from 'node:util';
import test from 'ava';
import { type Event, nothing, type Refused, type Session, type Step } from '../../src/door/contract.ts';
import { joiningSession } from '../../src/door/sessions.ts';
import { binary, granted, lastOf, notGranted, play, text, unavailable } from './script.ts';

const member: Session = { start: () => nothing, step: () => [member, [{ type: 'leave', topic: 'member' }]] };
const accepted = (): Step => [member, nothing];
const plain = joiningSession({ topic: 't', while: 'wanted', credential: null, accepted });
const known = joiningSession({ topic: 't', while: 'owned', credential: 's', accepted });
const joined: Event = { type: 'joined', topic: 't' };

function refused(why: Refused['why']): Event {
  return { type: 'refused', action: 'join', topic: 't', why };
}

test('without a credential it joins at once', (t) => {
  t.deepEqual(play(plain, joined, text('x')), [['join t while wanted'], ['accept'], ['leave member']]);
});

test('with a credential it joins when that is found good', (t) => {
  t.deepEqual(play(known, granted, joined, text('x')), [
    ['authorise s'],
    ['join t while owned'],
    ['accept'],
    ['leave member'],
  ]);
});

test('a refused credential is unauthorised, with a challenge', (t) => {
  const [, [command]] = known.step(notGranted);
  t.like(command, { type: 'reply', status: 401, headers: { 'WWW-Authenticate': 'Bearer' } });
});

test('no right is unauthorised without a credential, and forbidden with a good one', (t) => {
  t.deepEqual(lastOf(plain, refused('forbidden')), ['reply 401']);
  t.deepEqual(lastOf(known, granted, refused('forbidden')), ['reply 403']);
});

test('an authenticator or a topic that cannot answer is for later', (t) => {
  const [, [command]] = known.step(unavailable);
  t.like(command, { type: 'reply', status: 503, headers: { 'Retry-After': '1' } });
  t.deepEqual(lastOf(plain, refused('unavailable')), ['reply 503']);
  t.deepEqual(lastOf(plain, unavailable), ['reply 503']);
});

test('an authenticator that answers nonsense is an error of ours', (t) => {
  for (const each of [plain, known]) t.deepEqual(lastOf(each, { type: 'faulty' }), ['reply 500']);
  t.deepEqual(lastOf(known, granted, { type: 'faulty' }), ['reply 500']);
});

test('a topic without an owner is not found, also when it ends under way', (t) => {
  t.deepEqual(lastOf(known, granted, refused('missing')), ['reply 404']);
  t.deepEqual(lastOf(known, granted, { type: 'ended', topic: 't' }), ['reply 404']);
});

test('the other refusals are forbidden', (t) => {
  for (const why of ['owned', 'too-many', 'denied'] as const)
    t.deepEqual(lastOf(plain, refused(why)), ['reply 403']);
});

test('messages on the way do nothing', (t) => {
  t.deepEqual(lastOf(plain, text('x')), []);
  t.deepEqual(lastOf(known, binary(1)), []);
  t.deepEqual(lastOf(known, text('x'), joined), []);
});

test('an inspection does not show the credential', (t) => {
  const secret = joiningSession({ topic: 't', while: 'wanted', credential: 'SECRET', accepted });
  t.false(inspect(secret, { depth: 9, showHidden: true }).includes('SECRET'));
});
