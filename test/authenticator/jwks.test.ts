import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { grantOf } from '../../src/authenticator/authorisation.ts';
import { Jwks, keysOf } from '../../src/authenticator/jwks.ts';
import { jwtAuthenticator } from '../../src/authenticator/jwt.ts';
import { isEmpty } from '../../src/authenticator/permissions.ts';
import { startBackEnd, status } from '../support/back-end.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { ec, otherRsa, rsa, secretKey, setOf, token } from '../support/tokens.ts';
import { question } from './asker.ts';

const enough = () => true;
const channels = { a: 'rw' };

function jwks(source: { readonly file: string } | { readonly url: string }, timeout = 30_000) {
  const time = { now: 0 };
  const set = new Jwks({ source, algorithms: [], timeout, now: () => time.now });
  return { set, time, kids: async () => (await set.keys(enough)).map(({ kid }) => kid) };
}

test('of a set those keys are taken that are for signatures, each for its own algorithm', (t) => {
  const text = setOf(
    [rsa.publicKey, { kid: 'plain' }],
    [rsa.publicKey, { kid: 'named', alg: 'PS512', use: 'sig' }],
    [rsa.publicKey, { kid: 'confused', alg: 'HS256' }],
    [rsa.publicKey, { kid: 'enc', use: 'enc' }],
    [rsa.publicKey, { kid: 'ops', key_ops: ['encrypt'] }],
    [ec.publicKey, { kid: 'ec', key_ops: ['verify'] }],
    [secretKey, { kid: 'secret' }],
  );
  const brief = (wanted: string[], published: boolean) =>
    keysOf(text, wanted, published).map(({ kid, algorithms }) => [kid, ...algorithms].join(' '));
  t.deepEqual(brief([], false), ['plain RS256', 'named PS512', 'ec ES256', 'secret HS256']);
  t.deepEqual(brief([], true), ['plain RS256', 'named PS512', 'ec ES256'], 'what is published is no secret');
  t.deepEqual(brief(['RS256', 'RS384'], true), ['plain RS256 RS384']);
  const odd = JSON.stringify({ keys: [null, 1, 'x', [], {}, { kty: 'RSA' }, { kty: 'oct', k: '' }] });
  t.deepEqual(keysOf(odd, [], false), []);
  for (const bad of ['', '[]', 'null', '{}', '{"keys":{}}'])
    t.throws(() => keysOf(bad, [], false), { instanceOf: SyntaxError });
});

test('a set is fetched once for all who wait, kept, and fetched again when it is old', async (t) => {
  const backEnd = await startBackEnd(t, status(200, {}, setOf([rsa.publicKey, { kid: 'one' }])));
  const { kids, time } = jwks({ url: backEnd.url });
  t.deepEqual(await Promise.all([kids(), kids(), kids()]), [['one'], ['one'], ['one']]);
  time.now = 5 * 60_000 - 1;
  t.deepEqual(await kids(), ['one']);
  t.is(backEnd.asked.all.length, 1);
  backEnd.answer = status(200, {}, setOf([rsa.publicKey, { kid: 'two' }]));
  time.now++;
  t.deepEqual(await kids(), ['one'], 'nobody waits for the new one');
  await backEnd.asked.take(2);
  while ((await kids())[0] === 'one') await new Promise(setImmediate);
  t.is(backEnd.asked.all.length, 2);
});

test('while the server is away the set counts for a while, and then no token does; its return is noticed', async (t) => {
  const answer = status(200, {}, setOf([rsa.publicKey, { kid: 'one' }]));
  const backEnd = await startBackEnd(t, answer);
  const { kids, time } = jwks({ url: backEnd.url });
  await kids();
  await backEnd.stop();
  time.now = 15 * 60_000 - 1;
  t.deepEqual(await kids(), ['one']);
  time.now += 1000;
  const error = await t.throwsAsync<Error & { code?: string }>(kids);
  t.is(error.code, 'ECONNREFUSED');
  await startBackEnd(t, answer, backEnd.port);
  await t.throwsAsync(kids, undefined, 'one failure stands for those of the next half second');
  time.now += 500;
  t.deepEqual(await kids(), ['one']);
});

test('a key that is not in the set is looked for, but not by everybody who asks', async (t) => {
  const backEnd = await startBackEnd(t, status(200, {}, setOf([rsa.publicKey, { kid: 'one' }])));
  const { set, time } = jwks({ url: backEnd.url });
  const find = (wanted: string) => set.keys((keys) => keys.some(({ kid }) => kid === wanted));
  await find('one');
  await find('two');
  t.is(backEnd.asked.all.length, 1);
  time.now = 5000;
  backEnd.answer = status(200, {}, setOf([rsa.publicKey, { kid: 'two' }]));
  t.is((await find('two'))[0]?.kid, 'two');
  await find('three');
  t.is(backEnd.asked.all.length, 2);
});

for (const [what, answer, code, timeout] of [
  ['a redirect', status(302, { Location: 'http://127.0.0.1:1/' }), 'HTTP_302'],
  ['an error', status(500), 'HTTP_500'],
  ['a set that is too large', status(200, {}, ' '.repeat(256 * 1024 + 1)), 'TOO_LARGE'],
  ['no set', status(200, {}, 'hello'), undefined],
  ['silence', () => undefined, 'ETIMEDOUT', 200],
] as const) {
  test(`${what} is no set of keys`, async (t) => {
    const backEnd = await startBackEnd(t, answer);
    const { kids } = jwks({ url: backEnd.url }, timeout);
    const error = await t.throwsAsync<Error & { code?: string }>(kids);
    t.is(error.code, code);
  });
}

