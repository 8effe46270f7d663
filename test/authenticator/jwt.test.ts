import { createSecretKey, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { grantOf } from '../../src/authenticator/authorisation.ts';
import type { Answer } from '../../src/authenticator/contract.ts';
import { type JwtOptions, jwtAuthenticator } from '../../src/authenticator/jwt.ts';
import { allows, isEmpty } from '../../src/authenticator/permissions.ts';
import { pinned } from '../../src/config/jwt-keys.ts';
import { authenticatorContract } from '../contract/authenticator-contract.ts';
import { startBackEnd, status } from '../support/back-end.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import {
  ec,
  ed,
  forged,
  otherRsa,
  pemOf,
  rsa,
  SECRET_TEXT,
  secretKey,
  setOf,
  token,
} from '../support/tokens.ts';
import { question } from './asker.ts';

const NOW = 1_800_000_000;
const channels = { 'user.*': 'r', 'chat.1': 'rw', drop: 'w' };

function withKey(key: KeyObject, more: Partial<JwtOptions> = {}, algorithms: readonly string[] = []) {
  return jwtAuthenticator({
    keys: [{ kid: null, key, algorithms: pinned(key, algorithms) }],
    jwks: null,
    algorithms,
    audience: null,
    issuer: null,
    grace: 5000,
    timeout: 1000,
    wallClock: () => NOW * 1000,
    ...more,
  });
}

const hmac = (more: Partial<JwtOptions> = {}) => withKey(secretKey, more);
const asked = async (authenticator: ReturnType<typeof hmac>, text: string) =>
  grantOf((await authenticator.authorise(question(text))) as Answer);
const isRefused = async (authenticator: ReturnType<typeof hmac>, text: string) =>
  isEmpty((await asked(authenticator, text)).permissions);

const opens = {
  read: ['user.1', 'user.', 'chat.1'],
  write: ['chat.1', 'drop'],
  neither: ['user', 'chat.12', '*', 'channels'],
};

const signed = await token({ channels });
const signedByRsa = await token({ channels }, rsa.privateKey, { alg: 'RS256' });

authenticatorContract('JWT with a secret', {
  make: () => hmac(),
  grants: [{ authorization: signed, ...opens }],
});

authenticatorContract('JWT with a public key', {
  make: () => withKey(rsa.publicKey),
  grants: [{ authorization: signedByRsa, ...opens }],
});

authenticatorContract('JWT with a key set in a file', {
  make: (t) => {
    const file = join(temporaryFolder(t), 'keys.json');
    writeFileSync(file, setOf([rsa.publicKey, { kid: 'one' }]));
    return hmac({ keys: [], jwks: { file } });
  },
  grants: [{ authorization: signedByRsa, ...opens }],
});

authenticatorContract('JWT with a key set at a URL', {
  make: async (t) => {
    const { url } = await startBackEnd(t, status(200, {}, setOf([rsa.publicKey, { kid: 'one' }])));
    return hmac({ keys: [], jwks: { url }, timeout: 20_000 });
  },
  grants: [{ authorization: signedByRsa, ...opens }],
});

test('every kind of key verifies what was signed with it, and nothing else', async (t) => {
  const kinds = [
    [secretKey, secretKey, 'HS256'],
    [rsa.publicKey, rsa.privateKey, 'RS256'],
    [ec.publicKey, ec.privateKey, 'ES256'],
    [ed.publicKey, ed.privateKey, 'EdDSA'],
  ] as const;
  for (const [verifies] of kinds)
    for (const [other, signs, alg] of kinds)
      t.is(
        await isRefused(withKey(verifies), await token({ channels }, signs, { alg })),
        verifies !== other,
        alg,
      );
  t.true(
    await isRefused(withKey(rsa.publicKey), await token({ channels }, otherRsa.privateKey, { alg: 'RS256' })),
  );
});

test('an algorithm that the key is not for is refused, though the signature is right', async (t) => {
  const ps256 = await token({ channels }, rsa.privateKey, { alg: 'PS256' });
  t.true(await isRefused(withKey(rsa.publicKey), ps256));
  t.false(await isRefused(withKey(rsa.publicKey, {}, ['PS256']), ps256));
  const hs512 = await token({ channels }, secretKey, { alg: 'HS512' });
  t.true(await isRefused(hmac(), hs512));
  t.false(await isRefused(withKey(secretKey, {}, ['HS256', 'HS512']), hs512));
});

test('a public key is no secret, and no signature is none', async (t) => {
  for (const secret of [pemOf(rsa.publicKey), pemOf(rsa.publicKey).trim(), SECRET_TEXT, ''])
    t.true(await isRefused(withKey(rsa.publicKey), forged({ alg: 'HS256' }, { channels }, secret)));
  for (const alg of ['none', 'None', 'NONE', '', null, undefined, 0, ['HS256']])
    for (const secret of [null, SECRET_TEXT])
      t.true(await isRefused(hmac(), forged({ alg }, { channels }, secret)), String(alg));
  t.false(await isRefused(hmac(), forged({ alg: 'HS256' }, { channels }, SECRET_TEXT)));
});

test('extensions that must be understood are not, and no header brings a key of its own', async (t) => {
  const header = { alg: 'HS256', crit: ['exp'], exp: 1 };
  t.true(await isRefused(hmac(), forged(header, { channels }, SECRET_TEXT)));
  const jwk = otherRsa.publicKey.export({ format: 'jwk' });
  const own = await token({ channels }, otherRsa.privateKey, { alg: 'RS256', jwk });
  t.true(await isRefused(withKey(rsa.publicKey), own));
});

