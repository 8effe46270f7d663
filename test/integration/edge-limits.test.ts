import test, { type ExecutionContext } from 'ava';
import { ask, connectRaw } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs, refusedWs, type WsClient } from '../support/ws-client.ts';

type Limits = Readonly<Record<string, unknown>>;

const password = { authenticator: 'PasswordAuthenticator', passwords: { good: ['*'], narrow: ['other'] } };
const authorize = (authorization: string) => JSON.stringify({ type: 'authorize', authorization });
const ok = '{"type":"authorization_ok"}';

function open(t: ExecutionContext, limits: Limits): Promise<TestRelay> {
  const apikeys = { list: [{ domain: 'a.com', key: 'key-a' }] };
  return startTestRelay(t, {
    ...password,
    doors: { pusu: {}, pinghub: {}, wspubsub: { apikeys } },
    limits: { exempt: [], ...limits },
  });
}

async function pusu(t: ExecutionContext, relay: TestRelay): Promise<WsClient> {
  const client = await connectWs(t, relay.port('pusu'));
  t.is(await client.next(), '{"type":"hello"}');
  return client;
}

test('three failed authorisations of three: whoever comes then gets 429, at every door, until a minute is over', async (t) => {
  const relay = await open(t, { failed_authorisations: 3 });
  const live = await pusu(t, relay);
  live.send(authorize('good'));
  t.is(await live.next(), ok);
  const waiting = await pusu(t, relay);

  const failing = await pusu(t, relay);
  failing.send(authorize('bad'));
  t.deepEqual(await failing.take(2), [
    '{"type":"authorization_failed"}',
    { code: 1008, reason: 'authorization_failed' },
  ]);
  t.is(
    (
      await ask(relay.port('pinghub'), '/t', {
        headers: { accept: 'text/event-stream', authorization: 'Bearer bad' },
      })
    ).status,
    401,
  );
  t.is((await refusedWs(t, relay.port('wspubsub'), '/ws/pub/key-b/a.com/news')).status, 403);

  for (const [door, path] of [
    ['pusu', '/'],
    ['wspubsub', '/ws/pub/key-a/a.com/news'],
    ['pinghub', '/t'],
  ] as const) {
    const { status, headers, body } = await refusedWs(t, relay.port(door), path);
    t.deepEqual(
      [status, headers['retry-after'], body],
      [429, '60', 'Error: too many failed authorisations.\n'],
      door,
    );
  }
  t.is((await ask(relay.port('pinghub'), '/t', { method: 'POST', body: 'x' })).status, 429);
  t.is(relay.relay.refusals['failed-authorisations'], 4);

  waiting.send(authorize('good'));
  t.deepEqual(await waiting.next(), { code: 1008, reason: 'too many failed authorisations' });
  live.send('{"type":"subscribe","channel":"c"}');
  t.is(await live.next(), '{"type":"subscribe_ok","channel":"c"}', 'who has rights keeps them');
});

test('a connection that is kept open does not get round it', async (t) => {
  const relay = await open(t, { failed_authorisations: 2 });
  const client = await connectRaw(t, relay.port('pinghub'));
  const guess = 'POST /t HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer bad\r\nContent-Length: 1\r\n\r\nx';
  for (const [n, status] of ['401', '401', '429', '429'].entries()) {
    client.send(guess);
    await client.until(`HTTP/1.1 ${status}`);
    await new Promise<void>((resolve) => {
      const look = () =>
        (client.received().match(/^HTTP/gm)?.length ?? 0) > n ? resolve() : setImmediate(look);
      look();
    });
  }
  t.deepEqual(
    client.received().match(/^HTTP\/1\.1 \d+/gm),
    [401, 401, 429, 429].map((status) => `HTTP/1.1 ${status}`),
  );
});

test('no credential is not a failed one, and neither is a good one without the right', async (t) => {
  const relay = await open(t, { failed_authorisations: 1 });
  const post = async (query: string) =>
    (await ask(relay.port('pinghub'), `/t${query}`, { method: 'POST', body: 'x' })).status;
  t.deepEqual([await post(''), await post('')], [401, 401]);
  t.deepEqual([await post('?access_token=narrow'), await post('?access_token=narrow')], [403, 403]);
  t.is(await post('?access_token=good'), 200);
});

test('exempt addresses fail as often as they like', async (t) => {
  const relay = await open(t, { failed_authorisations: 1, exempt: ['127.0.0.0/8'] });
  for (let n = 0; n < 5; n++) {
    t.is(
      (await ask(relay.port('pinghub'), '/t?access_token=bad', { method: 'POST', body: 'x' })).status,
      401,
    );
  }
});

const openDoors = { doors: { pusu: {}, pinghub: {} } };

