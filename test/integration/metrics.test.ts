import test, { type ExecutionContext } from 'ava';
import { ask, parseMetrics, type Samples, sumOf } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { quiescence } from '../support/otp.ts';
import { pairOfRelays } from '../support/pair-of-relays.ts';
import { isBalanced, startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs, refusedWs, type WsClient } from '../support/ws-client.ts';

async function scrape(port: number): Promise<Samples> {
  const { status, headers, body } = await ask(port, '/metrics');
  if (status !== 200) throw new Error(body);
  if (!String(headers['content-type']).startsWith('text/plain; version=0.0.4'))
    throw new Error('content type');
  return parseMetrics(body);
}

test('metrics say what happened, and attempts are deliveries and drops', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {}, wspubsub: {} } });
  const door = relay.port('pinghub');
  const members = await Promise.all(Array.from({ length: 5 }, () => connectWs(t, door, '/news')));
  const publisher = members[0];
  for (let i = 0; i < 20; i++) publisher?.send(`message ${i}`);
  for (const member of members) await member.take(20);
  await members[4]?.leave();
  await relay.closed();
  t.is((await refusedWs(t, relay.port('wspubsub'), '/nothing')).status, 404);
  await eventually(() => isBalanced(relay.accounting), 'the last writes are done');
  await quiescence(relay.relay.system);
  const metrics = await scrape(relay.port('admin'));
  t.is(sumOf(metrics, 'fanfare_messages_total'), 20);
  t.is(sumOf(metrics, 'fanfare_door_messages_total', 'door="pinghub",via="websocket"'), 20);
  t.is(sumOf(metrics, 'fanfare_delivery_attempts_total'), 100);
  t.is(
    sumOf(metrics, 'fanfare_delivery_attempts_total'),
    sumOf(metrics, 'fanfare_deliveries_total') + sumOf(metrics, 'fanfare_dropped_total'),
  );
  t.is(sumOf(metrics, 'fanfare_connections', 'door="pinghub"'), 4);
  t.is(sumOf(metrics, 'fanfare_topics', 'realm="main"'), 1);
  t.is(sumOf(metrics, 'fanfare_processes', 'kind="topic-server"'), 1);
  t.is(sumOf(metrics, 'fanfare_processes', 'kind="connection-handler"'), 4);
  t.is(
    metrics.get('fanfare_closes_total')?.get('{door="pinghub",code="1005",reason="closed by client"}') ??
      metrics.get('fanfare_closes_total')?.get('{door="pinghub",code="1000",reason="closed by client"}'),
    1,
  );
  t.is(sumOf(metrics, 'fanfare_refusals_total', 'reason="404"'), 1);
  t.true(sumOf(metrics, 'fanfare_publish_to_write_seconds_count') >= 5);
  t.true(sumOf(metrics, 'fanfare_fanout_members_count') >= 1);
  t.is(sumOf(metrics, 'fanfare_connections_limit'), 1000);
  for (const name of [
    'cpu_seconds_total',
    'start_time_seconds',
    'resident_memory_bytes',
    'virtual_memory_bytes',
  ])
    t.true(sumOf(metrics, `process_${name}`) > 0, name);
  const open = sumOf(metrics, 'process_open_fds');
  t.true(open > 5 && open < sumOf(metrics, 'process_max_fds'));
  t.is(sumOf(metrics, 'fanfare_build_info'), 1);
  t.true(sumOf(metrics, 'fanfare_event_loop_delay_seconds_count') > 0);
  const busy = sumOf(metrics, 'fanfare_event_loop_utilisation_ratio');
  t.true(busy > 0 && busy <= 1);
  for (const name of metrics.keys()) t.regex(name, /^(fanfare|process)_[a-z_]+$/);
});