test('what is no token is refused, and whoever sends it is told nothing else', async (t) => {
  const good = await token({ channels });
  const [head, body, mac] = good.split('.') as [string, string, string];
  for (const odd of [
    '',
    '.',
    '..',
    'a.b',
    'a.b.c',
    `${head}.${body}`,
    `${good}.x`,
    `Bearer ${good}`,
    `${good}\n`,
  ])
    t.true(await isRefused(hmac(), odd), odd);
  t.true(await isRefused(hmac(), `${head}.${Buffer.from('[]').toString('base64url')}.${mac}`));
  t.true(await isRefused(hmac(), `${head}. ${body}.${mac}`));
});

test('a token holds from nbf until exp, to the second', async (t) => {
  const from = async (claims: object) => isRefused(hmac(), await token({ channels, ...claims }));
  t.false(await from({ exp: NOW + 1 }));
  t.true(await from({ exp: NOW }));
  t.true(await from({ exp: NOW - 1 }));
  t.false(await from({ nbf: NOW }));
  t.true(await from({ nbf: NOW + 1 }));
  t.true(await from({ exp: 'tomorrow' }));
});

test('clocks may differ by the leeway, and no more', async (t) => {
  const authenticator = hmac({ leeway: 5000 });
  const from = async (claims: object) => isRefused(authenticator, await token({ channels, ...claims }));
  t.false(await from({ nbf: NOW + 5 }));
  t.true(await from({ nbf: NOW + 6 }));
  t.false(await from({ exp: NOW - 4 }));
  t.true(await from({ exp: NOW - 5 }));
  const granted = await asked(authenticator, await token({ channels, exp: NOW - 4 }));
  t.is(granted.expires, (NOW + 1) * 1000, 'it holds for as long as it would be taken');
});

test('a token that is too early or too late is no guess, and one with a wrong signature is', async (t) => {
  const untimely = async (claims: object, key = secretKey, more: Partial<JwtOptions> = {}) =>
    (await asked(hmac(more), await token({ channels, ...claims }, key))).untimely === true;
  t.true(await untimely({ exp: NOW }));
  t.true(await untimely({ nbf: NOW + 1 }));
  t.false(await untimely({ exp: NOW + 1 }));
  const other = createSecretKey(Buffer.from('another secret of some thirty-two bytes'));
  t.false(await untimely({ exp: NOW }, other));
  t.false(await untimely({ exp: NOW, aud: 'a' }, secretKey, { audience: 'b' }));
  t.false(await untimely({ exp: 'tomorrow' }));
  t.false(await untimely({ nbf: 'tomorrow' }));
});

test('Ed25519 has two names, whichever of them the key, the token or the settings use', async (t) => {
  for (const alg of ['EdDSA', 'Ed25519']) {
    const signed = await token({ channels }, ed.privateKey, { alg });
    for (const wanted of [[], ['EdDSA'], ['Ed25519'], ['RS256', 'Ed25519']])
      t.false(await isRefused(withKey(ed.publicKey, {}, wanted), signed), `${alg} by ${wanted}`);
    const file = join(temporaryFolder(t), 'keys.json');
    for (const named of [{}, { alg: 'EdDSA' }, { alg: 'Ed25519' }])
      for (const algorithms of [[], ['EdDSA'], ['Ed25519']]) {
        writeFileSync(file, setOf([ed.publicKey, named]));
        t.false(
          await isRefused(hmac({ keys: [], jwks: { file }, algorithms }), signed),
          JSON.stringify(named),
        );
      }
    t.true(await isRefused(hmac(), forged({ alg }, { channels }, SECRET_TEXT)));
  }
});

test('the grant says who it is, and until when', async (t) => {
  const granted = await asked(hmac(), await token({ channels, sub: 'user-1', exp: NOW + 60 }));
  t.is(granted.subject, 'user-1');
  t.is(granted.expires, (NOW + 60) * 1000);
  t.is(granted.grace, 5000);
  const other = await asked(hmac(), await token({ channels, sub: 's'.repeat(129) }));
  t.is(other.subject, 's'.repeat(128));
  t.is(other.expires, null);
});

test('a token is for our audience, from our issuer', async (t) => {
  const refused = async (options: Partial<JwtOptions>, claims: object) =>
    isRefused(hmac(options), await token({ channels, ...claims }));
  const audience = 'relay';
  t.false(await refused({ audience }, { aud: 'relay' }));
  t.false(await refused({ audience }, { aud: ['other', 'relay'] }));
  t.true(await refused({ audience }, { aud: 'relay2' }));
  t.true(await refused({ audience }, {}));
  t.true(await refused({}, { aud: 'relay' }), 'nobody has said that we are the relay');
  const issuer = 'https://id.example';
  t.false(await refused({ issuer }, { iss: issuer }));
  t.true(await refused({ issuer }, { iss: `${issuer}/` }));
  t.true(await refused({ issuer }, {}));
});

test('a claim that is not wholly understood grants nothing', async (t) => {
  const refused = async (claim: unknown) => isRefused(hmac(), await token({ channels: claim }));
  t.false(await refused({ a: 'r' }));
  for (const odd of [
    undefined,
    null,
    'a',
    ['a'],
    [['a', 'r']],
    {},
    { a: 'x' },
    { a: true },
    { a: { read: true } },
  ])
    t.true(await refused(odd), JSON.stringify(odd));
  for (const pattern of ['', 'a*b', '*a']) t.true(await refused({ a: 'r', [pattern]: 'r' }), pattern);
  const proto = await asked(
    hmac(),
    forged({ alg: 'HS256' }, JSON.parse('{"channels":{"__proto__":"r"}}'), SECRET_TEXT),
  );
  t.true(allows(proto.permissions, 'read', '__proto__'));
});
