import test from 'ava';
import { ask, parseMetrics, type Samples, sumOf } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { quiescence } from '../support/otp.ts';
import { isBalanced, startTestRelay } from '../support/relay.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

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
  t.true(sumOf(metrics, 'fanfare_cpu_seconds_total') > 0);
  t.is(sumOf(metrics, 'fanfare_build_info'), 1);
  t.true(sumOf(metrics, 'fanfare_event_loop_delay_seconds_count') > 0);
  const busy = sumOf(metrics, 'fanfare_event_loop_utilisation_ratio');
  t.true(busy > 0 && busy <= 1);
  for (const name of metrics.keys()) t.regex(name, /^fanfare_[a-z_]+$/);
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
  const closes = [...(parseMetrics(body).get('fanfare_closes_total') ?? [])];
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
