import test from 'ava';
import { pusuDoor } from '../../../src/door/pusu/door.ts';
import { pusuFormat } from '../../../src/door/pusu/format.ts';
import { doorRequest } from '../door-request.ts';
import { answerOf, statusOf } from '../script.ts';

const door = pusuDoor({ topicLength: 256 });

test('a WebSocket opens on any path', (t) => {
  for (const target of ['/', '/ws', '//..', '/%zz', '/\u00ff', '*', '/a?b']) {
    const route = door.route(doorRequest({ target, upgrade: true }));
    t.like(route, { type: 'open', transport: 'websocket', guard: 'authenticator' });
    t.is(route.type === 'open' ? route.format : null, pusuFormat);
  }
});

test('a subprotocol and an origin that it does not know do not matter', (t) => {
  const headers = { 'sec-websocket-protocol': 'http-only', origin: 'null' };
  t.is(statusOf(door, { upgrade: true, headers }), 101);
});

test('a GET without upgrade is told to upgrade', (t) => {
  const { status, headers } = answerOf(door, {});
  t.is(status, 426);
  t.like(headers, { Upgrade: 'websocket', Connection: 'Upgrade' });
});

test('other methods are not allowed', (t) => {
  for (const method of ['POST', 'HEAD', 'PUT', 'OPTIONS', 'get']) {
    const { status, headers } = answerOf(door, { method });
    t.is(status, 405);
    t.like(headers, { Allow: 'GET' });
  }
});
