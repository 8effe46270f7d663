import { inspect } from 'node:util';
import test from 'ava';
import type { Event, Joined, Refused, Session } from '../../../src/door/contract.ts';
import { eventFramesFormat } from '../../../src/door/pinghub/event-frames.ts';
import { eventStreamFormat } from '../../../src/door/pinghub/event-stream.ts';
import { pinghubSession, postSession, resumableSession } from '../../../src/door/pinghub/sessions.ts';
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

const at = (offset: number) => ({ epoch: '1abcdef', offset });
const stream = (last: string | null) => resumableSession('p', null, last, eventStreamFormat);

/** What a stream is sent for an event, where nothing is done but that. */
function sent(session: Session, ...events: readonly Event[]): string {
  let current = session;
  let last = '';
  for (const event of events) {
    const [next, commands] = current.step(event);
    current = next;
    last = commands.map((command) => (command.type === 'send' ? command.bytes.toString() : '')).join('');
  }
  return last;
}

test('a stream asks for what follows the position that its client has seen last', (t) => {
  t.deepEqual(play(stream('1abcdef:7')), [['join p while wanted since 1abcdef:7']]);
  t.deepEqual(play(stream('all')), [['join p while wanted since all']]);
  t.deepEqual(play(stream('last')), [['join p while wanted since last']]);
  t.deepEqual(play(stream(null)), [['join p while wanted since now']]);
});

test('where the topic has no positions nothing is said of them, whatever the client asks for', (t) => {
  for (const last of [null, '1abcdef:7', 'all', 'what'])
    t.deepEqual(play(stream(last), joined).at(-1), ['accept'], `${last}`);
});

const resumed = (outcome: Omit<Joined, 'type' | 'topic'>): Event => ({
  type: 'joined',
  topic: 'p',
  ...outcome,
});

test('a stream begins with the position behind which its events are', (t) => {
  t.is(sent(stream(null), resumed({ at: at(9), from: at(9) })), 'id: 1abcdef:9\n\n');
  const recovered = resumed({ at: at(9), from: at(7), recovered: true });
  t.is(sent(stream('1abcdef:7'), recovered), 'id: 1abcdef:7\n\n');
  t.is(sent(stream('all'), resumed({ at: at(9), from: at(2) })), 'id: 1abcdef:2\n\n');
});

test('what is missing is said first, with the position behind it', (t) => {
  const missing = resumed({ at: at(9), from: at(6), recovered: false, missed: 3, why: 'too_old' });
  t.is(sent(stream('1abcdef:3'), missing), 'id: 1abcdef:6\nevent: missed\ndata: 3\n\n');
  const unknown = resumed({ at: at(9), from: at(9), recovered: false, missed: null, why: 'unknown_epoch' });
  t.is(sent(stream('1zzzzzz:3'), unknown), 'id: 1abcdef:9\nevent: missed\ndata: null\n\n');
  const none = resumed({ at: at(9), from: at(9), recovered: false, missed: 0, why: 'restarted' });
  t.is(sent(stream('1abcdef:12'), none), 'id: 1abcdef:9\nevent: missed\ndata: 0\n\n');
});

test('in place of a position that cannot be read it asks for what nobody can know', (t) => {
  for (const last of ['what', '1abcdef', '1abcdef:', '1ABCDEF:1', ':1', '1abcdef:-1', 'x'.repeat(9999), '0'])
    t.deepEqual(play(stream(last)), [['join p while wanted since :0']], last);
});

test('what is missing later on is said as well', (t) => {
  const gap: Event = { type: 'gap', topic: 'p', from: at(3), to: at(5), missed: 2, why: 'expired' };
  const told = sent(stream(null), resumed({ at: at(3), from: at(3) }), gap);
  t.is(told, 'id: 1abcdef:5\nevent: missed\ndata: 2\n\n');
  t.is(sent(stream('all'), joined, gap), '', 'not where nothing is kept');
  t.deepEqual(lastOf(session, joined, gap), [], 'a WebSocket has no words for it');
});

test('a WebSocket that resumes hears the same in frames, and talks like any other', (t) => {
  const frames = (last: string | null) => resumableSession('p', null, last, eventFramesFormat);
  const missing = resumed({ at: at(9), from: at(6), recovered: false, missed: 3, why: 'too_old' });
  t.deepEqual(play(frames('1abcdef:3'), missing, text('hi'), text('')), [
    ['join p while wanted since 1abcdef:3'],
    ['accept', 'send {"id":"1abcdef:6","event":"missed","data":3}'],
    ['publish p text hi'],
    ['send '],
  ]);
  t.deepEqual(lastOf(frames(null), resumed({ at: at(9), from: at(9) })), [
    'accept',
    'send {"id":"1abcdef:9"}',
  ]);
});

test('with a credential a stream asks when that is found good', (t) => {
  const known = resumableSession('p', 's', '1abcdef:7', eventStreamFormat);
  t.deepEqual(play(known, granted), [['authorise s'], ['join p while wanted since 1abcdef:7']]);
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

test('an empty body is answered with 200 where the client may publish, and with 401 where it may not', (t) => {
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
