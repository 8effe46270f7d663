import test from 'ava';
import { clientFrame, connectRaw, rawExchange, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

// A target in absolute form (RFC 9112, section 3.2.2), and what old load balancers leave out.

const status = (answer: string) => Number(answer.slice(9, 12));

test('pinghub takes it for WebSockets, streams, POST and the page', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const port = relay.port('pinghub');
  const one = await connectWs(t, port, '/news');
  const body =
    'POST http://other.example/news?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi';
  t.is(status(await rawExchange(t, port, body)), 200);
  t.is(await one.next(), 'hi');
  const framing = await connectRaw(t, port);
  framing.send(upgradeRequest({}, 'GET https://other.example:443/news HTTP/1.1'));
  await framing.until('101 Switching');
  framing.send(clientFrame('framed'));
  t.is(await one.next(), 'framed');
  const stream = await connectRaw(t, port);
  stream.send('GET HTTP://other.example/news HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n');
  await stream.until('event-stream');
  one.send('streamed');
  await stream.until('data: streamed');
  const page = 'GET http://other.example/news HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  t.regex(await rawExchange(t, port, page), /<title>\/news/);
});

test('pusu and wspubsub take it', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pusu: {}, wspubsub: { apikeys: { list: [{ domain: 'a.com', key: 'key' }] } } },
  });
  for (const [door, line] of [
    ['pusu', 'GET http://other.example HTTP/1.1'],
    ['wspubsub', 'GET http://other.example/ws/pub/key/a.com/t HTTP/1.1'],
  ] as const) {
    const client = await connectRaw(t, relay.port(door));
    client.send(upgradeRequest({}, line));
    t.is(status(await client.until('\r\n\r\n')), 101, door);
  }
});

const admin = (line: string, more = '') => `${line}\r\n${more}\r\n`;

test('the admin port takes it, and the host in it is the one that is asked for', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pusu: {} },
    admin: { host: '127.0.0.1', port: 0, names: ['own'] },
  });
  const host = 'Host: own\r\nConnection: close\r\n';
  for (const [line, expected] of [
    ['GET http://own/health/live HTTP/1.1', 200],
    ['GET http://127.0.0.1:1/metrics HTTP/1.1', 200],
    ['GET http://evil.example/health/live HTTP/1.1', 421],
    ['GET http://user@own/health/live HTTP/1.1', 404],
  ] as const)
    t.is(status(await rawExchange(t, relay.port('admin'), admin(line, host))), expected, line);
});

test('health answers HTTP/1.0 without a Host, and nothing else does', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  for (const [line, more, expected] of [
    ['GET /health HTTP/1.0', '', 200],
    ['GET /health/live HTTP/1.0', '', 200],
    ['HEAD /health/ready HTTP/1.0', '', 200],
    ['GET /healthz HTTP/1.0', '', 200],
    ['GET /health/live HTTP/1.0', 'Host: localhost\r\n', 200],
    ['GET /health/live HTTP/1.0', 'Host: evil.example\r\n', 421],
    ['GET /health/live HTTP/1.0', 'Host:\r\n', 421],
    ['GET http://evil.example/health/live HTTP/1.0', '', 421],
    ['GET /metrics HTTP/1.0', '', 421],
    ['GET /observer HTTP/1.0', '', 421],
    ['GET /healthy HTTP/1.0', '', 421],
    ['GET /health/live HTTP/1.1', '', 400],
  ] as const)
    t.is(status(await rawExchange(t, relay.port('admin'), admin(line, more))), expected, `${line} ${more}`);
});
