import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ask, post } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { configFile, packageRoot, runRelay, temporaryFolder } from '../support/relay-process.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const authorize = (authorization: string) => JSON.stringify({ type: 'authorize', authorization });
const ports = 'network: { port: 0 }\nadmin: { port: 0 }\n';

/** Writes modules, and answers with the path of the first one. */
function moduleFile(t: ExecutionContext, text: string): string {
  const file = join(temporaryFolder(t), 'mine.mjs');
  writeFileSync(file, text);
  return file;
}

const doors = { pusu: {}, pinghub: {} };

test('the example of a plugin is one', async (t) => {
  const relay = await startTestRelay(t, {
    authenticator: join(packageRoot, 'rel/plugins/example.js'),
    doors,
  });
  const editor = { Authorization: `Basic ${Buffer.from('any:secret of the editor').toString('base64')}` };
  const port = relay.port('pinghub');
  t.is((await ask(port, '/any', { method: 'POST', headers: editor, body: 'x' })).status, 200);
  t.is((await post(port, '/user.alice?access_token=secret+of+alice', 'x')).status, 200);
  t.is((await post(port, '/news.1?access_token=secret+of+alice', 'x')).status, 403);
  t.is((await post(port, '/news.1?access_token=secret+of+bob', 'x')).status, 401);
  const blocked = { ...editor, 'X-Blocked': '' };
  t.is((await ask(port, '/any', { method: 'POST', headers: blocked, body: 'x' })).status, 401);
});

test('a plugin sees the request, and one that fails grants nothing and says so once', async (t) => {
  const relay = await startTestRelay(t, {
    authenticator: moduleFile(
      t,
      `export function getPermissions(authorization, { door, method, url, headers, address }) {
        if (authorization === 'throw') throw new Error('secret ' + authorization);
        if (authorization === 'shape') return 'rw';
        return { [[door, method, url, headers.cookie, address].join(' ')]: 'rw' };
      }`,
    ),
    doors,
  });
  const port = relay.port('pinghub');
  const topic = encodeURIComponent('pusu GET /p?q a=1 127.0.0.1');
  const client = await connectWs(t, relay.port('pusu'), '/p?q', { headers: { Cookie: 'a=1' } });
  client.send(authorize('x'), JSON.stringify({ type: 'subscribe', channel: decodeURIComponent(topic) }));
  t.regex(String((await client.take(3))[2]), /subscribe_ok/);
  for (const bad of ['throw', 'shape', 'throw']) {
    const answer = await post(port, `/a?access_token=${bad}`, 'x');
    t.is(answer.status, 503, bad);
    t.is(answer.headers['retry-after'], '1');
  }
  const outages = relay.log.all.filter(({ msg }) => msg === 'authenticator-unavailable');
  t.is(outages.length, 1);
  t.is(outages[0]?.['error'], 'Error');
});

const byCookie = `const rights = { chat: 'rw', 'd/t': 'r' };
  export const getPermissions = (authorization, { headers }) => {
    if (headers.cookie === 'session=broken') throw new Error('no database');
    return authorization === '' && headers.cookie === 'session=alice' ? rights : {};
  };`;
const cookie = (value: string) => ({ headers: { Cookie: `session=${value}` } });
const subscribe = (channel: string) => JSON.stringify({ type: 'subscribe', channel });

test('a plugin is asked about a client without a credential too: a cookie is enough, at every door', async (t) => {
  const relay = await startTestRelay(t, {
    authenticator: moduleFile(t, byCookie),
    doors: {
      pusu: {},
      pinghub: {},
      wspubsub: { realm: 'main', apikeys: { list: [{ domain: 'd', key: 'k' }] } },
    },
  });
  const [pusu, pinghub, wspubsub] = ['pusu', 'pinghub', 'wspubsub'].map(relay.port) as [
    number,
    number,
    number,
  ];
  await connectWs(t, wspubsub, '/ws/pub/k/d/t');
  await connectWs(t, wspubsub, '/ws/sub/d/t', cookie('alice'));
  t.is((await refusedWs(t, wspubsub, '/ws/sub/d/t', cookie('bob'))).status, 401);

  const listener = await connectWs(t, pinghub, '/chat', cookie('alice'));
  const client = await connectWs(t, pusu, '/', cookie('alice'));
  client.send(subscribe('chat'));
  t.deepEqual(await client.take(2), ['{"type":"hello"}', '{"type":"subscribe_ok","channel":"chat"}']);
  const large = 'x'.repeat(60_000);
  const post = async (path: string, who: string) => {
    const answer = await ask(pinghub, path, { method: 'POST', ...cookie(who), body: large });
    return answer.status;
  };
  t.is(await post('/chat', 'alice'), 200);
  t.is(await listener.next(), large);
  t.regex(String(await client.next()), /"publish"/);
  t.is(await post('/other', 'alice'), 403);
  t.is((await refusedWs(t, pinghub, '/other', cookie('alice'))).status, 403);
  const { status, headers } = await refusedWs(t, pinghub, '/chat', cookie('bob'));
  t.deepEqual([status, headers['www-authenticate']], [401, 'Bearer']);
  t.is((await refusedWs(t, pinghub, '/chat')).status, 401);
  t.is((await refusedWs(t, pinghub, '/chat', cookie('broken'))).status, 503);
});

