import test, { type ExecutionContext } from 'ava';
import { ask, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const wanted = 'https://chat.example.com';
const other = 'https://chat.example.net';
const origin = [wanted, 'https://*.example.org'];
const keyed = { apikeys: { list: [{ domain: 'a.com', key: 'key-a' }] } };

const doors = [
  ['pusu', '/'],
  ['wspubsub', '/ws/pub/key-a/a.com/news'],
  ['pinghub', '/t'],
] as const;

const open = (t: ExecutionContext, edge: Record<string, unknown>): Promise<TestRelay> =>
  startTestRelay(t, { doors: { pusu: edge, wspubsub: { ...keyed, ...edge }, pinghub: edge } });

for (const [door, path] of doors) {
  test(`${door}: an origin of the list connects, and so does none at all`, async (t) => {
    const relay = await open(t, { origin });
    for (const good of [wanted, `${wanted}:443`, 'https://a.b.example.org']) {
      const client = await connectWs(t, relay.port(door), path, { headers: { origin: good } });
      await client.leave();
    }
    await connectWs(t, relay.port(door), path);
    t.is(relay.relay.refusals.origin, 0);
  });

  test(`${door}: any other origin is forbidden, and counted`, async (t) => {
    const relay = await open(t, { origin });
    const bad = [other, 'http://chat.example.com', `${wanted}:8443`, 'https://example.org', 'null'];
    for (const one of bad) {
      const { status, body } = await refusedWs(t, relay.port(door), path, { headers: { origin: one } });
      t.deepEqual([status, body], [403, 'Forbidden\n'], one);
    }
    t.is(relay.relay.refusals.origin, bad.length);
    t.like(
      relay.log.all.find(({ msg }) => msg === 'not admitted'),
      { door, why: 'origin', address: '127.0.0.1' },
    );
  });

  test(`${door}: two origins are forbidden, even where any one would do`, async (t) => {
    const relay = await open(t, {});
    const client = await connectRaw(t, relay.port(door));
    client.send(upgradeRequest({ Origin: [wanted, wanted] }, `GET ${path} HTTP/1.1`));
    t.regex(await client.end(), /^HTTP\/1\.1 403 /);
  });
}

test('pinghub: POST and event streams are judged by their origin, the page is not', async (t) => {
  const relay = await open(t, { origin: wanted });
  const port = relay.port('pinghub');
  const status = async (from: string, method: string, accept: string) =>
    (await ask(port, '/t', { method, headers: { origin: from, accept } })).status;
  t.is(await status(wanted, 'POST', '*/*'), 200);
  t.is(await status(other, 'POST', '*/*'), 403);
  t.is(await status(other, 'GET', 'text/event-stream'), 403);
  t.is(await status(other, 'GET', 'text/html'), 200);
});

const warning = (relay: TestRelay) =>
  relay.log.all.find(({ level, msg }) => level === undefined && /origin list/.test(msg));

test('a door that is open to everybody beyond this machine warns when it has no origin list', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: { host: '0.0.0.0' } } });
  t.like(warning(relay), { door: 'pusu', host: '0.0.0.0' });
});

test('a door with an origin list, or an authenticator, or on loopback does not warn', async (t) => {
  const password = { authenticator: 'PasswordAuthenticator', passwords: { a: ['*'] } };
  const relay = await startTestRelay(t, {
    doors: { pusu: { host: '0.0.0.0', ...password }, pinghub: { host: '0.0.0.0', origin }, wspubsub: {} },
  });
  t.is(warning(relay), undefined);
});

test('a door that has an authenticator, but lets everybody read, warns too', async (t) => {
  const reading = { authenticator: 'PasswordAuthenticator', allow_read_by_default: true };
  const relay = await startTestRelay(t, { doors: { pusu: { host: '0.0.0.0', ...reading } } });
  t.truthy(warning(relay));
  const wspubsub = { host: '0.0.0.0', ...keyed };
  const authenticator = 'MyAuthenticator';
  const subscribers = await startTestRelay(t, { authenticator, doors: { wspubsub } });
  t.truthy(warning(subscribers), 'subscribers of wspubsub need no credential');
  const judged = await startTestRelay(t, { doors: { wspubsub: { ...wspubsub, authenticator } } });
  t.is(warning(judged), undefined, 'unless the door has an authenticator of its own');
});
