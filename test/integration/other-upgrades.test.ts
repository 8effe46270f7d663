import test, { type ExecutionContext } from 'ava';
import { losesWhatFollows } from '../../src/http/upgrades.ts';
import { selfSigned } from '../support/certificate.ts';
import { ask, clientFrame, connectRaw, rawExchange, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

// What a client offers to upgrade to, and is not a WebSocket, is no demand: all goes on as plain HTTP.

/** As curl does with --http2. */
const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n';
const plain = 'POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nlast';

const open = (t: ExecutionContext): Promise<TestRelay> =>
  startTestRelay(t, {
    doors: { pusu: {}, pinghub: {}, wspubsub: { apikeys: { list: [{ domain: 'a.com', key: 'key' }] } } },
  });

const statuses = (answers: string) => answers.match(/HTTP\/1\.1 \d+/g)?.map((line) => Number(line.slice(9)));

async function subscribed(t: ExecutionContext): Promise<{ relay: TestRelay; one: WsClient }> {
  const relay = await open(t);
  return { relay, one: await connectWs(t, relay.port('pinghub'), '/t') };
}

const chunked = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

const bodies: readonly [what: string, body: string][] = [
  ['a short body', 'hi'],
  ['a body of one read', 'x'.repeat(1000)],
  ['a body of limits.message', 'x'.repeat(64 * 1024)],
];

for (const [what, body] of bodies)
  for (const [how, headers, bytes] of [
    ['of known length', `Content-Length: ${body.length}\r\n`, body],
    ['in chunks', 'Transfer-Encoding: chunked\r\n', chunked(body)],
    ['that waits to be asked for', `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n`, body],
  ] as const)
    test(`a POST with ${what} ${how} is published, and the connection serves the next one`, async (t) => {
      const { relay, one } = await subscribed(t);
      const client = await connectRaw(t, relay.port('pinghub'));
      const waits = headers.includes('Expect');
      client.send(`POST /t HTTP/1.1\r\nHost: a\r\n${h2c}${headers}\r\n`);
      if (waits) await client.until('100 Continue');
      client.send(bytes);
      t.is(await one.next(), body);
      const answer = await client.until('OK\n');
      t.deepEqual(statuses(answer), waits ? [100, 200] : [200]);
      if (answer.includes('Connection: close')) {
        t.true(
          losesWhatFollows({ headers: { upgrade: 'h2c', connection: 'Upgrade', 'content-length': '1' } }),
        );
        return;
      }
      client.send(plain);
      t.is(await one.next(), 'last');
    });

test('a POST byte by byte', async (t) => {
  const { relay, one } = await subscribed(t);
  const client = await connectRaw(t, relay.port('pinghub'));
  client.socket.setNoDelay(true);
  for (const byte of `POST /t HTTP/1.1\r\nHost: a\r\n${h2c}Content-Length: 2\r\n\r\nhi`) {
    client.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.is(await one.next(), 'hi');
});

test('many on one connection without waiting are answered in order', async (t) => {
  const { relay, one } = await subscribed(t);
  const client = await connectRaw(t, relay.port('pinghub'));
  const page = `GET /t HTTP/1.1\r\nHost: a\r\n${h2c}\r\n`;
  client.send(page + plain + page + page + plain + upgradeRequest({ Upgrade: 'h2c' }) + plain);
  t.deepEqual(await one.take(3), ['last', 'last', 'last']);
  client.send(Buffer.concat([Buffer.from(page + upgradeRequest()), clientFrame('framed')]));
  t.is(await one.next(), 'framed');
  t.deepEqual(statuses(await client.until('framed')), [200, 200, 200, 200, 200, 200, 200, 200, 101]);
});

test('a stream, and what it says for as long as it lives', async (t) => {
  const relay = await open(t);
  const client = await connectRaw(t, relay.port('pinghub'));
  // The first leaves a timer of an idle connection behind.
  client.send(
    `GET /t HTTP/1.1\r\nHost: a\r\n\r\nGET /t HTTP/1.1\r\nHost: a\r\n${h2c}Accept: text/event-stream\r\n\r\n`,
  );
  await client.until('event-stream');
  const publisher = await connectWs(t, relay.port('pinghub'), '/t');
  publisher.send('hi');
  t.regex(await client.until('data: hi\n\n'), /HTTP\/1\.1 200 OK[\s\S]*HTTP\/1\.1 200 OK/);
});

test('a WebSocket is asked for among others, in any case and order', async (t) => {
  const relay = await open(t);
  for (const upgrade of ['h2c, websocket', 'WebSocket, h2c', 'TLS/1.2 ,, WEBSOCKET'])
    t.regex(
      await (async () => {
        const client = await connectRaw(t, relay.port('pusu'));
        client.send(upgradeRequest({ Upgrade: upgrade }));
        return client.until('hello');
      })(),
      /^HTTP\/1\.1 101 [\s\S]*\r\nUpgrade: websocket\r\n/,
      upgrade,
    );
});

test('a POST that offers a WebSocket is a POST', async (t) => {
  const { relay, one } = await subscribed(t);
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send(`${upgradeRequest({ 'Content-Length': '2' }, 'POST /t HTTP/1.1')}hi`);
  t.is(await one.next(), 'hi');
  t.deepEqual(statuses(await client.until('OK\n')), [200]);
});

test('at doors that have WebSockets alone it is refused as without the offer', async (t) => {
  const relay = await open(t);
  for (const [door, path] of [
    ['pusu', '/'],
    ['wspubsub', '/ws/sub/a.com/t'],
  ] as const)
    for (const [method, status] of [
      ['GET', 426],
      ['POST', 405],
      ['HEAD', 405],
    ] as const) {
      const request = `${method} ${path} HTTP/1.1\r\nHost: a\r\n${h2c}\r\n${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
      t.deepEqual(statuses(await rawExchange(t, relay.port(door), request)), [status, status], door);
    }
});

test('the same over TLS, and behind a PROXY header', async (t) => {
  const { cert, key, ca } = selfSigned(t);
  const relay = await startTestRelay(t, { doors: { pinghub: { tls: { cert, key } } } });
  const headers = { Connection: 'Upgrade', Upgrade: 'TLS/1.2' };
  t.is((await ask(relay.port('pinghub'), '/t', { ca, headers, method: 'POST', body: 'hi' })).status, 200);
  t.is((await ask(relay.port('pinghub'), '/t', { ca, headers })).status, 200);
  const proxied = await startTestRelay(t, {
    doors: { pinghub: { trusted_proxies: ['127.0.0.1'], proxy_protocol: true } },
  });
  const one = await connectRaw(t, proxied.port('pinghub'));
  one.send(`PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /t HTTP/1.1\r\nHost: a\r\n${h2c}\r\n${plain}`);
  t.deepEqual(statuses(await one.until('OK\n')), [200, 200]);
});

test.serial('at the admin port', async (t) => {
  const relay = await open(t);
  const health = (more: string) => `GET /health/live HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
  const client = await connectRaw(t, relay.port('admin'));
  client.send(health(h2c) + health('') + health(h2c) + health('X: last\r\nConnection: close\r\n'));
  t.deepEqual(statuses(await client.end()), [200, 200, 200, 200]);
});