test('a plugin that fails for those who have not authorised yet does not keep them from it', async (t) => {
  const relay = await startTestRelay(t, {
    authenticator: moduleFile(
      t,
      `export const getPermissions = (authorization) => authorization.at(0).toUpperCase() === 'X' ? { c: 'rw' } : {};`,
    ),
    doors: { pusu: {} },
  });
  const client = await connectWs(t, relay.port('pusu'));
  client.send(authorize('x'), subscribe('c'));
  t.deepEqual((await client.take(3)).slice(1), [
    '{"type":"authorization_ok"}',
    '{"type":"subscribe_ok","channel":"c"}',
  ]);
  const other = await connectWs(t, relay.port('pusu'));
  other.send(subscribe('c'));
  t.deepEqual((await other.take(3)).slice(1), [
    '{"type":"authorization_failed"}',
    { code: 1008, reason: 'authorization_failed' },
  ]);
});

test('a plugin that changes its mind closes those who have lost what they use', async (t) => {
  const relay = await startTestRelay(t, {
    authenticator: moduleFile(
      t,
      `let tell; let open = true;
      export const watch = (changed) => { tell = changed; return () => {}; };
      export const getPermissions = (authorization) => {
        if (authorization === 'close') { open = false; tell(); return { z: 'r' }; }
        return open ? { a: 'rw' } : {};
      };`,
    ),
    doors: { pusu: {} },
  });
  const client = await connectWs(t, relay.port('pusu'));
  client.send(authorize('x'));
  await client.take(2);
  const other = await connectWs(t, relay.port('pusu'));
  other.send(authorize('close'));
  t.deepEqual(await client.next(), { code: 1008, reason: 'revoked' });
});

for (const [what, text, expected] of [
  ['a missing file', null, /a plugin; there is no .*mine\.mjs that we can read$/m],
  [
    'a module without getPermissions',
    'export default {}',
    /a module that exports a function getPermissions$/m,
  ],
  ['a module that does not parse', 'export {', /a plugin that loads; this one says SyntaxError/],
  ['a module that throws', 'throw new Error("no database")', /this one says Error: no database$/m],
  ['a module that lacks another one', 'import "./other.mjs"', /this one says Error \[ERR_MODULE_NOT_FOUND\]/],
] as const) {
  test(`${what} is a configuration error at its place`, async (t) => {
    const config = configFile(t, `${ports}doors:\n  pusu:\n    port: 0\n    authenticator: ./mine.mjs\n`);
    if (text !== null) writeFileSync(join(config, '..', 'mine.mjs'), text);
    for (const args of [[], ['--check']]) {
      const { code, out, err } = await runRelay(t, ['--config', config, ...args]).exited;
      t.is(code, 78);
      t.is(out, '');
      t.true(err.startsWith(`${config}:6:20 doors.pusu.authenticator: `), err);
      t.regex(err, expected);
    }
  });
}

test('a plugin beside the configuration file is found from any working directory', async (t) => {
  const config = configFile(
    t,
    `${ports}authenticator: ./mine.mjs\ndoors: { pinghub: { port: 0, metrics_port: null } }\n`,
  );
  writeFileSync(join(config, '..', 'mine.mjs'), 'export const getPermissions = () => ({ a: "rw" });');
  const relay = runRelay(t, ['--config', config]);
  t.is((await post(await relay.port('pinghub'), '/a?access_token=x', 'x')).status, 200);
  relay.signal('SIGTERM');
  t.is((await relay.exited).code, 0);
});
