import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startBackEnd, status } from '../support/back-end.ts';
import { ask, post } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { servedTime } from '../support/served-time.ts';
import { otherRsa, pemOf, rsa, SECRET_TEXT, setOf, token } from '../support/tokens.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const channels = { 'user.*': 'r', 'chat.1': 'rw' };
const authorize = (authorization: string) => JSON.stringify({ type: 'authorize', authorization });
const subscribe = (channel: string) => JSON.stringify({ type: 'subscribe', channel });
const publish = (channel: string, content: string) => JSON.stringify({ type: 'publish', channel, content });
const ok = '{"type":"authorization_ok"}';
const failed = '{"type":"authorization_failed"}';

type Settings = Parameters<typeof startTestRelay>[1];

const withSecret: Settings = {
  authenticator: 'JWT',
  jwt_signing_algorithms: ['HS256'],
  jwt_verification_key: SECRET_TEXT,
};
const doors = { pusu: {}, pinghub: {}, wspubsub: { realm: 'main' } };

async function authorised(t: ExecutionContext, port: number, text: string) {
  const client = await connectWs(t, port);
  client.send(authorize(text));
  t.deepEqual(await client.take(2), ['{"type":"hello"}', ok]);
  return client;
}

test('a token opens at every door what its claim says', async (t) => {
  const relay = await startTestRelay(t, { ...withSecret, doors });
  const good = await token({ channels, sub: 'user-1' });
  const listener = await authorised(t, relay.port('pusu'), good);
  listener.send(subscribe('chat.1'));
  t.is(await listener.next(), '{"type":"subscribe_ok","channel":"chat.1"}');

  const pinghub = relay.port('pinghub');
  const bearer = { Authorization: `Bearer ${good}` };
  const basic = { Authorization: `Basic ${Buffer.from(`any:${good}`).toString('base64')}` };
  t.is((await ask(pinghub, '/chat.1', { method: 'POST', headers: bearer, body: '1' })).status, 200);
  t.is((await ask(pinghub, '/chat.1', { method: 'POST', headers: basic, body: '2' })).status, 200);
  t.is((await post(pinghub, `/chat.1?access_token=${good}`, '3')).status, 200);
  for (const content of ['1', '2', '3']) t.is(await listener.next(), publish('chat.1', content));
  const browser = await connectWs(t, pinghub, `/chat.1?access_token=${good}`);
  browser.send('4');
  t.is(await browser.next(), '4');

  t.is((await ask(pinghub, '/user.1', { method: 'POST', headers: bearer, body: 'x' })).status, 403);
  const forbidden = await refusedWs(t, pinghub, '/chat.2', { headers: bearer });
  t.is(forbidden.status, 403);
  for (const [port, path] of [
    [pinghub, '/chat.1'],
    [relay.port('wspubsub'), '/ws/sub/chat/1'],
  ] as const) {
    const none = await refusedWs(t, port, path);
    t.is(none.status, 401);
    t.is(none.headers['www-authenticate'], 'Bearer');
    t.is((await refusedWs(t, port, path, { headers: { Authorization: 'Bearer wrong' } })).status, 401);
  }
});

test('a wrong token is answered with authorization_failed, and the connection ends', async (t) => {
  const relay = await startTestRelay(t, { ...withSecret, doors: { pusu: {} } });
  for (const bad of ['x', await token({ channels }, rsa.privateKey, { alg: 'RS256' }), await token({})]) {
    const client = await connectWs(t, relay.port('pusu'));
    client.send(authorize(bad), subscribe('chat.1'));
    t.deepEqual(await client.take(3), [
      '{"type":"hello"}',
      failed,
      { code: 1008, reason: 'authorization_failed' },
    ]);
  }
});

test('when a token expires its connection is closed, and the log says who it was', async (t) => {
  const jwt = { grace: '0ms', leeway: '0' };
  const relay = await startTestRelay(t, { ...withSecret, jwt, doors });
  // Time enough to be authorised on a busy machine.
  const exp = Math.ceil(Date.now() / 1000) + 8;
  const short = await token({ channels, sub: 'user-1', exp });
  const client = await authorised(t, relay.port('pusu'), short);
  const listener = await connectWs(t, relay.port('pinghub'), `/user.1?access_token=${short}`);
  t.deepEqual(await client.next(), { code: 1008, reason: 'expired' });
  t.deepEqual(await listener.next(), { code: 1008, reason: 'expired' });
  // A timer counts in whole milliseconds, by another clock.
  t.true(Date.now() >= exp * 1000 - 10);
  const line = await relay.closed();
  t.is(line['subject'], 'user-1');
  t.is(line['reason'], 'expired');
});

