import test, { type ExecutionContext } from 'ava';
import { startBackEnd } from '../support/back-end.ts';
import { freePorts, SECRET } from '../support/cluster.ts';
import { clientFrame, connectRaw, rawExchange, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

// Node by itself sees 1,000 lines of a head or so, and nothing of what stands behind them.

const LINES = 1500;
/** 6 kB, which is little for a head. */
const many = 'a:\r\n'.repeat(LINES);
const h2c = 'Upgrade: h2c\r\nConnection: Upgrade\r\n';
const statuses = (answers: string) => answers.match(/HTTP\/1\.1 \d+/g)?.map((line) => Number(line.slice(9)));
/** A request whose last headers stand behind many. */
const behindMany = (request: string, last: string) => request.replace(/\r\n$/, `${many}${last}\r\n\r\n`);

const open = (t: ExecutionContext, edge: object = {}, more: object = {}): Promise<TestRelay> =>
  startTestRelay(t, { doors: { pinghub: { ...edge } }, ...more });

for (const [how, offer] of [
  ['', ''],
  [' with an offer of HTTP/2', h2c],
] as const)
  test(`a body whose length stands behind many lines is a body${how}, and no second request`, async (t) => {
    const relay = await open(t);
    const one = await connectWs(t, relay.port('pinghub'), '/t');
    const inner = 'POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nevil';
    const request = behindMany(
      `POST /t HTTP/1.1\r\nHost: a\r\n${offer}\r\n`,
      `Connection: close\r\nContent-Length: ${inner.length}`,
    );
    t.deepEqual(statuses(await rawExchange(t, relay.port('pinghub'), request + inner)), [200]);
    t.is(await one.next(), inner);
  });

test('an origin, and a credential, behind many lines count', async (t) => {
  const relay = await open(
    t,
    { origin: 'https://good.example' },
    { authenticator: 'PasswordAuthenticator', passwords: { secret: ['*'] } },
  );
  const answer = async (last: string) => {
    const client = await connectRaw(t, relay.port('pinghub'));
    client.send(behindMany(upgradeRequest({ Authorization: 'Bearer secret' }), last));
    return statuses(await client.until('\r\n\r\n'));
  };
  t.deepEqual(await answer('Origin: https://evil.example'), [403]);
  t.deepEqual(await answer('Origin: https://good.example'), [101]);
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send(behindMany(upgradeRequest(), 'Authorization: Bearer secret'));
  t.regex(await client.until('\r\n\r\n'), /^HTTP\/1\.1 101 /);
});

test('X-Forwarded-For of a proxy behind many lines names the client', async (t) => {
  const relay = await open(t, { trusted_proxies: ['127.0.0.1'] });
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send(behindMany(upgradeRequest(), 'X-Forwarded-For: 192.0.2.7'));
  await client.until('\r\n\r\n');
  client.send(clientFrame('', 8));
  t.is((await relay.closed())['address'], '192.0.2.7');
});

test('the number of lines is not limited, the bytes of them are', async (t) => {
  const relay = await open(t, {}, { limits: { head: '16KiB' } });
  const ended = 'Connection: close\r\n\r\n';
  for (const offer of ['', h2c]) {
    const start = `GET /t HTTP/1.1\r\nHost: a\r\n${offer}`;
    const lines = 'a:b\r\n'.repeat(8000);
    t.deepEqual(statuses(await rawExchange(t, relay.port('pinghub'), start + lines + ended)), [200]);
    const answer = await rawExchange(t, relay.port('pinghub'), start + lines + lines + ended);
    t.regex(answer, /^HTTP\/1\.1 431 [\s\S]*the head of the request has more than 16384 bytes/);
  }
});

test.serial('at the admin port', async (t) => {
  const relay = await open(t);
  const request = (last: string) => behindMany('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n', last);
  const answer = async (last: string) =>
    statuses(await rawExchange(t, relay.port('admin'), request(`Connection: close\r\n${last}`)));
  t.deepEqual(await answer('Origin: https://evil.example'), [403]);
  t.deepEqual(await answer('X: y'), [200]);
});

test('at the network port', async (t) => {
  const [port, nobody] = await freePorts(2);
  await startTestRelay(t, {
    relays: [`127.0.0.1:${port}`, `127.0.0.1:${nobody}`],
    network: { host: '127.0.0.1', port, secret: SECRET },
    doors: { pinghub: {} },
  });
  const client = await connectRaw(t, port as number);
  client.send(behindMany(upgradeRequest(), 'Sec-WebSocket-Protocol: fanfare.peer.1'));
  t.regex(await client.until('\r\n\r\n'), /^HTTP\/1\.1 101 /);
});

test('what Forward is asked with, and is answered', async (t) => {
  const rewritten = Array.from({ length: LINES }, () => ['a', '']).flat();
  const backEnd = await startBackEnd(t, (_request, response) => {
    response.writeHead(204, [...rewritten, 'X-Rewrite', '/other']).end();
  });
  const relay = await open(
    t,
    {},
    { authenticator: 'Forward', forward: { url: backEnd.url, timeout: '20s' } },
  );
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send(behindMany(upgradeRequest(), 'Cookie: a=1'));
  await client.until('\r\n\r\n');
  const { headers, rawHeaders } = await backEnd.asked.next();
  t.is(headers.cookie, 'a=1');
  t.is(rawHeaders.filter((name) => name === 'a').length, LINES);
  const other = await connectRaw(t, relay.port('pinghub'));
  other.send('POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
  await other.until('OK\n');
  t.deepEqual(
    [...relay.relay.topics.all()].map(({ name }) => name),
    ['other'],
    'the one that the back end has named',
  );
});
