import test from 'ava';
import { pinghubDoor } from '../../../src/door/pinghub/door.ts';
import { eventFramesFormat } from '../../../src/door/pinghub/event-frames.ts';
import { eventStreamFormat } from '../../../src/door/pinghub/event-stream.ts';
import { pinghubFormat } from '../../../src/door/pinghub/format.ts';
import { doorRequest, type RequestParts } from '../door-request.ts';
import { answerOf, lastOf, play, sessionOf, statusOf } from '../script.ts';

const door = pinghubDoor({ topicLength: 256 });

const stream = { accept: 'text/event-stream' };
const joins = (target: string) => play(sessionOf(door, { target, upgrade: true })).flat();

test('a WebSocket joins the path without its leading slash', (t) => {
  const route = door.route(doorRequest({ target: '/a/b', upgrade: true }));
  t.like(route, { type: 'open', transport: 'websocket', guard: 'authenticator' });
  t.is(route.type === 'open' ? route.format : null, pinghubFormat);
  t.deepEqual(joins('/a/b'), ['join a/b while wanted']);
});

test('a path is decoded once and otherwise kept', (t) => {
  t.deepEqual(joins('/a%2Fb'), ['join a/b while wanted']);
  t.deepEqual(joins('/%2541'), ['join %41 while wanted']);
  t.deepEqual(joins('/%C3%A9'), ['join é while wanted']);
  t.deepEqual(joins('/\u00c3\u00a9'), ['join é while wanted']);
  t.deepEqual(joins('/a//../.%2e/\\'), ['join a//../../\\ while wanted']);
  t.deepEqual(joins('/%00%0a'), ['join \0\n while wanted']);
});

test('the query is not part of the channel', (t) => {
  t.deepEqual(joins('/a?b=c'), ['join a while wanted']);
});

test('the paths of one slash and of two are two channels', (t) => {
  t.deepEqual(joins('/'), ['join  while wanted']);
  t.deepEqual(joins('//'), ['join / while wanted']);
});

test('a path that is not UTF-8 or not properly escaped is a bad request, whatever is asked', (t) => {
  for (const target of ['/%ff', '/%zz', '/%', '/\u00ff', 'a', '*', 'http://host/a', '']) {
    for (const parts of [{ upgrade: true }, {}, { method: 'POST' }, { headers: stream }] as RequestParts[]) {
      const { status, body } = answerOf(door, { ...parts, target });
      t.is(status, 400);
      t.regex(body, /^Error: bad request\. \S.*\n$/);
    }
  }
});

test('a path of the limit passes, and one character more is a bad request', (t) => {
  t.is(statusOf(door, { target: `/${'a'.repeat(255)}`, upgrade: true }), 101);
  t.is(statusOf(door, { target: `/${'a'.repeat(256)}`, upgrade: true }), 400);
  t.is(statusOf(door, { target: `/${'%F0%9F%98%80'.repeat(255)}`, upgrade: true }), 101);
  t.is(statusOf(door, { target: `/${'%F0%9F%98%80'.repeat(256)}`, upgrade: true }), 400);
  t.regex(answerOf(door, { target: `/${'a'.repeat(256)}` }).body, /1-256/);
  const endless = pinghubDoor({ topicLength: 0 });
  t.is(statusOf(endless, { target: `/${'a'.repeat(9999)}`, upgrade: true }), 101);
});

test('a POST is an exchange that delivers nothing', (t) => {
  t.like(door.route(doorRequest({ target: '/a', method: 'POST' })), {
    type: 'open',
    transport: 'exchange',
    guard: 'authenticator',
    format: null,
  });
  const session = sessionOf(door, { target: '/a', method: 'POST' });
  t.deepEqual(lastOf(session, { type: 'body', payload: Buffer.from('hi') }), ['publish a text hi']);
});

test('a GET that accepts an event stream subscribes', (t) => {
  const route = door.route(doorRequest({ target: '/a', headers: stream }));
  t.like(route, { type: 'open', transport: 'stream', guard: 'authenticator' });
  t.is(route.type === 'open' ? route.format : null, eventStreamFormat);
  const session = sessionOf(door, { target: '/a', headers: stream });
  t.deepEqual(play(session, { type: 'joined', topic: 'a' }), [['join a while wanted since now'], ['accept']]);
});

