import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startBackEnd, status } from '../support/back-end.ts';
import { ask } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { forged, SECRET_TEXT } from '../support/tokens.ts';
import { connectWs, refusedWs, type WsClient } from '../support/ws-client.ts';

/** Failures in a minute after which an address is refused. */
const LIMIT = 10;
const wrong = { Authorization: 'Bearer wrong' };

type Attempt = (t: ExecutionContext, relay: TestRelay) => Promise<number | string>;

const upgrade =
  (door: string, path: string, headers = wrong): Attempt =>
  async (_t, relay) =>
    (await refusedWs(_t, relay.port(door), path, { headers })).status;

const post =
  (headers: Readonly<Record<string, string>>): Attempt =>
  async (_t, relay) =>
    (await ask(relay.port('pinghub'), '/t', { method: 'POST', headers, body: 'x' })).status;

const listen: Attempt = async (_t, relay) => {
  const headers = { ...wrong, accept: 'text/event-stream' };
  const { status, headers: answered } = await ask(relay.port('pinghub'), '/t', { headers });
  // A stream that ends at once, so that a browser comes back.
  return status === 200 && answered['retry-after'] === '60' ? 429 : status;
};

/** What such a client is told at last, or that it may not even connect. */
const pusu =
  (...frames: object[]): Attempt =>
  async (t, relay) => {
    let client: WsClient;
    try {
      client = await connectWs(t, relay.port('pusu'));
    } catch {
      return 429;
    }
    for (const frame of frames) client.send(JSON.stringify(frame));
    const end = await client.got.find((got) => typeof got === 'object' && 'code' in got);
    return typeof end === 'object' && 'reason' in end ? end.reason : '';
  };

const authorize = { type: 'authorize', authorization: 'wrong' };
const subscribe = { type: 'subscribe', channel: 't' };

async function open(t: ExecutionContext, settings: object): Promise<TestRelay> {
  return startTestRelay(t, {
    limits: { exempt: [], connection_rate_per_address: 0 },
    doors: {
      pusu: { ...settings },
      pinghub: { ...settings },
      wspubsub: { ...settings, apikeys: { list: [{ domain: 'a.com', key: 'key' }] } },
    },
  });
}

const passwords = { authenticator: 'PasswordAuthenticator', passwords: { good: ['*'] } };
const readers = { ...passwords, allow_read_by_default: true };

async function forwardTo403(t: ExecutionContext): Promise<object> {
  const { url } = await startBackEnd(t, status(403));
  // A busy machine is no back end that is away.
  return { authenticator: 'Forward', forward: { url, timeout: '20s' } };
}

function pluginOf(t: ExecutionContext): object {
  const file = join(temporaryFolder(t), 'mine.mjs');
  writeFileSync(file, 'export const getPermissions = () => ({});');
  return { authenticator: file };
}

type Case = readonly [
  title: string,
  settings: (t: ExecutionContext) => object | Promise<object>,
  attempt: Attempt,
  refused: number | string,
];

const cases: readonly Case[] = [
  ['a wrong password at pusu', () => passwords, pusu(authorize), 'authorization_failed'],
  ['a wrong password in a POST', () => passwords, post(wrong), 401],
  ['a wrong password for a WebSocket of pinghub', () => passwords, upgrade('pinghub', '/t'), 401],
  ['a wrong password for a stream', () => passwords, listen, 401],
  ['a wrong password at wspubsub', () => passwords, upgrade('wspubsub', '/ws/sub/a.com/t'), 401],
  ['a wrong API key', () => passwords, upgrade('wspubsub', '/ws/pub/wrong/a.com/t'), 403],
  ['the API key of another domain', () => passwords, upgrade('wspubsub', '/ws/pub/key/b.com/t'), 403],
  ['a wrong password where everybody may read', () => readers, post(wrong), 401],
  [
    'a wrong token at pusu',
    () => ({ authenticator: 'JWT', jwt_verification_key: SECRET_TEXT }),
    pusu(authorize),
    'authorization_failed',
  ],
  ['a no of Forward at pusu', forwardTo403, pusu(authorize, subscribe), 'permission_denied'],
  ['a no of Forward to a POST', forwardTo403, post(wrong), 403],
  ['a no of Forward to a credential that we cannot read', forwardTo403, post({ Authorization: 'X y' }), 403],
  ['a no of Forward at wspubsub', forwardTo403, upgrade('wspubsub', '/ws/sub/a.com/t'), 403],
  ['a no of a plugin', pluginOf, upgrade('pinghub', '/t'), 401],
];

for (const [title, settings, attempt, refused] of cases)
  test(`${title}: the tenth is answered as ever, and the eleventh is refused unheard`, async (t) => {
    const relay = await open(t, await settings(t));
    for (let n = 1; n <= LIMIT; n++) t.is(await attempt(t, relay), refused, `attempt ${n}`);
    t.is(await attempt(t, relay), 429);
  });

test('a wrong password that may read all the same, again and again on one connection', async (t) => {
  const relay = await open(t, readers);
  const client = await connectWs(t, relay.port('pusu'));
  for (let n = 0; n <= LIMIT; n++) client.send(JSON.stringify(authorize));
  const got = await client.take(1 + LIMIT + 1);
  t.deepEqual(got.slice(1, -1), Array(LIMIT).fill('{"type":"authorization_ok"}'));
  t.deepEqual(got.at(-1), { code: 1008, reason: 'too many failed authorisations' });
});

const now = Math.floor(Date.now() / 1000);
const tokens = { authenticator: 'JWT', jwt_verification_key: SECRET_TEXT };
const bearer = (claims: object) => ({
  Authorization: `Bearer ${forged({ alg: 'HS256' }, { channels: { '*': 'rw' }, ...claims }, SECRET_TEXT)}`,
});
const expired = bearer({ exp: now - 60 });
const early = bearer({ nbf: now + 3600 });
const tellExpired = { ...authorize, authorization: expired.Authorization.replace('Bearer ', '') };

const harmless: readonly (readonly [string, Case[1], Attempt, number | string])[] = [
  ['no credential', () => passwords, post({}), 401],
  ['no credential, where Forward says no', forwardTo403, post({}), 403],
  ['no credential at pusu, where Forward says no', forwardTo403, pusu(subscribe), 'permission_denied'],
  ['no credential, where a plugin says no', pluginOf, post({}), 401],
  ['a token that has expired', () => tokens, post(expired), 401],
  ['a token that is not yet valid', () => tokens, post(early), 401],
  ['a token that has expired, for a WebSocket', () => tokens, upgrade('pinghub', '/t', expired), 401],
  ['a token that has expired, at pusu', () => tokens, pusu(tellExpired), 'authorization_failed'],
  ['any credential, where there is no authenticator', () => ({}), post(wrong), 200],
];

for (const [title, settings, attempt, answered] of harmless)
  test(`${title} does not count`, async (t) => {
    const relay = await open(t, await settings(t));
    for (let n = 1; n <= LIMIT + 1; n++) t.is(await attempt(t, relay), answered, `attempt ${n}`);
  });
