import test from 'ava';
import type { Refused } from '../../../src/door/contract.ts';
import { fanfareSession, introducedSession } from '../../../src/door/fanfare/session.ts';
import { binary, brief, granted, lastOf, notGranted, play, text, unavailable } from '../script.ts';

const greeting = { relay: 'r1', ping: 25, limits: { message: 65536, topicLength: 256, topics: 128 } };
const session = fanfareSession(greeting);
const hello =
  'send {"type":"hello","protocol":"fanfare.1","relay":"r1","ping":25,"limits":{"message":65536,"topic_length":256,"topics":128}';

const say = (frame: object) => text(JSON.stringify(frame));
const at = { epoch: '1abcdef', offset: 7 };

function refused(why: Refused['why'], action: Refused['action'], receipt?: string): Refused {
  return { type: 'refused', action, topic: 'c', why, ...(receipt === undefined ? {} : { receipt }) };
}

test('a client is greeted at once, by what the relay is and allows', (t) => {
  t.deepEqual(play(session), [['accept', `${hello}}`]]);
});

test('a credential of the request is judged before the greeting, which says what it is good for', (t) => {
  const introduced = introducedSession('s', greeting, session);
  t.deepEqual(play(introduced, { type: 'authorised', granted: true, subject: 'u', expiresIn: 9 }), [
    ['authorise s'],
    ['accept', `${hello},"expires_in":9,"subject":"u"}`],
  ]);
  t.deepEqual(play(introduced, granted)[1], ['accept', `${hello}}`]);
  t.deepEqual(lastOf(introduced, notGranted), ['reply 401']);
  t.deepEqual(lastOf(introduced, unavailable), ['reply 503']);
});

test('authorize is answered with what is known of the credential', (t) => {
  t.deepEqual(lastOf(session, say({ type: 'authorize', authorization: 's' })), ['authorise s']);
  t.deepEqual(lastOf(session, granted), ['send {"type":"authorization_ok"}']);
  t.deepEqual(lastOf(session, { type: 'authorised', granted: true, subject: 'ü', expiresIn: 0 }), [
    'send {"type":"authorization_ok","expires_in":0,"subject":"ü"}',
  ]);
});

test('a credential that fails is told so, and the connection stays', (t) => {
  const wrong = ['send {"type":"authorization_failed","why":"refused"}'];
  const later = ['send {"type":"authorization_failed","why":"unavailable"}'];
  t.deepEqual(play(session, notGranted, unavailable, { type: 'faulty' }, granted).slice(1), [
    wrong,
    later,
    later,
    ['send {"type":"authorization_ok"}'],
  ]);
});

test('a credential that nobody knows has failed, though everybody has rights', (t) => {
  t.deepEqual(lastOf(session, { type: 'authorised', granted: true, unrecognised: true }), [
    'send {"type":"authorization_failed","why":"refused"}',
  ]);
});

for (const [since, asked] of [
  [undefined, 'now'],
  [null, 'now'],
  ['now', 'now'],
  ['all', 'all'],
  ['last', 'last'],
  ['1abcdef:7', '1abcdef:7'],
  ['1abcdef:0', '1abcdef:0'],
  ['', ':0'],
  ['1abcdef:07', ':0'],
  ['first', ':0'],
  [7, ':0'],
  [{}, ':0'],
] as const) {
  test(`subscribe since ${JSON.stringify(since)} joins since ${asked}`, (t) => {
    t.deepEqual(lastOf(session, say({ type: 'subscribe', channel: 'c', since, presence: true })), [
      `join c while wanted since ${asked}`,
    ]);
  });
}

test('a subscription is answered with where the client stands before it gets what it has missed', (t) => {
  const joined = { type: 'joined', topic: 'c' } as const;
  const ok = (event: object) => lastOf(session, { ...joined, ...event });
  t.deepEqual(ok({}), ['send {"type":"subscribe_ok","channel":"c"}']);
  const from = { ...at, offset: 3 };
  t.deepEqual(ok({ from, at, recovered: true }), [
    'send {"type":"subscribe_ok","channel":"c","at":"1abcdef:3","until":"1abcdef:7","recovered":true}',
  ]);
  t.deepEqual(ok({ from, at, recovered: false, missed: 2, why: 'too_old' }), [
    'send {"type":"subscribe_ok","channel":"c","at":"1abcdef:3","until":"1abcdef:7","recovered":false,"missed":2,"why":"too_old"}',
  ]);
  t.deepEqual(ok({ from, at: from, recovered: true }), [
    'send {"type":"subscribe_ok","channel":"c","at":"1abcdef:3","recovered":true}',
  ]);
  t.deepEqual(ok({ recovered: false, missed: null, why: 'unknown_epoch' }), [
    'send {"type":"subscribe_ok","channel":"c","recovered":false,"missed":null,"why":"unknown_epoch"}',
  ]);
});