test('a stream and a WebSocket of events resume by their header, and without it by their query', (t) => {
  const events = { 'sec-websocket-protocol': 'pinghub.events, pinghub' };
  for (const parts of [{ headers: stream }, { upgrade: true, headers: events }] as RequestParts[]) {
    const asked = (target: string, header?: string) =>
      play(
        sessionOf(door, {
          ...parts,
          target,
          headers: { ...parts.headers, ...(header === undefined ? {} : { 'last-event-id': header }) },
        }),
      ).flat();
    const since = (position: string) => [`join a while wanted since ${position}`];
    t.deepEqual(asked('/a?last_event_id=1abcdef%3A7'), since('1abcdef:7'));
    t.deepEqual(asked('/a?x=y&last_event_id=1abcdef:7&last_event_id=all'), since('1abcdef:7'));
    t.deepEqual(asked('/a', '1abcdef:8'), since('1abcdef:8'));
    t.deepEqual(asked('/a?last_event_id=1abcdef:7', '1abcdef:8'), since('1abcdef:8'));
    t.deepEqual(asked('/a?last_event_id=1abcdef:7', ''), since('1abcdef:7'));
    t.deepEqual(asked('/a?last_event_id='), since('now'));
    for (const odd of ['%zz', '%FF%FE', '1abcdef:7%', '%u0031'])
      t.deepEqual(asked(`/a?last_event_id=${odd}`), since(':0'), odd);
    t.deepEqual(asked('/a?last_event_id=%zz', '1abcdef:8'), since('1abcdef:8'));
    t.deepEqual(asked('/a?last_event_id'), since('now'));
  }
});

test('a WebSocket speaks of events only where it has asked to first', (t) => {
  const formatOf = (offered?: string) => {
    const headers = offered === undefined ? {} : { 'sec-websocket-protocol': offered };
    const route = door.route(doorRequest({ target: '/a?last_event_id=1abcdef:7', upgrade: true, headers }));
    return route.type === 'open' ? route.format : null;
  };
  for (const offered of [
    'pinghub.events',
    'pinghub.events, pinghub',
    'x, pinghub.events',
    'pinghub.events, bearer, t',
  ])
    t.is(formatOf(offered), eventFramesFormat, offered);
  for (const offered of [undefined, 'pinghub', 'pinghub, pinghub.events', 'bearer, pinghub.events'])
    t.is(formatOf(offered), pinghubFormat, offered);
  t.deepEqual(joins('/a?last_event_id=1abcdef:7'), ['join a while wanted']);
});

test('any other GET, and HEAD, is the page', (t) => {
  for (const method of ['GET', 'HEAD']) {
    const { status, headers, body } = answerOf(door, { target: '/somestring', method });
    t.is(status, 200);
    t.like(headers, { 'Content-Type': 'text/html; charset=utf-8' });
    t.true(body.includes('/somestring'));
  }
});

test('other methods are not allowed', (t) => {
  for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const { status, headers } = answerOf(door, { method });
    t.is(status, 405);
    t.like(headers, { Allow: 'GET, HEAD, POST, OPTIONS' });
  }
});

test('a credential of the request is judged first', (t) => {
  const headers = { authorization: 'Bearer s' };
  for (const parts of [{ upgrade: true }, { method: 'POST' }, { headers: stream }] as RequestParts[]) {
    const byHeader = sessionOf(door, { ...parts, headers: { ...parts.headers, ...headers } });
    t.deepEqual(play(byHeader), [['authorise s']]);
    t.deepEqual(play(sessionOf(door, { ...parts, target: '/?access_token=q' })), [['authorise q']]);
  }
});

test('a POST whose body is compressed is 415, and says what would do', (t) => {
  const coded = (encoding: string, method = 'POST') =>
    door.route(doorRequest({ target: '/a', method, headers: { 'content-encoding': encoding } }));
  for (const encoding of ['gzip', 'GZIP', 'br', 'identity, gzip', 'deflate'])
    t.like(
      coded(encoding),
      { type: 'reply', status: 415, headers: { 'Accept-Encoding': 'identity' } },
      encoding,
    );
  for (const encoding of ['identity', 'Identity', '', 'identity, identity'])
    t.is(coded(encoding).type, 'open', encoding);
  t.like(coded('gzip', 'GET'), { status: 200 });
});