test('the keys of a server count, and are found again when it comes back', async (t) => {
  const set = status(200, {}, setOf([rsa.publicKey, { kid: 'one' }]));
  const backEnd = await startBackEnd(t, set);
  await backEnd.stop();
  const relay = await startTestRelay(t, {
    authenticator: 'JWT',
    jwt: { jwks: `${backEnd.url}keys` },
    doors,
  });
  const good = await token({ channels }, rsa.privateKey, { alg: 'RS256', kid: 'one' });
  const path = `/chat.1?access_token=${good}`;
  const down = await post(relay.port('pinghub'), path, 'x');
  t.is(down.status, 503);
  t.is(down.headers['retry-after'], '1');
  t.is((await refusedWs(t, relay.port('pinghub'), path)).status, 503);
  const client = await connectWs(t, relay.port('pusu'));
  client.send(authorize(good));
  t.deepEqual((await client.take(3)).slice(1), [failed, { code: 1008, reason: 'authorization_failed' }]);
  const outages = () => relay.log.all.filter(({ msg }) => msg === 'authenticator-unavailable');
  t.deepEqual(new Set(outages().map(({ why, error }) => `${why} ${error}`)), new Set(['threw ECONNREFUSED']));
  t.is(outages().length, 2, 'once at each door');
  await startBackEnd(t, set, backEnd.port);
  let answer = await post(relay.port('pinghub'), path, 'x');
  while (answer.status === 503) answer = await post(relay.port('pinghub'), path, 'x');
  t.is(answer.status, 200);
  await relay.log.find(({ msg }) => msg === 'authenticator-available');
});

test('a key that is taken out of its file is no key any more, for live connections too', async (t) => {
  const file = join(temporaryFolder(t), 'keys.json');
  const put = (text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  const [one, two] = [
    [rsa.publicKey, { kid: 'one' }],
    [otherRsa.publicKey, { kid: 'two' }],
  ] as const;
  put(setOf(one, two));
  const relay = await startTestRelay(t, { authenticator: 'JWT', jwt: { jwks: file }, doors: { pusu: {} } });
  const first = await token({ channels }, rsa.privateKey, { alg: 'RS256', kid: 'one' });
  const second = await token({ channels }, otherRsa.privateKey, { alg: 'RS256', kid: 'two' });
  const client = await authorised(t, relay.port('pusu'), first);
  const other = await authorised(t, relay.port('pusu'), second);
  put(setOf(two));
  const took = servedTime(t);
  t.deepEqual(await client.next(), { code: 1008, reason: 'revoked' });
  t.true(took() < 5000, `${took()} ms`);
  other.send(subscribe('chat.1'));
  t.is(await other.next(), '{"type":"subscribe_ok","channel":"chat.1"}');
});

test('a key that is taken out of the set at a URL closes its clients in time; what has not changed is not sent again', async (t) => {
  const [one, two] = [
    [rsa.publicKey, { kid: 'one' }],
    [otherRsa.publicKey, { kid: 'two' }],
  ] as const;
  let set = setOf(one, two);
  const statuses: number[] = [];
  const backEnd = await startBackEnd(t, ({ headers }, response) => {
    const etag = `"${set.length}"`;
    const code = headers['if-none-match'] === etag ? 304 : 200;
    statuses.push(code);
    response.writeHead(code, { ETag: etag }).end(code === 304 ? '' : set);
  });
  const relay = await startTestRelay(t, {
    authenticator: 'JWT',
    jwt: { jwks: `${backEnd.url}keys` },
    doors: { pusu: {} },
  });
  const first = await token({ channels }, rsa.privateKey, { alg: 'RS256', kid: 'one' });
  const second = await token({ channels }, otherRsa.privateKey, { alg: 'RS256', kid: 'two' });
  const client = await authorised(t, relay.port('pusu'), first);
  const other = await authorised(t, relay.port('pusu'), second);
  await backEnd.asked.take(2);
  t.deepEqual(statuses.slice(0, 2), [200, 304]);
  set = setOf(two);
  const took = servedTime(t);
  t.deepEqual(await client.next(), { code: 1008, reason: 'revoked' });
  t.true(took() < 5000, `${took()} ms`);
  other.send(subscribe('chat.1'));
  t.is(await other.next(), '{"type":"subscribe_ok","channel":"chat.1"}');
});

test('a public key in PEM is one of pusud’s settings', async (t) => {
  const relay = await startTestRelay(t, {
    authenticator: 'JWT',
    jwt_signing_algorithms: ['RS256'],
    jwt_verification_key: pemOf(rsa.publicKey),
    doors: { pusu: {} },
  });
  await authorised(t, relay.port('pusu'), await token({ channels }, rsa.privateKey, { alg: 'RS256' }));
});