test('a pattern is not supported yet, and the connection stays', (t) => {
  t.deepEqual(
    play(
      session,
      say({ type: 'subscribe', pattern: 'a.*' }),
      say({ type: 'unsubscribe', pattern: 'a.*' }),
    ).slice(1),
    [
      ['send {"type":"subscribe_error","pattern":"a.*","why":"unsupported"}'],
      ['send {"type":"unsubscribe_ok","pattern":"a.*"}'],
    ],
  );
});

test('unsubscribe leaves, and is answered once the topic has let go', (t) => {
  t.deepEqual(
    play(session, say({ type: 'unsubscribe', channel: 'c' }), { type: 'left', topic: 'c' }).slice(1),
    [['leave c and hear'], ['send {"type":"unsubscribe_ok","channel":"c"}']],
  );
});

test('publish passes the frame on byte for byte, with its id and key beside it', (t) => {
  const frame = '{ "type":"publish",\t"x":12345678901234567890, "channel":"c","content":"\\u00e9" }';
  t.deepEqual(lastOf(session, text(frame)), [`publish c json ${frame}`]);
  const marked = '{"type":"publish","channel":"c","content":1,"id":"a\\"","key":"k"}';
  t.deepEqual(lastOf(session, text(marked)), [`publish c receipt "a\\"" key k json ${marked}`]);
  const numbered = '{"type":"publish","channel":"c","content":1,"id":12}';
  t.deepEqual(lastOf(session, text(numbered)), [`publish c receipt 12 json ${numbered}`]);
});

test('a publish with an id is answered with it, and with the position where there is one', (t) => {
  const published = { type: 'published', topic: 'c' } as const;
  t.deepEqual(lastOf(session, { ...published, receipt: '"a\\""' }), [
    'send {"type":"publish_ok","id":"a\\""}',
  ]);
  t.deepEqual(lastOf(session, { ...published, receipt: '12', at }), [
    'send {"type":"publish_ok","id":12,"at":"1abcdef:7"}',
  ]);
  t.deepEqual(lastOf(session, published), []);
});

test('an id that could not be given back, and a key that is none, are errors of that message', (t) => {
  const publish = (fields: object) => say({ type: 'publish', channel: 'c', content: 1, ...fields });
  const longest = 'x'.repeat(62);
  t.regex(lastOf(session, publish({ id: longest }))[0] ?? '', /^publish c receipt "x{62}" json/);
  for (const id of [`${longest}x`, '\n'.repeat(32), 1.5, 2 ** 53, true, [], {}])
    t.deepEqual(lastOf(session, publish({ id })), [
      'send {"type":"publish_error","channel":"c","why":"bad_id"}',
    ]);
  t.regex(lastOf(session, publish({ key: 'k'.repeat(128) }))[0] ?? '', /^publish c key k{128} json/);
  for (const key of ['', 'k'.repeat(129), 5, '\ud800'])
    t.deepEqual(lastOf(session, publish({ key, id: 1 })), [
      'send {"type":"publish_error","id":1,"channel":"c","why":"bad_key"}',
    ]);
  t.deepEqual(lastOf(session, publish({ key: null, id: null })).length, 1);
});

test('a channel of the limit passes; one character more, none, and half a character are errors of that channel', (t) => {
  const longest = '😀'.repeat(256);
  t.deepEqual(lastOf(session, say({ type: 'subscribe', channel: longest })), [
    `join ${longest} while wanted since now`,
  ]);
  for (const channel of [`${longest}a`, '', '\ud800']) {
    const name = JSON.stringify(channel);
    t.deepEqual(lastOf(session, say({ type: 'subscribe', channel })), [
      `send {"type":"subscribe_error","channel":${name},"why":"bad_channel"}`,
    ]);
    t.deepEqual(lastOf(session, say({ type: 'publish', channel, id: 5 })), [
      `send {"type":"publish_error","id":5,"channel":${name},"why":"bad_channel"}`,
    ]);
    t.deepEqual(lastOf(session, say({ type: 'publish', channel })), [
      `send {"type":"publish_error","channel":${name},"why":"bad_channel"}`,
    ]);
    t.deepEqual(
      lastOf(session, { type: 'left', topic: channel }).at(-1),
      [`send {"type":"unsubscribe_ok","channel":${name}}`][0],
    );
  }
});

