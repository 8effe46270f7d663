import test from 'ava';
import type { Refused } from '../../../src/door/contract.ts';
import { pusuSession } from '../../../src/door/pusu/session.ts';
import { binary, granted, lastOf, notGranted, play, text, unavailable } from '../script.ts';

const session = pusuSession(256);
const denied = ['send {"type":"permission_denied"}', 'close 1008 permission_denied'];
const unknown = ['send {"type":"unknown_message_received"}', 'close 1008 unknown_message_received'];
const notAuthorised = ['send {"type":"authorization_failed"}', 'close 1008 authorization_failed'];

const say = (frame: object) => text(JSON.stringify(frame));

function refused(why: Refused['why'], action: Refused['action']): Refused {
  return { type: 'refused', action, topic: 'c', why };
}

test('a client is greeted at once', (t) => {
  t.deepEqual(play(session), [['accept', 'send {"type":"hello"}']]);
});

test('authorize asks for the rights of the authorization', (t) => {
  t.deepEqual(lastOf(session, say({ type: 'authorize', authorization: 's' })), ['authorise s']);
});

test('authorizations are answered one by one', (t) => {
  const ok = ['send {"type":"authorization_ok"}'];
  t.deepEqual(play(session, granted, granted).slice(1), [ok, ok]);
});

test('an authorization that opens nothing fails and closes', (t) => {
  t.deepEqual(lastOf(session, notGranted), notAuthorised);
});

test('an authenticator that does not answer fails and closes', (t) => {
  t.deepEqual(lastOf(session, unavailable), notAuthorised);
});

test('subscribe joins, and is answered with its channel', (t) => {
  t.deepEqual(
    play(session, say({ type: 'subscribe', channel: 'c' }), { type: 'joined', topic: 'c' }).slice(1),
    [['join c while wanted'], ['send {"type":"subscribe_ok","channel":"c"}']],
  );
});

test('a repeated subscribe is asked and answered again', (t) => {
  const subscribe = say({ type: 'subscribe', channel: 'c' });
  const joined = { type: 'joined', topic: 'c' } as const;
  t.deepEqual(lastOf(session, subscribe, joined, subscribe), ['join c while wanted']);
  t.deepEqual(lastOf(session, subscribe, joined, subscribe, joined), [
    'send {"type":"subscribe_ok","channel":"c"}',
  ]);
});

test('unsubscribe leaves and is not answered', (t) => {
  t.deepEqual(lastOf(session, say({ type: 'unsubscribe', channel: 'c' })), ['leave c']);
});

test('publish passes the frame on byte for byte', (t) => {
  const frame = '{ "type":"publish",\t"x":12345678901234567890, "channel":"\\u0063","content":"\\u00e9" }';
  t.deepEqual(lastOf(session, text(frame)), [`publish c json ${frame}`]);
});

test('a published frame is not copied', (t) => {
  const payload = Buffer.from('{"type":"publish","channel":"c"}');
  const [, [command]] = session.step({ type: 'text', payload });
  t.is(command?.type === 'publish' ? command.message.payload : null, payload);
});

test('content may be missing', (t) => {
  const [, [command]] = session.step(say({ type: 'publish', channel: 'c' }));
  const message = command?.type === 'publish' ? command.message : null;
  t.is(message?.kind === 'json' ? message.content() : undefined, null);
});

test('a binary frame is read as text', (t) => {
  const payload = Buffer.from('{"type":"subscribe","channel":"é"}');
  t.deepEqual(lastOf(session, { type: 'binary', payload }), ['join é while wanted']);
});

test('a binary frame that is not UTF-8 is unknown', (t) => {
  const bytes = Buffer.from('{"type":"publish","channel":"c","content":"\xff"}', 'latin1');
  t.deepEqual(lastOf(session, binary(...bytes)), unknown);
});

test('what is not a frame of the protocol is named and closes', (t) => {
  for (const frame of ['', 'x', '{}', '{"type":"publish"}', '{"type":"subscribe","channel":5}']) {
    t.deepEqual(lastOf(session, text(frame)), unknown, frame);
  }
});

test('a channel of the limit passes, and one character more is denied', (t) => {
  const longest = '😀'.repeat(256);
  for (const type of ['subscribe', 'publish']) {
    t.not(lastOf(session, say({ type, channel: longest }))[0], denied[0]);
    t.deepEqual(lastOf(session, say({ type, channel: `${longest}a` })), denied);
  }
  t.deepEqual(lastOf(pusuSession(0), say({ type: 'subscribe', channel: `${longest}a` })), [
    `join ${longest}a while wanted`,
  ]);
});

test('unsubscribing from a channel over the limit is harmless', (t) => {
  t.false(lastOf(session, say({ type: 'unsubscribe', channel: 'a'.repeat(257) })).includes(denied[0] ?? ''));
});

for (const why of ['forbidden', 'too-many', 'owned', 'missing'] as const) {
  test(`a join or publish refused as ${why} is denied and closes`, (t) => {
    t.deepEqual(lastOf(session, refused(why, 'join')), denied);
    t.deepEqual(lastOf(session, refused(why, 'publish')), denied);
  });
}

test('a relay that cannot now says so and closes', (t) => {
  t.deepEqual(lastOf(session, refused('unavailable', 'join')), ['close 1013 try again later']);
  t.deepEqual(lastOf(session, refused('unavailable', 'publish')), ['close 1013 try again later']);
});

test('after an error nothing is heard', (t) => {
  const later = [
    say({ type: 'publish', channel: 'c' }),
    granted,
    text('x'),
    { type: 'joined', topic: 'c' } as const,
  ];
  for (const error of [
    text('x'),
    notGranted,
    unavailable,
    refused('forbidden', 'publish'),
    refused('unavailable', 'join'),
  ]) {
    t.deepEqual(play(session, error, ...later).slice(2), [[], [], [], []]);
  }
});
