import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Reloaded } from '../../src/view/relay-view.ts';
import { ask } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { selfSigned } from '../support/certificate.ts';
import { freePorts } from '../support/cluster.ts';
import { startTestRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { connectWs, refusedWs, type WsClient } from '../support/ws-client.ts';

type Settings = Parameters<typeof testConfig>[0];

const reload = (relay: TestRelay, settings: Settings): Promise<Reloaded> =>
  relay.relay.reload(() => ({ ok: true, config: testConfig(settings) }));

const subscribe = (channel: string) => JSON.stringify({ type: 'subscribe', channel });
const subscribed = (channel: string) => JSON.stringify({ type: 'subscribe_ok', channel });
const authorize = (authorization: string) => JSON.stringify({ type: 'authorize', authorization });
const ok = '{"type":"authorization_ok"}';

async function client(t: ExecutionContext, relay: TestRelay): Promise<WsClient> {
  const one = await connectWs(t, relay.port('pusu'));
  await one.next();
  return one;
}

/** Still there, and served. */
async function lives(t: ExecutionContext, one: WsClient, channel: string): Promise<void> {
  one.send(subscribe(channel));
  t.is(await one.next(), subscribed(channel));
}

test('limits count at once, for connections that are open too, which notice nothing else', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, limits: { topics_per_connection: 1 } });
  const one = await client(t, relay);
  await lives(t, one, 'a');
  const reloaded = await reload(relay, {
    doors: { pusu: {} },
    limits: { topics_per_connection: 2, connections: 1, message: '1KiB', handshake: '1s' },
    log: { level: 'debug' },
  });
  t.deepEqual(reloaded, {
    ok: true,
    errors: [],
    applied: [
      'limits.message',
      'limits.handshake',
      'limits.topics_per_connection',
      'limits.connections',
      'log.level',
    ],
    reread: [],
    needsRestart: [],
  });
  await lives(t, one, 'b');
  await t.throwsAsync(connectWs(t, relay.port('pusu')));
  t.like(await relay.log.find(({ msg }) => msg === 'level'), { level: 'debug' });
  one.send(subscribe('c'));
  t.is(await one.next(), '{"type":"permission_denied"}');
});

test('what needs a restart is named, and named again until then; the rest is done', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const next = {
    node: 'other',
    doors: { pusu: { realm: 'elsewhere' } },
    log: { format: 'json' },
    limits: { drain: '1s' },
  };
  t.like(await reload(relay, next), {
    applied: ['limits.drain'],
    needsRestart: ['node', 'doors.pusu.realm', 'log.format'],
  });
  t.like(await reload(relay, next), {
    applied: [],
    needsRestart: ['node', 'doors.pusu.realm', 'log.format'],
  });
  t.deepEqual(await reload(relay, { doors: { pusu: {} }, limits: { drain: '1s' } }), {
    ok: true,
    errors: [],
    applied: [],
    reread: [],
    needsRestart: [],
  });
});

test('a bad configuration changes nothing and says why', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const one = await client(t, relay);
  const errors = ['relay.yaml:1:1 limits.pending: a size'];
  t.deepEqual(await relay.relay.reload(() => ({ ok: false, errors })), {
    ok: false,
    errors,
    applied: [],
    reread: [],
    needsRestart: [],
  });
  t.like(await relay.log.find(({ msg }) => msg === 'not reloaded'), { errors });
  await lives(t, one, 'a');
});

test('a reload that throws is a crash report, and the relay goes on: the next one is done', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, limits: { topics_per_connection: 1 } });
  const one = await client(t, relay);
  const broken = await relay.relay.reload(() => {
    throw new TypeError('a disk is on fire');
  });
  t.like(broken, { ok: false, errors: ['the reload has crashed, as the log says'], applied: [] });
  t.like(await relay.log.find(({ msg }) => msg === 'crash report'), {
    name: 'reload',
    reason: 'TypeError: a disk is on fire',
  });
  await relay.log.find(({ msg }) => msg === 'not reloaded');
  await lives(t, one, 'a');
  const good = await reload(relay, { doors: { pusu: {} }, limits: { topics_per_connection: 2 } });
  t.like(good, { ok: true, applied: ['limits.topics_per_connection'] });
  await lives(t, one, 'b');
});