test('messages of own clients and those that came over links are told apart, so that relays can be added up', async (t) => {
  const { relays, link } = await pairOfRelays(t);
  await link();
  const [first, second] = relays;
  const reader = await pusuClient(t, second, 'news');
  const writer = await pusuClient(t, first, 'news');
  writer.send('{"type":"publish","channel":"news","content":1}');
  await Promise.all([reader.next(), writer.next()]);
  const from = async (relay: TestRelay, who: string) =>
    sumOf(await scrape(relay.port('admin')), 'fanfare_messages_total', `from="${who}"`);
  t.deepEqual([await from(first, 'clients'), await from(first, 'links')], [1, 0]);
  t.deepEqual([await from(second, 'clients'), await from(second, 'links')], [0, 1]);
});

async function pusuClient(t: ExecutionContext, relay: TestRelay, channel: string): Promise<WsClient> {
  const client = await connectWs(t, relay.port('pusu'));
  await client.next();
  client.send(JSON.stringify({ type: 'subscribe', channel }));
  await client.next();
  return client;
}

test('what has not happened yet is 0 and not missing: else an increase would miss the first time', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const metrics = await scrape(relay.port('admin'));
  for (const [name, labels] of [
    ['restarts_total', 'supervisor="topics.0.servers"'],
    ['restarts_total', 'supervisor="root"'],
    ['restarts_total', 'supervisor="connections.7"'],
    ['closes_total', 'door="pinghub",code="1013",reason="slow"'],
    ['closes_total', 'door="pinghub",code="1011",reason="crash"'],
    ['refusals_total', 'door="pinghub",reason="403"'],
    ['gate_refusals_total', 'reason="full"'],
    ['dropped_total', 'reason="slow"'],
    ['messages_total', 'from="links"'],
  ] as const)
    t.is(metrics.get(`fanfare_${name}`)?.get(`{${labels}}`), 0, `${name} ${labels}`);
});

test('buckets grow up to the count', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const member = await connectWs(t, relay.port('pinghub'), '/a');
  for (let i = 0; i < 200; i++) member.send('x');
  await member.take(200);
  const metrics = await scrape(relay.port('admin'));
  const buckets = [...(metrics.get('fanfare_publish_to_write_seconds_bucket') ?? [])].map(
    ([, value]) => value,
  );
  t.deepEqual(
    buckets,
    buckets.toSorted((a, b) => a - b),
  );
  t.is(buckets.at(-1), sumOf(metrics, 'fanfare_publish_to_write_seconds_count'));
  t.true((buckets.at(-1) ?? 0) >= 1, 'the first one is timed');
});

test('no label holds what clients make up', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const clients = await Promise.all(
    Array.from({ length: 5 }, (_, i) => connectWs(t, relay.port('pinghub'), `/secret-topic-${i}`)),
  );
  for (const [i, client] of clients.entries()) client.webSocket.close(3000 + i * 371, `made-up-${i}`);
  for (const _ of clients) await relay.closed();
  const { body } = await ask(relay.port('admin'), '/metrics');
  t.false(/secret-topic|made-up|127\.0\.0\.1/.test(body));
  const closes = [...(parseMetrics(body).get('fanfare_closes_total') ?? [])].filter(([, count]) => count > 0);
  t.deepEqual(closes.map(([labels]) => /code="(\w+)"/.exec(labels)?.[1]).sort(), ['3xxx', '4xxx']);
});

test('authenticators are counted and timed', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pusu: { authenticator: 'PasswordAuthenticator', passwords: { 'correct horse': ['a'] } } },
  });
  for (const credential of ['wrong', 'correct horse']) {
    const client = await connectWs(t, relay.port('pusu'), '/');
    await client.next();
    client.send(JSON.stringify({ type: 'authorize', authorization: credential }));
    await client.next();
  }
  const metrics = await scrape(relay.port('admin'));
  t.is(
    sumOf(
      metrics,
      'fanfare_authenticator_calls_total',
      'guard="pusu",authenticator="PasswordAuthenticator",outcome="answered"',
    ),
    2,
  );
  t.is(sumOf(metrics, 'fanfare_authenticator_call_seconds_count', 'guard="pusu"'), 2);
});