test('a connection that publishes faster than it may is read from more slowly, and nothing is lost or reordered', async (t) => {
  const relay = await startTestRelay(t, { ...openDoors, limits: { publish_rate: 50 } });
  const subscriber = await connectWs(t, relay.port('pinghub'), '/t');
  const publisher = await connectWs(t, relay.port('pinghub'), '/t');
  const messages = Array.from({ length: 70 }, (_, n) => `${n}`);
  const start = performance.now();
  publisher.send(...messages);
  const got: unknown[] = [];
  const at: number[] = [];
  for (const _ of messages) {
    got.push(await subscriber.next());
    at.push(performance.now() - start);
  }
  t.deepEqual(got, messages);
  t.true((at[69] as number) >= 390, `the 20 above a second's worth take 400 ms: ${at[69]}`);
  await publisher.take(70);
  await publisher.leave();
});

test('only publishing counts, and the order with what else is sent is kept', async (t) => {
  const relay = await startTestRelay(t, { ...openDoors, limits: { publish_rate: 1 } });
  const client = await pusu(t, relay);
  const subscribe = (channel: string) => JSON.stringify({ type: 'subscribe', channel });
  const publish = JSON.stringify({ type: 'publish', channel: 'a', content: 1 });
  client.send(subscribe('a'), subscribe('b'), publish, subscribe('c'));
  t.deepEqual(await client.take(3), [
    '{"type":"subscribe_ok","channel":"a"}',
    '{"type":"subscribe_ok","channel":"b"}',
    publish,
  ]);
  t.is(await client.next(), '{"type":"subscribe_ok","channel":"c"}');
});

test('a throttled client is not taken for dead: its pong waits behind what we do not read', async (t) => {
  const relay = await startTestRelay(t, {
    ...openDoors,
    limits: { publish_rate: 10, ping: '1s', pong: '1s' },
  });
  const client = await pusu(t, relay);
  const publish = (n: number) => JSON.stringify({ type: 'publish', channel: 'a', content: n });
  client.send(JSON.stringify({ type: 'subscribe', channel: 'a' }));
  t.is(await client.next(), '{"type":"subscribe_ok","channel":"a"}');
  // Four seconds' worth too many: the answer to the first ping waits behind them.
  client.send(...Array.from({ length: 50 }, (_, n) => publish(n)));
  t.is((await client.take(50)).at(-1), publish(49));
  t.true(client.pings.all.length > 0);
});

test('a POST over the rate of its address is 429, and not published', async (t) => {
  const relay = await startTestRelay(t, { ...openDoors, limits: { publish_rate: 2, exempt: [] } });
  const listening = await connectWs(t, relay.port('pinghub'), '/t');
  const post = (body: string) => ask(relay.port('pinghub'), '/t', { method: 'POST', body });
  const published: string[] = [];
  let answer = await post('0');
  // On a busy machine the rate may allow some more meanwhile.
  while (answer.status === 200) {
    published.push(String(published.length));
    answer = await post(String(published.length));
  }
  t.true(published.length >= 2);
  t.is(answer.status, 429);
  t.is(answer.headers['retry-after'], '1');
  t.is(answer.body, 'Error: too many messages.\n');
  t.is(relay.relay.refusals['publish-rate'], 1);
  listening.send('last');
  t.deepEqual(await listening.take(published.length + 1), [...published, 'last']);
});

test('an exempt address posts as it likes', async (t) => {
  const relay = await startTestRelay(t, { ...openDoors, limits: { publish_rate: 1 } });
  for (let n = 0; n < 5; n++)
    t.is((await ask(relay.port('pinghub'), '/t', { method: 'POST', body: 'x' })).status, 200);
});

test('ten failures from one /64 in a minute: the eleventh try is 429, its neighbour is judged', async (t) => {
  const relay = await startTestRelay(t, {
    ...password,
    doors: { pinghub: { trusted_proxies: ['127.0.0.1'] } },
  });
  const post = async (address: string) => {
    const headers = { 'X-Forwarded-For': address, Authorization: 'Bearer bad' };
    return (await ask(relay.port('pinghub'), '/t', { method: 'POST', headers, body: 'x' })).status;
  };
  const statuses: number[] = [];
  for (let n = 0; n < 11; n++) statuses.push(await post(`2001:db8:0:1::${n}`));
  t.deepEqual(statuses, [...Array.from({ length: 10 }, () => 401), 429]);
  t.is(await post('2001:db8:0:1:ffff:ffff:ffff:ffff'), 429);
  t.is(await post('2001:db8:0:2::'), 401);
  t.is(await post('::ffff:192.0.2.1'), 401);
  t.is(relay.relay.refusals['failed-authorisations'], 2);
});
