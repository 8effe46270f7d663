import test, { type ExecutionContext } from 'ava';
import { type Answer, startBackEnd, status } from '../support/back-end.ts';
import { connectRaw, post } from '../support/raw-client.ts';
import { startTestRelay, testConfig } from '../support/relay.ts';
import { servedTime } from '../support/served-time.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

/** Milliseconds within which a live connection must have lost what is allowed no longer. */
const PROMISED = 5000;
const subscribe = (channel: string) => JSON.stringify({ type: 'subscribe', channel });
const unsubscribe = (channel: string) => JSON.stringify({ type: 'unsubscribe', channel });
const publish = (channel: string) => JSON.stringify({ type: 'publish', channel, content: 'x' });
const revoked = { code: 1008, reason: 'revoked' };

async function setup(t: ExecutionContext, answer: Answer, settings: object = {}) {
  // A busy machine is no back end that is away.
  const more = { timeout: '20s', ...settings };
  const backEnd = await startBackEnd(t, answer);
  const relay = await startTestRelay(t, {
    doors: {
      pusu: { authenticator: 'Forward', forward: { url: backEnd.url, ...more } },
      pinghub: { authenticator: 'Forward', forward: { url: backEnd.url, ...more } },
      wspubsub: {
        authenticator: 'Forward',
        forward: { url: backEnd.url, ...more },
        apikeys: { list: [{ domain: 'd', key: 'k' }] },
      },
    },
  });
  return { backEnd, relay };
}

async function subscriber(t: ExecutionContext, port: number, ...channels: string[]): Promise<WsClient> {
  const client = await connectWs(t, port);
  client.send(...channels.map(subscribe));
  await client.take(1 + channels.length);
  return client;
}

test('a 403 closes who has been let in before, at every door, within what is promised', async (t) => {
  const { backEnd, relay } = await setup(t, status(204));
  const owner = await connectWs(t, relay.port('wspubsub'), '/ws/pub/k/d/t');
  const publisher = await connectWs(t, relay.port('pusu'));
  const reader = await subscriber(t, relay.port('pusu'), 'c');
  publisher.send(publish('c'));
  t.is(await reader.next(), publish('c'));
  const stream = await connectRaw(t, relay.port('pinghub'));
  stream.send('GET /s HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n');
  await stream.until('\r\n\r\n');
  const clients = [
    publisher,
    reader,
    await connectWs(t, relay.port('pinghub'), '/p'),
    await connectWs(t, relay.port('wspubsub'), '/ws/sub/d/t'),
  ];
  backEnd.answer = status(403);
  const took = servedTime(t);
  for (const client of clients) {
    const end = await client.got.find((got) => typeof got === 'object' && 'code' in got);
    t.deepEqual(end, revoked);
  }
  await relay.log.find((line) => line.msg === 'closed' && line['door'] === 'pinghub' && line['in'] === 0);
  await relay.log.count(({ msg, reason }) => msg === 'closed' && reason === 'revoked', clients.length + 1);
  t.true(took() < PROMISED, `${took()} ms`);
  t.deepEqual(
    owner.got.all.filter((got) => typeof got === 'object'),
    [],
    'publishers have their keys',
  );
});

test('a yes for another topic than before is a no for that one', async (t) => {
  const { backEnd, relay } = await setup(t, status(204, { 'X-Rewrite': '/one' }), { recheck: '20ms' });
  const client = await subscriber(t, relay.port('pusu'), 'alias');
  t.is((await post(relay.port('pinghub'), '/one', 'x')).status, 200);
  t.regex(String(await client.next()), /"one"/);
  backEnd.answer = status(204, { 'X-Rewrite': '/two' });
  t.deepEqual(await client.next(), revoked);
});

for (const [what, away] of [
  ['is away', null],
  ['answers with 500', status(500)],
] as const)
  test(`a back end that ${what} leaves connections alone, and counts again when it is back`, async (t) => {
    const { backEnd, relay } = await setup(t, status(204), { recheck: '20ms' });
    const client = await subscriber(t, relay.port('pusu'), 'c');
    if (away === null) await backEnd.stop();
    else backEnd.answer = away;
    await relay.log.find(({ msg }) => msg === 'authenticator-unavailable');
    client.send(subscribe('c'));
    t.regex(String(await client.next()), /subscribe_ok/);
    t.is(relay.log.all.filter(({ msg }) => msg === 'authenticator-unavailable').length, 1);
    if (away === null) await startBackEnd(t, status(403), backEnd.port);
    else backEnd.answer = status(403);
    t.deepEqual(await client.next(), revoked);
  });

test('what a client has left is not asked about again, and takes nothing from it', async (t) => {
  const { backEnd, relay } = await setup(t, status(204), { recheck: '20ms' });
  const client = await subscriber(t, relay.port('pusu'), 'left', 'kept');
  client.send(unsubscribe('left'), subscribe('kept'));
  await client.next();
  backEnd.answer = (request, response) => {
    response.writeHead(request.headers['x-original-uri'] === '/left' ? 403 : 204).end();
  };
  const before = backEnd.asked.all.length;
  const kept = ({ headers }: { headers: Record<string, unknown> }) => headers['x-original-uri'] === '/kept';
  await backEnd.asked.count(kept, backEnd.asked.all.filter(kept).length + 3);
  // One round may have been under way.
  t.true(backEnd.asked.all.slice(before).filter((one) => !kept(one)).length <= 1);
  client.send(subscribe('kept'));
  t.regex(String(await client.next()), /subscribe_ok/);
  client.send(subscribe('left'));
  t.is(await client.next(), '{"type":"permission_denied"}');
});

test('the rate binds what is asked again, and all are asked in their turn', async (t) => {
  const rate = 100;
  const { backEnd, relay } = await setup(t, status(204), { recheck: '10ms', recheck_rate: rate });
  const channels = Array.from({ length: 40 }, (_, index) => `c${index}`);
  await subscriber(t, relay.port('pusu'), ...channels);
  const first = backEnd.asked.all.length;
  const since = performance.now();
  await backEnd.asked.count(() => true, first + 100);
  // A tenth of a second's may come together.
  t.true(performance.now() - since >= ((100 - rate / 10) / rate) * 1000 - 50);
  const again = new Set(backEnd.asked.all.slice(first).map(({ headers }) => headers['x-original-uri']));
  t.is(again.size, channels.length);
});

test('with another server to ask, it is the one that is asked about who is connected', async (t) => {
  const { backEnd, relay } = await setup(t, status(204), { recheck: '0' });
  const other = await startBackEnd(t, ({ headers }, response) => {
    response.writeHead(headers['x-original-uri'] === '/c' ? 403 : 204).end();
  });
  const [lost, kept] = [
    await subscriber(t, relay.port('pusu'), 'c'),
    await subscriber(t, relay.port('pusu'), 'd'),
  ];
  const before = backEnd.asked.all.length;
  const forward = { authenticator: 'Forward', forward: { url: other.url, recheck: '0' } };
  const config = testConfig({ doors: { pusu: forward, pinghub: forward, wspubsub: forward } });
  t.like(await relay.relay.reload(() => ({ ok: true, config })), { errors: [] });
  t.deepEqual(await lost.next(), revoked);
  kept.send(subscribe('d'), subscribe('e'));
  t.regex(String((await kept.take(2))[1]), /"e"/);
  t.is(backEnd.asked.all.length, before, 'the old one is left alone');
});
