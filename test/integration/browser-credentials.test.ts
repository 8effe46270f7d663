import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type BackEnd, startBackEnd } from '../support/back-end.ts';
import { ask, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const wanted = 'https://chat.example.com';
const passwords = { authenticator: 'PasswordAuthenticator', passwords: { good: ['*'], 'a b%': ['*'] } };
const apikeys = { list: [{ domain: 'd', key: 'key' }] };

type Settings = Readonly<Record<string, unknown>>;

/** Every door asks for a credential. */
const open = (t: ExecutionContext, door: Settings = {}, settings: Settings = passwords): Promise<TestRelay> =>
  startTestRelay(t, {
    ...settings,
    doors: { pusu: door, pinghub: door, wspubsub: { realm: 'main', apikeys, ...door } },
  });

const doors = [
  ['pusu', '/'],
  ['pinghub', '/d/t'],
  ['wspubsub', '/ws/sub/d/t'],
] as const;

for (const [door, path] of doors) {
  test(`${door}: a token among the subprotocols opens a WebSocket, and is not sent back`, async (t) => {
    const relay = await open(t);
    await connectWs(t, relay.port('wspubsub'), '/ws/pub/key/d/t');
    const client = await connectWs(t, relay.port(door), path, { protocols: ['bearer', 'good'] });
    t.is(client.webSocket.protocol, 'bearer');
    const both = await connectWs(t, relay.port(door), path, { protocols: [door, 'bearer', 'a%20b%25'] });
    t.is(both.webSocket.protocol, door);
    const raw = await connectRaw(t, relay.port(door));
    raw.send(upgradeRequest({ 'Sec-WebSocket-Protocol': 'bearer, good' }, `GET ${path} HTTP/1.1`));
    t.false((await raw.until('\r\n\r\n')).includes('good'));
    const wrong = await refusedWs(t, relay.port(door), path, { protocols: ['bearer', 'bad'] });
    t.is(wrong.status, 401);
  });

  test(`${door}: a cookie that is named opens a WebSocket for pages of listed origins`, async (t) => {
    const relay = await open(t, { cookie: 'sid', origin: wanted });
    await connectWs(t, relay.port('wspubsub'), '/ws/pub/key/d/t');
    const cookie = 'a=b; sid=good';
    await connectWs(t, relay.port(door), path, { headers: { cookie, origin: wanted } });
    await connectWs(t, relay.port(door), path, { headers: { cookie } });
    const refused = async (headers: Readonly<Record<string, string>>) =>
      (await refusedWs(t, relay.port(door), path, { headers })).status;
    t.is(await refused({ cookie, origin: 'https://evil.example' }), 403);
    t.is(await refused({ cookie: 'sid=bad', origin: wanted }), 401);
  });

  test(`${door}: subprotocols that it does not speak are 400, which says what it does, and are logged without secrets`, async (t) => {
    const relay = await open(t);
    const { status, body } = await refusedWs(t, relay.port(door), path, { protocols: ['mqtt', 'hunter2'] });
    t.is(status, 400);
    t.regex(body, new RegExp(`^Error: bad request\\. .*${door}`));
    t.false(body.includes('hunter2'));
    t.like(
      relay.log.all.find(({ msg }) => msg === 'refused'),
      { door, status: 400, offered: 'mqtt, [hidden]' },
    );
  });
}

test('pusu: whoever brought a credential is greeted when it was found good, and may use it', async (t) => {
  const relay = await open(t);
  const client = await connectWs(t, relay.port('pusu'), '/', { protocols: ['pusu', 'bearer', 'good'] });
  client.send('{"type":"subscribe","channel":"c"}');
  t.deepEqual(await client.take(2), ['{"type":"hello"}', '{"type":"subscribe_ok","channel":"c"}']);
});

test('pusu: an authenticator that is away is 503', async (t) => {
  const file = join(temporaryFolder(t), 'mine.mjs');
  writeFileSync(file, 'export const getPermissions = () => { throw new Error(); };');
  const relay = await open(t, {}, { authenticator: file });
  const refused = await refusedWs(t, relay.port('pusu'), '/', { protocols: ['bearer', 'x'] });
  t.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
});

const at = (relay: TestRelay, method: string, headers: Readonly<Record<string, string>>) =>
  ask(relay.port('pinghub'), '/t', { method, headers, ...(method === 'POST' ? { body: 'x' } : {}) });

test('pinghub: a cookie counts for POST and streams, and answers allow credentials to listed origins', async (t) => {
  const relay = await open(t, { cookie: 'sid', origin: [wanted, 'null'] });
  const headers = { cookie: 'sid=good', origin: wanted };
  const posted = await at(relay, 'POST', headers);
  t.is(posted.status, 200);
  t.is(posted.headers['access-control-allow-credentials'], 'true');
  t.is((await at(relay, 'OPTIONS', { origin: wanted })).headers['access-control-allow-credentials'], 'true');
  const stream = await connectRaw(t, relay.port('pinghub'));
  stream.send(
    `GET /t HTTP/1.1\r\nHost: x\r\nOrigin: ${wanted}\r\nCookie: sid=good\r\nAccept: text/event-stream\r\n\r\n`,
  );
  t.regex(await stream.until('\r\n\r\n'), /^HTTP\/1\.1 200 /);
  const shared = await at(relay, 'POST', { cookie: 'sid=good', origin: 'null' });
  t.deepEqual([shared.status, shared.headers['access-control-allow-credentials']], [401, undefined]);
  t.is((await at(relay, 'POST', { cookie: 'sid=good', 'sec-fetch-site': 'cross-site' })).status, 401);
  t.is(
    (await at(relay, 'POST', { ...headers, authorization: 'Bearer bad' })).status,
    401,
    'a header goes first',
  );
});

test('without a list of origins a cookie counts for pages of the same origin alone', async (t) => {
  const relay = await open(t, { cookie: 'sid' });
  const own = `http://127.0.0.1:${relay.port('pinghub')}`;
  const status = async (origin: string) => (await at(relay, 'POST', { cookie: 'sid=good', origin })).status;
  t.is(await status(own), 200);
  t.is(await status('http://evil.example'), 401);
  const strange = await refusedWs(t, relay.port('pusu'), '/', {
    headers: { cookie: 'sid=bad', origin: `http://127.0.0.1:${relay.port('pusu')}` },
  });
  t.is(strange.status, 401);
  const anonymous = await connectWs(t, relay.port('pusu'), '/', {
    headers: { cookie: 'sid=good', origin: 'http://evil.example' },
  });
  anonymous.send('{"type":"subscribe","channel":"c"}');
  t.deepEqual((await anonymous.take(3)).at(-1), { code: 1008, reason: 'permission_denied' });
  const { headers } = await at(relay, 'POST', { cookie: 'sid=good', origin: own });
  t.is(headers['access-control-allow-credentials'], undefined);
});

test('without the setting a cookie is no credential', async (t) => {
  const relay = await open(t, { origin: wanted });
  t.is((await at(relay, 'POST', { cookie: 'sid=good; cookie=good', origin: wanted })).status, 401);
});

test('a server that is asked gets the token of a subprotocol as a header, and no cookie that may not count', async (t) => {
  const backEnd: BackEnd = await startBackEnd(t, (_request, response) => response.writeHead(204).end());
  const settings = { authenticator: 'Forward', forward: { url: backEnd.url } };
  const relay = await open(t, { cookie: 'sid' }, settings);
  const strange = { cookie: 'sid=good', origin: 'http://evil.example' };
  await connectWs(t, relay.port('pinghub'), '/t', { protocols: ['bearer', 'a%20b'], headers: strange });
  const client = await connectWs(t, relay.port('pusu'), '/', { protocols: ['bearer', 'good'] });
  client.send('{"type":"subscribe","channel":"c"}');
  await client.take(2);
  const asked = backEnd.asked.all.map(({ headers }) => [headers.authorization, headers.cookie]);
  t.deepEqual(asked, [
    ['Bearer a b', undefined],
    ['Bearer good', undefined],
  ]);
});

test('a cookie that a reload names counts at once, and so does the list of origins beside it', async (t) => {
  const relay = await startTestRelay(t, { ...passwords, doors: { pinghub: {} } });
  const status = async () => (await at(relay, 'POST', { cookie: 'sid=good', origin: wanted })).status;
  t.is(await status(), 401);
  const config = testConfig({ ...passwords, doors: { pinghub: { cookie: 'sid', origin: wanted } } });
  await relay.relay.reload(() => ({ ok: true, config }));
  t.is(await status(), 200);
});
