import test, { type ExecutionContext } from 'ava';
import { type Answer, ask, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';

const origin = 'https://chat.example.com';
const stream = { accept: 'text/event-stream' };
const get = (relay: TestRelay, headers: Readonly<Record<string, string>>): Promise<Answer> =>
  ask(relay.port('pinghub'), '/t', { headers });

/** A browser comes back: any other status would end its EventSource for good. */
function comesBack(t: ExecutionContext, { status, headers, body }: Answer, why: string, least = 1000): void {
  t.is(status, 200);
  t.regex(String(headers['content-type']), /^text\/event-stream/);
  const [, words, retry] = /^: (.*)\nretry: (\d+)\n\n$/.exec(body) ?? [];
  t.is(words, why);
  t.true(Number(retry) >= least && Number(retry) <= least + Math.max(least, 4000), body);
}

const open = (t: ExecutionContext, limits: object, door: object = {}, most = 1000): Promise<TestRelay> =>
  startTestRelay(t, { doors: { pinghub: { origin, ...door } }, limits: { exempt: [], ...limits } }, most);

test('a stream over the limit of its address comes back later; what is no stream is 429', async (t) => {
  const relay = await open(t, { connections_per_address: 1 });
  await connectRaw(t, relay.port('pinghub'));
  comesBack(t, await get(relay, stream), 'Error: too many connections.');
  const posted = await ask(relay.port('pinghub'), '/t', { method: 'POST', headers: { origin }, body: 'x' });
  t.is(posted.status, 429);
  t.like(posted.headers, { 'access-control-allow-origin': origin, 'retry-after': '1', connection: 'close' });
  t.is((await get(relay, { accept: 'text/html' })).status, 429);
  t.is(relay.relay.refusals['address-full'], 3, 'each is counted once');
  t.is(relay.log.all.filter(({ msg, why }) => msg === 'not admitted' && why === 'address-full').length, 3);
});

test('so does one that comes after many which ask for nothing', async (t) => {
  const relay = await open(t, {}, {}, 1);
  for (let i = 0; i < 100; i++) await connectRaw(t, relay.port('pinghub'));
  comesBack(t, await get(relay, stream), 'Error: full.');
});

test('a page of another origin may ask for leave when the relay is full, to read why it is refused', async (t) => {
  const relay = await open(t, {}, {}, 1);
  await connectRaw(t, relay.port('pinghub'));
  const asked = (method: string, from: string) =>
    ask(relay.port('pinghub'), '/t', {
      method,
      headers: { origin: from, 'access-control-request-method': 'POST' },
    });
  const leave = await asked('OPTIONS', origin);
  t.is(leave.status, 204);
  t.like(leave.headers, {
    connection: 'close',
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST',
  });
  const refused = await asked('POST', origin);
  t.is(refused.status, 503);
  t.is(refused.headers['access-control-allow-origin'], origin);
  t.is((await asked('OPTIONS', 'https://other.example')).status, 503);
});

test('so does a stream that comes when the relay is full, and an upgrade is 503', async (t) => {
  const relay = await open(t, {}, {}, 1);
  await connectRaw(t, relay.port('pinghub'));
  comesBack(t, await get(relay, stream), 'Error: full.');
  const upgrade = await connectRaw(t, relay.port('pinghub'));
  upgrade.send(upgradeRequest());
  t.regex(await upgrade.end(), /^HTTP\/1\.1 503 /);
  const broken = await connectRaw(t, relay.port('pinghub'));
  broken.send('no HTTP\r\n\r\n');
  t.regex(await broken.end(), /^HTTP\/1\.1 503 /);
  t.is(relay.relay.refusals.full, 3);
  t.deepEqual(
    relay.log.all.filter(({ msg }) => msg === 'refused'),
    [],
  );
});

test('so does a stream of a proxy that names its client by a PROXY header', async (t) => {
  const edge = { trusted_proxies: ['127.0.0.1'], proxy_protocol: true };
  for (const [limits, most, why] of [
    [{}, 1, 'Error: full.'],
    [{ connections_per_address: 1 }, 1000, 'Error: too many connections.'],
  ] as const) {
    const relay = await open(t, limits, edge, most);
    const one = await connectRaw(t, relay.port('pinghub'));
    const header = 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n';
    one.send(`${header}GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
    await one.until('retry:');
    const two = await connectRaw(t, relay.port('pinghub'));
    two.send(`${header}GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
    const answer = await two.end();
    t.regex(answer, /^HTTP\/1\.1 200 /);
    t.true(answer.includes(`: ${why}\nretry: `), answer);
  }
});

test('so does a stream behind a proxy whose client has too many of them', async (t) => {
  const relay = await open(t, { connections_per_address: 1 }, { trusted_proxies: ['127.0.0.1'] });
  const forwarded = { 'x-forwarded-for': '192.0.2.1' };
  const one = await connectRaw(t, relay.port('pinghub'));
  one.send('GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n');
  await one.until('retry:');
  comesBack(t, await get(relay, { ...stream, ...forwarded }), 'Error: too many connections.');
});

test('so does a stream that the authenticator cannot judge, which is a 503 in the log', async (t) => {
  const relay = await open(t, {}, { authenticator: 'Forward', forward: { url: 'http://127.0.0.1:1/' } });
  comesBack(t, await get(relay, { ...stream, authorization: 'Bearer x' }), 'Service Unavailable');
  t.like(
    relay.log.all.find(({ msg }) => msg === 'refused'),
    { door: 'pinghub', status: 503 },
  );
});

test('too many wrong credentials: a stream comes back when their minute is over; 401 and 403 stay', async (t) => {
  const relay = await open(
    t,
    { failed_authorisations: 1 },
    {
      authenticator: 'PasswordAuthenticator',
      passwords: { good: ['u'] },
    },
  );
  t.is((await get(relay, { ...stream, authorization: 'Bearer good' })).status, 403);
  t.is((await get(relay, { ...stream, origin: 'https://evil.example' })).status, 403);
  t.is((await get(relay, { ...stream, authorization: 'Bearer bad' })).status, 401);
  comesBack(t, await get(relay, stream), 'Error: too many failed authorisations.', 60_000);
});
