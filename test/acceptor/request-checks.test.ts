import type { IncomingMessage } from 'node:http';
import test from 'ava';
import { type Edge, RequestChecks } from '../../src/acceptor/request-checks.ts';
import type { Door, DoorRequest, Route } from '../../src/door/contract.ts';
import { textReply } from '../../src/door/replies.ts';

const edge: Edge = {
  origin: null,
  cookie: null,
  tls: null,
  trustedProxies: [],
  proxyProtocol: false,
  open: false,
};

const opened = (transport: string) =>
  ({ type: 'open', transport, session: {}, format: null }) as unknown as Route;

/** A door whose paths say what it answers; it remembers what it was asked. */
function checks(change: Partial<Edge> = {}, more: Partial<Door> = {}) {
  const asked: DoorRequest[] = [];
  const door: Door = {
    name: 'test',
    protocols: ['test'],
    ...more,
    route(request) {
      asked.push(request);
      return request.path === '/no' ? textReply(404, 'no') : opened(request.path.slice(1));
    },
  };
  return {
    asked,
    checks: new RequestChecks({ door, limits: { message: 10 } }, { ...edge, ...change }),
  };
}

function request(path: string, headers: Record<string, string> = {}, method = 'GET'): IncomingMessage {
  const all: Record<string, string> = { Host: 'h', ...headers };
  const folded = Object.fromEntries(Object.entries(all).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method,
    url: path,
    httpVersion: '1.1',
    headers: folded,
    rawHeaders: Object.entries(all).flat(),
  } as unknown as IncomingMessage;
}

const handshake = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

const never = () => {
  throw new Error('no stream');
};

const statusOf = (route: Route | 'origin') =>
  route !== 'origin' && route.type === 'reply' ? route.status : null;

test('a request that is not well-formed never reaches the door', (t) => {
  const { checks: judge, asked } = checks();
  t.is(statusOf(judge.request(request('/exchange', { Expect: 'x' }), never)), 417);
  t.is(statusOf(judge.request(request('/exchange', { 'Transfer-Encoding': 'gzip' }), never)), 501);
  t.is(statusOf(judge.upgrade(request('/websocket', { ...handshake, Upgrade: 'h2c' })).route), 400);
  t.is(
    statusOf(judge.upgrade(request('/websocket', { ...handshake, 'Sec-WebSocket-Version': '8' })).route),
    426,
  );
  t.deepEqual(asked, []);
});

test('a door is asked what it does with a request, path and query apart', (t) => {
  const { checks: judge, asked } = checks();
  t.is(statusOf(judge.request(request('/no?a?b'), never)), 404);
  t.like(judge.request(request('http://other/exchange'), never), { transport: 'exchange' });
  t.like(judge.upgrade(request('/websocket', handshake)).route, { transport: 'websocket' });
  t.like(asked[0], { path: '/no', query: 'a?b', upgrade: false });
  t.like(asked[2], { path: '/websocket', upgrade: true });
});

test('what is no WebSocket is not upgraded to', (t) => {
  const { checks: judge } = checks();
  for (const path of ['/stream', '/exchange'])
    t.is(statusOf(judge.upgrade(request(path, handshake)).route), 400);
  t.is(statusOf(judge.upgrade(request('/no', handshake)).route), 404);
});

test('subprotocols of which the door speaks none are refused, and told apart from other refusals', (t) => {
  const { checks: judge } = checks();
  const offering = (protocols: string, path = '/websocket') =>
    judge.upgrade(request(path, { ...handshake, 'Sec-WebSocket-Protocol': protocols }));
  t.is(statusOf(offering('mqtt').route), 400);
  t.is(offering('mqtt').offered, 'mqtt');
  t.is(offering('test, mqtt').offered, undefined);
  t.is(offering('test', '/no').offered, undefined);
});

test('a stream must be able to be the last, and a body not longer than a message', (t) => {
  const { checks: judge } = checks();
  t.like(
    judge.request(request('/stream'), () => true),
    { transport: 'stream' },
  );
  t.is(statusOf(judge.request(request('/stream'), () => false)), 400);
  const post = (length: number) =>
    judge.request(request('/exchange', { 'Content-Length': String(length) }, 'POST'), never);
  t.like(post(10), { transport: 'exchange' });
  t.is(statusOf(post(11)), 413);
});

test('a preflight is answered by the origin alone, where the door has something for other pages', (t) => {
  const offer = { crossOrigin: { methods: 'GET', headers: 'X' } };
  const preflight = (origin: string) => request('/exchange', { Origin: origin }, 'OPTIONS');
  const { checks: judge, asked } = checks({ origin: ['https://a.example'] }, offer);
  t.is(statusOf(judge.request(preflight('https://a.example'), never)), 204);
  t.is(judge.request(preflight('https://b.example'), never), 'origin');
  t.is(judge.headersFor(['Origin', 'https://a.example'])['Access-Control-Allow-Origin'], 'https://a.example');
  t.deepEqual(asked, []);
  const without = checks({ origin: ['https://a.example'] });
  t.like(without.checks.request(preflight('https://b.example'), never), { transport: 'exchange' });
  t.deepEqual(without.checks.headersFor(['Origin', 'https://a.example']), {});
});

test('a door reads the cookie of credentials from pages that may bring it, and no other', (t) => {
  const cookieOf = (change: Partial<Edge>, headers: Record<string, string>) => {
    const { checks: judge, asked } = checks(change);
    judge.request(request('/exchange', { Cookie: 'sid=a; other=b', ...headers }), never);
    return asked[0]?.cookie();
  };
  t.is(cookieOf({ cookie: 'sid' }, {}), 'a');
  t.is(cookieOf({ cookie: 'sid' }, { Origin: 'https://h' }), 'a');
  t.is(cookieOf({ cookie: 'sid' }, { Origin: 'https://evil.example' }), undefined);
  t.is(cookieOf({ cookie: 'sid', origin: ['https://a.example'] }, { Origin: 'https://a.example' }), 'a');
  t.is(cookieOf({}, {}), undefined);
});
