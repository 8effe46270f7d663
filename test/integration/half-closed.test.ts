import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { startBackEnd } from '../support/back-end.ts';
import { selfSigned } from '../support/certificate.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

// A client that has said all may end its side, as nc -N and socat do, and waits for its answer.

/** Ends its side behind the bytes, and returns all that comes until the other side has ended too. */
function halfClosed(t: ExecutionContext, port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.end(bytes);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

const statuses = (answers: string) =>
  answers.match(/HTTP\/1\.[01] \d+/g)?.map((line) => Number(line.slice(9)));
const post = (more = '') => `POST /t HTTP/1.1\r\nHost: a\r\n${more}Content-Length: 2\r\n\r\nhi`;

test('a POST is published and answered, alone and behind others', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const port = relay.port('pinghub');
  const one = await connectWs(t, port, '/t');
  for (const [bytes, answers] of [
    [post(), [200]],
    ['POST /t HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi', [200]],
    [post('Connection: Upgrade\r\nUpgrade: h2c\r\n'), [200]],
    ['POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n', [200]],
  ] as const) {
    t.deepEqual(statuses(await halfClosed(t, port, bytes)), answers, bytes);
    t.is(await one.next(), 'hi');
  }
  t.deepEqual(statuses(await halfClosed(t, port, post() + post() + post())), [200, 200, 200]);
  t.deepEqual(await one.take(3), ['hi', 'hi', 'hi']);
});

test('an answer that has to be waited for comes too, and then the end', async (t) => {
  const release: (() => void)[] = [];
  const backEnd = await startBackEnd(t, (_request, response) => {
    release.push(() => response.writeHead(204).end());
  });
  const relay = await startTestRelay(t, {
    authenticator: 'Forward',
    forward: { url: backEnd.url, timeout: '60s' },
    doors: { pinghub: {} },
  });
  const answer = halfClosed(t, relay.port('pinghub'), post());
  await eventually(() => release.length === 1, 'the question');
  release[0]?.();
  t.regex(await answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*OK\n$/);
});

test.serial('the admin port answers', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  for (const path of ['/health/live', '/health/ready', '/metrics', '/observer/trace?pid=1']) {
    const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    t.deepEqual(statuses(await halfClosed(t, relay.port('admin'), request)), [200], path);
  }
});

test('the same over TLS', async (t) => {
  const { cert, key, ca } = selfSigned(t);
  const relay = await startTestRelay(t, { doors: { pinghub: { tls: { cert, key } } } });
  const options: ConnectionOptions & { readonly allowHalfOpen: boolean } = { ca, allowHalfOpen: true };
  const socket = connectTls(relay.port('pinghub'), '127.0.0.1', options);
  t.teardown(() => socket.destroy());
  socket.end(post());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  await new Promise((resolve, reject) => {
    socket.on('end', resolve);
    socket.on('error', reject);
  });
  t.deepEqual(statuses(text), [200]);
});

test('half a request has no answer', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  for (const port of ['pinghub', 'admin'])
    for (const bytes of ['GET /t HTT', 'POST /t HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nhi'])
      t.is(await halfClosed(t, relay.port(port), bytes), '');
});

test('a stream, and the observer’s feed, end with the client’s side: there is no other way to leave them', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const stream = await connectRaw(t, relay.port('pinghub'));
  stream.send('GET /t HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n');
  await stream.until('retry');
  stream.socket.end();
  await stream.end();
  t.like(await relay.closed(), { code: 1000, reason: 'closed by client' });
  const feed = await connectRaw(t, relay.port('admin'));
  feed.send('GET /observer/feed HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await feed.until('event: hello');
  feed.socket.end();
  await feed.end();
});