test('a certificate that was renewed is read anew and named, once; that of links waits for a restart', async (t) => {
  const folder = temporaryFolder(t);
  const { cert, key } = selfSigned(t, 'old', folder);
  const [network = 0] = await freePorts(1);
  const settings = {
    doors: { pusu: {}, pinghub: { tls: { cert, key } } },
    network: { host: '127.0.0.1', port: network, tls: { cert, key, ca: cert } },
    relays: [`127.0.0.1:${network}`],
  };
  const relay = await startTestRelay(t, settings);
  t.like(await reload(relay, settings), { applied: [], reread: [], needsRestart: [] });
  selfSigned(t, 'new', folder);
  t.like(await reload(relay, settings), {
    ok: true,
    applied: [],
    reread: ['doors.pinghub.tls'],
    needsRestart: ['network.tls'],
  });
  t.like(await relay.log.find(({ msg }) => msg === 'reloaded'), { reread: [] });
  t.like(await reload(relay, settings), { reread: [], needsRestart: ['network.tls'] });
});

test('files under new names are what has changed, and no more', async (t) => {
  const [old, renewed] = [selfSigned(t, 'old'), selfSigned(t, 'new')];
  const settings = ({ cert, key }: typeof old) => ({ doors: { pinghub: { tls: { cert, key } } } });
  const relay = await startTestRelay(t, settings(old));
  t.like(await reload(relay, settings(renewed)), {
    applied: ['doors.pinghub.tls.cert', 'doors.pinghub.tls.key'],
    reread: [],
    needsRestart: [],
  });
  t.like(await reload(relay, settings(renewed)), { applied: [], reread: [], needsRestart: [] });
});

test('the code of a plugin is that of the start: other code waits for a restart', async (t) => {
  const file = join(temporaryFolder(t), 'mine.mjs');
  writeFileSync(file, 'export const getPermissions = () => ({});');
  const settings = { doors: { pusu: { authenticator: file }, pinghub: {} } };
  const relay = await startTestRelay(t, settings);
  t.like(await reload(relay, settings), { reread: [], needsRestart: [] });
  writeFileSync(file, 'export const getPermissions = () => ({ a: true });');
  t.like(await reload(relay, settings), { reread: [], needsRestart: ['doors.pusu.authenticator'] });
});

test('a door is opened, and a door is closed whose clients alone are sent away', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const one = await client(t, relay);
  t.like(await reload(relay, { doors: { pusu: {}, pinghub: {} } }), { ok: true, applied: ['doors.pinghub'] });
  const other = await connectWs(t, relay.port('pinghub'), '/c');
  t.like(await reload(relay, { doors: { pusu: {} } }), { ok: true, applied: ['doors.pinghub'] });
  t.deepEqual(await other.next(), { code: 1001, reason: 'going away' });
  await t.throwsAsync(connectWs(t, relay.port('pinghub'), '/c'), { message: /ECONNREFUSED/ });
  await lives(t, one, 'a');
  t.like(await reload(relay, { doors: { pusu: {}, pinghub: {} } }), { ok: true });
  await connectWs(t, relay.port('pinghub'), '/c');
});

test('a door that moves opens at its new place first; where it cannot, it stays', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {}, pinghub: {} } });
  const one = await client(t, relay);
  const old = relay.port('pusu');
  const taken = relay.port('pinghub');
  const failed = await reload(relay, { doors: { pusu: { port: taken }, pinghub: {} } });
  t.like(failed, { ok: false, applied: [] });
  t.regex(failed.errors.join(), /doors\.pusu: .*in use; it stays where it is/);
  await lives(t, one, 'a');
  const moved = { doors: { pusu: { host: '127.0.0.2' }, pinghub: {} } };
  t.like(await reload(relay, moved), { ok: true, applied: ['doors.pusu.host'] });
  t.deepEqual(await one.next(), { code: 1001, reason: 'going away' });
  await t.throwsAsync(connectWs(t, old), { message: /ECONNREFUSED/ });
});