for (const [why, word] of [
  ['forbidden', 'permission_denied'],
  ['denied', 'permission_denied'],
  ['too-many', 'too_many'],
  ['owned', 'owned'],
  ['missing', 'unavailable'],
  ['unavailable', 'unavailable'],
] as const) {
  test(`what is refused as ${why} is told as ${word}, and the connection stays`, (t) => {
    t.deepEqual(
      play(session, refused(why, 'join'), refused(why, 'publish', '"i"'), refused(why, 'publish')).slice(1),
      [
        [`send {"type":"subscribe_error","channel":"c","why":"${word}"}`],
        [`send {"type":"publish_error","id":"i","channel":"c","why":"${word}"}`],
        [`send {"type":"publish_error","channel":"c","why":"${word}"}`],
      ],
    );
  });
}

test('a subscription or a message that could not be judged names its channel', (t) => {
  for (const type of ['unavailable', 'faulty'] as const) {
    t.deepEqual(lastOf(session, { type, attempt: { action: 'join', topic: 'c' } }), [
      'send {"type":"subscribe_error","channel":"c","why":"unavailable"}',
    ]);
    t.deepEqual(lastOf(session, { type, attempt: { action: 'publish', topic: 'c', receipt: '1' } }), [
      'send {"type":"publish_error","id":1,"channel":"c","why":"unavailable"}',
    ]);
  }
});

test('a ping is answered, and a pong is a sign of life', (t) => {
  t.deepEqual(lastOf(session, say({ type: 'ping' })), ['send {"type":"pong"}']);
  t.deepEqual(lastOf(session, say({ type: 'pong' })), ['alive']);
});

test('a gap of this client alone is told as that of all', (t) => {
  t.deepEqual(
    lastOf(session, { type: 'gap', topic: 'c', from: null, to: at, missed: null, why: 'expired' }),
    ['send {"type":"gap","channel":"c","from":null,"to":"1abcdef:7","missed":null,"why":"expired"}'],
  );
});

test('a goodbye says over how many seconds clients are to come back', (t) => {
  t.deepEqual(lastOf(session, { type: 'leaving', within: 3 }), ['send {"type":"goodbye","within":3}']);
});

test('binary that is UTF-8 is read as text', (t) => {
  t.deepEqual(lastOf(session, { type: 'binary', payload: Buffer.from('{"type":"ping"}') }), [
    'send {"type":"pong"}',
  ]);
});

for (const [what, why, events] of [
  ['no JSON', 'not_json', [text(''), text('x'), text('null'), text('1'), text('"ping"'), binary(0xff)]],
  [
    'of no type that is known',
    'unknown_type',
    [text('{}'), text('[]'), say({ type: 'hello' }), say({ type: 1 })],
  ],
  [
    'a frame without what it needs',
    'bad_frame',
    [
      say({ type: 'authorize' }),
      say({ type: 'subscribe' }),
      say({ type: 'subscribe', channel: 1 }),
      say({ type: 'subscribe', channel: 'c', pattern: 'c*' }),
      say({ type: 'unsubscribe' }),
      say({ type: 'publish', content: 1 }),
    ],
  ],
] as const) {
  test(`what is ${what} is named and closes, and nothing is heard after it`, (t) => {
    for (const event of events)
      t.deepEqual(play(session, event, say({ type: 'ping' })).slice(1), [
        [`send {"type":"error","why":"${why}"}`, `close 1008 ${why}`],
        [],
      ]);
  });
}

test('what is published is not copied', (t) => {
  const payload = Buffer.from('{"type":"publish","channel":"c"}');
  const [, [command]] = session.step({ type: 'text', payload });
  t.is(command?.type === 'publish' ? command.message.payload : null, payload);
  t.is(command === undefined ? '' : brief(command), 'publish c json {"type":"publish","channel":"c"}');
});