test('a body that trickles in has no more time than any other', async (t) => {
  const backEnd = await startBackEnd(t, (_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  });
  const error = await t.throwsAsync<Error & { code?: string }>(jwks({ url: backEnd.url }, 200).kids);
  t.regex(error.code ?? '', /ETIMEDOUT|ECONNRESET/);
});

test('a file is read again when it has changed, and one that cannot be read is no set', async (t) => {
  const file = join(temporaryFolder(t), 'keys.json');
  const { kids, time } = jwks({ file });
  const error = await t.throwsAsync<Error & { code?: string }>(kids);
  t.is(error.code, 'ENOENT');
  writeFileSync(file, setOf([rsa.publicKey, { kid: 'one' }]));
  time.now += 500;
  t.deepEqual(await kids(), ['one']);
  writeFileSync(file, setOf([rsa.publicKey, { kid: 'two' }]));
  time.now += 999;
  t.deepEqual(await kids(), ['one']);
  time.now += 1;
  t.deepEqual(await kids(), ['two']);
  writeFileSync(file, '{');
  time.now += 1000;
  await t.throwsAsync(kids, { instanceOf: SyntaxError });
});

test('a file that becomes another one is noticed without being asked for', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'keys.json');
  writeFileSync(file, setOf([rsa.publicKey, { kid: 'one' }]));
  const set = new Jwks({ source: { file }, algorithms: [], timeout: 30_000 });
  await set.keys(enough);
  const changed = new Promise<void>((resolve) => t.teardown(set.watch(resolve)));
  writeFileSync(`${file}.new`, setOf([otherRsa.publicKey, { kid: 'two' }]));
  renameSync(`${file}.new`, file);
  // The watch does not keep the program alive.
  const alive = setInterval(() => undefined, 1000);
  t.teardown(() => clearInterval(alive));
  await changed;
  t.deepEqual(
    (await set.keys(enough)).map(({ kid }) => kid),
    ['two'],
  );
  rmSync(file);
});

test('a token is verified by the key that it names, or by each that fits', async (t) => {
  const backEnd = await startBackEnd(
    t,
    status(
      200,
      {},
      setOf([otherRsa.publicKey, { kid: 'other' }], [rsa.publicKey, { kid: 'one' }], [ec.publicKey, {}]),
    ),
  );
  const authenticator = jwtAuthenticator({
    keys: [{ kid: null, key: secretKey, algorithms: ['HS256'] }],
    jwks: { url: backEnd.url },
    algorithms: [],
    audience: null,
    issuer: null,
    grace: 0,
    timeout: 30_000,
  });
  const isGood = async (text: Promise<string>) =>
    !isEmpty(grantOf(await authenticator.authorise(question(await text))).permissions);
  t.true(await isGood(token({ channels }, rsa.privateKey, { alg: 'RS256', kid: 'one' })));
  t.true(await isGood(token({ channels }, rsa.privateKey, { alg: 'RS256' })));
  t.true(await isGood(token({ channels }, ec.privateKey, { alg: 'ES256', kid: 'any' })));
  t.true(await isGood(token({ channels })), 'the key of the configuration counts too');
  t.false(await isGood(token({ channels }, rsa.privateKey, { alg: 'RS256', kid: 'other' })));
  t.false(await isGood(token({ channels }, rsa.privateKey, { alg: 'RS256', kid: 'unknown' })));
});

test('a server is asked again as often as is wanted, once there is a token, and not before', async (t) => {
  const set = setOf([rsa.publicKey, { kid: 'one' }]);
  const backEnd = await startBackEnd(
    t,
    status(200, { 'Last-Modified': 'Sat, 01 Jan 2000 00:00:00 GMT' }, set),
  );
  const keys = new Jwks({ source: { url: backEnd.url }, algorithms: [], timeout: 30_000, recheck: 10 });
  const other = new Jwks({ source: { url: backEnd.url }, algorithms: [], timeout: 30_000, recheck: 10 });
  t.teardown(other.watch(() => undefined));
  let changes = 0;
  t.teardown(keys.watch(() => changes++));
  await keys.keys(enough);
  await backEnd.asked.take(5);
  const [first, ...later] = backEnd.asked.all.map(({ headers }) => headers['if-modified-since']);
  t.is(first, undefined, 'it is the one that has a token which asks');
  t.deepEqual(new Set(later), new Set(['Sat, 01 Jan 2000 00:00:00 GMT']));
  t.is(changes, 0);
});

test('what is no set is not taken for one because it has not changed', async (t) => {
  const answers = [
    [200, 'a', setOf([rsa.publicKey, { kid: 'one' }])],
    [200, 'b', 'no set'],
  ] as const;
  let at = 0;
  const backEnd = await startBackEnd(t, ({ headers }, response) => {
    const [code, etag, body] = answers[at] as (typeof answers)[number];
    response.writeHead(headers['if-none-match'] === etag ? 304 : code, { ETag: etag }).end(body);
  });
  const time = { now: 0 };
  const options = { algorithms: [], timeout: 30_000, recheck: 1000, now: () => time.now };
  const set = new Jwks({ source: { url: backEnd.url }, ...options });
  await set.keys(enough);
  at = 1;
  for (const later of [15, 16, 17]) {
    time.now = later * 60_000;
    await t.throwsAsync(set.keys(enough), { instanceOf: SyntaxError });
  }
  t.is(backEnd.asked.all.length, 4);
});