test('authenticators are replaced: new answers, and what the old ones have granted is asked again', async (t) => {
  const doors = { pusu: {} };
  const authenticator = 'PasswordAuthenticator';
  const relay = await startTestRelay(t, {
    doors,
    authenticator,
    passwords: { kept: ['a', 'b'], gone: ['a'] },
  });
  const [one, other] = [await client(t, relay), await client(t, relay)];
  one.send(authorize('kept'));
  other.send(authorize('gone'));
  for (const each of [one, other]) {
    t.is(await each.next(), ok);
    await lives(t, each, 'a');
  }
  const next = { doors, authenticator, passwords: { kept: ['a', 'b'], new: ['c'] } };
  t.like(await reload(relay, next), { ok: true, applied: ['authenticator'] });
  t.like(await other.next(), { code: 1008 });
  await lives(t, one, 'b');
  one.send(authorize('new'));
  t.is(await one.next(), ok);
  await lives(t, one, 'c');
  const late = await client(t, relay);
  late.send(authorize('gone'));
  t.is(await late.next(), '{"type":"authorization_failed"}');
});

test('two reloads at once are done one after the other', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const [one, two] = await Promise.all([
    reload(relay, { doors: { pusu: {} }, limits: { drain: '1s' } }),
    reload(relay, { doors: { pusu: {} }, limits: { drain: '1s' } }),
  ]);
  t.deepEqual(one?.applied, ['limits.drain']);
  t.deepEqual(two?.applied, []);
});

test('other origins count at once, and connections stay', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const one = await client(t, relay);
  const headers = { origin: 'https://other.example.com' };
  await connectWs(t, relay.port('pusu'), '/', { headers });
  const next = { doors: { pusu: { origin: ['https://chat.example.com'] } } };
  t.like(await reload(relay, next), { ok: true, applied: ['doors.pusu.origin'] });
  t.is((await refusedWs(t, relay.port('pusu'), '/', { headers })).status, 403);
  await connectWs(t, relay.port('pusu'), '/', { headers: { origin: 'https://chat.example.com' } });
  await lives(t, one, 'a');
});

test('a door that a reload opens is proved from then on, and one that it closes is missed by nobody', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {}, pinghub: {} } });
  t.deepEqual(await doorsReady(relay), ['door pusu', 'door pinghub']);
  t.true((await reload(relay, { doors: { pusu: {}, wspubsub: {} } })).ok);
  t.deepEqual(await doorsReady(relay), ['door pusu', 'door wspubsub']);
});

/** Asks until all is well: on a busy machine a probe may be late without any fault. */
async function doorsReady(relay: TestRelay): Promise<string[]> {
  let text = '';
  await eventually(async () => {
    const { status, body } = await ask(relay.port('admin'), '/health/ready');
    text = body;
    return status === 200;
  }, 'it is ready');
  const { edges } = JSON.parse(text) as { readonly edges: readonly { readonly edge: string }[] };
  return edges.map(({ edge }) => edge).filter((edge) => edge.startsWith('door'));
}

test('the admin port moves, takes other names and rights at once, and can be switched off and on', async (t) => {
  const doors = { pusu: {} };
  const at = { host: '127.0.0.1', port: 0 };
  const relay = await startTestRelay(t, { doors });
  const one = await client(t, relay);
  const first = relay.port('admin');
  const status = async (port: number) =>
    (await ask(port, '/health', { headers: { host: 'relay.internal' } })).status;
  t.is(await status(first), 421);
  t.deepEqual((await reload(relay, { doors, admin: { ...at, names: ['relay.internal'] } })).applied, [
    'admin.names',
  ]);
  t.is(await status(first), 200);
  const act = () => ask(first, '/observer/actions', { method: 'POST', body: '{"action":"kill","pid":2}' });
  t.is((await act()).status, 403);
  await reload(relay, { doors, admin: { ...at, observer_actions: true } });
  t.is((await act()).status, 409);

  const [port = 0] = await freePorts(1);
  t.deepEqual((await reload(relay, { doors, admin: { ...at, port } })).applied, [
    'admin.port',
    'admin.observer_actions',
  ]);
  t.is((await ask(port, '/health')).status, 200);
  await t.throwsAsync(ask(first, '/health'));

  const taken = relay.port('pusu');
  const refused = await reload(relay, { doors, admin: { ...at, port: taken } });
  t.deepEqual(refused.errors, [
    `admin: cannot listen on 127.0.0.1:${taken}: the address is in use; it stays where it is`,
  ]);
  t.is((await ask(port, '/health')).status, 200, 'it stays where it was');

  t.deepEqual((await reload(relay, { doors, admin: false })).applied, ['admin']);
  await t.throwsAsync(ask(port, '/health'));
  t.true((await reload(relay, { doors })).ok);
  t.is((await ask(relay.port('admin'), '/health')).status, 200);
  await lives(t, one, 'a');
});
