import test, { type ExecutionContext } from 'ava';
import type { Pid } from '../../src/otp/process.ts';
import type { MemberMessage } from '../../src/topic/topic.ts';
import { keptMessages, keptTopics } from '../../src/view/kept.ts';
import { publish, topics } from '../../src/view/topics.ts';
import { ask, parseMetrics, sumOf } from '../support/admin.ts';
import { spawnScripted } from '../support/otp.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

const KEPT = { pattern: 'kept.*', history: { messages: 3 } };

async function relayThatKeeps(t: ExecutionContext): Promise<TestRelay> {
  return startTestRelay(t, { topics: [KEPT], history: { total: '1MiB' }, doors: { pusu: {} } });
}

async function subscriber(t: ExecutionContext, relay: TestRelay, asks: object): Promise<[WsClient, Answer]> {
  const client = await connectWs(t, relay.port('pusu'), '/', { protocols: ['fanfare.1'] });
  await client.next();
  client.send(JSON.stringify({ type: 'subscribe', ...asks }));
  return [client, JSON.parse(String(await client.next())) as Answer];
}

interface Answer {
  readonly at: string;
  readonly recovered?: boolean;
  readonly missed?: number;
}

/** So many messages, each a letter longer than the one before. */
async function published(client: WsClient, channel: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    client.send(JSON.stringify({ type: 'publish', channel, content: 'x'.repeat(i) }));
  await client.take(count);
}

test('what is kept of a topic is shown by position, time and size, and never what clients wrote', async (t) => {
  const relay = await relayThatKeeps(t);
  const { node } = relay.relay;
  const [client, { at }] = await subscriber(t, relay, { channel: 'kept.a' });
  const [epoch = ''] = at.split(':');
  const before = Date.now() - 1000;
  await published(client, 'kept.a', 5);
  const history = keptMessages(node, 'topic:main:kept.a', 2);
  t.like(history, { topic: 'topic:main:kept.a', live: true, at: `${epoch}:5`, messages: 3, total: 3 });
  t.deepEqual(
    history.rows.map((row) => row.at),
    [`${epoch}:4`, `${epoch}:5`],
  );
  const [first, second] = history.rows;
  t.is((second?.bytes ?? 0) - (first?.bytes ?? 0), 1);
  t.true(history.rows.every(({ time }) => time >= before && time <= Date.now() + 1000));
  t.notRegex(JSON.stringify(history), /xxx/);
  t.is(keptMessages(node, 'topic:main:kept.a', 100).rows.length, 3);
  t.throws(() => keptMessages(node, 'topic:main:other', 1), {
    message: /^nothing is kept of topic:main:other/,
  });
  t.throws(() => keptMessages(node, '<1>', 1), { message: /named as topic:REALM:NAME/ });
});

test('what an operator publishes is kept, also where nobody is in the topic', async (t) => {
  const relay = await relayThatKeeps(t);
  const { node } = relay.relay;
  const from = spawnScripted(node.system).pid as Pid<MemberMessage>;
  t.is(
    publish(node, 'topic:main:kept.new', 'hello', from),
    'published 5 bytes to topic:main:kept.new, which nobody is in; they are kept',
  );
  t.is(publish(node, 'topic:main:none', 'x', from), 'nobody is in topic:main:none on this relay');
  const [client] = await subscriber(t, relay, { channel: 'kept.new', since: 'all' });
  t.like(JSON.parse(String(await client.next())), { content: 'hello' });
});

test('lists show how many messages and bytes are kept, also of topics that nobody is in any more', async (t) => {
  const relay = await relayThatKeeps(t);
  const { node } = relay.relay;
  const [client] = await subscriber(t, relay, { channel: 'kept.a' });
  client.send('{"type":"subscribe","channel":"lost"}');
  await client.next();
  await published(client, 'kept.a', 2);
  const [row] = topics(node, 'kept', { limit: 5 }).rows;
  t.like(row, { topic: 'topic:main:kept.a', kept: 2 });
  t.true((row?.keptBytes ?? 0) > 26);
  t.like(topics(node, 'name', { limit: 5 }).rows[1], {
    topic: 'topic:main:lost',
    kept: null,
    keptBytes: null,
  });
  await client.leave();
  await relay.closed();
  t.like(keptTopics(node, { limit: 5 }), { total: 1, rows: [{ topic: 'topic:main:kept.a', messages: 2 }] });
});

test('metrics tell what is kept, what went by which bound, and what came of those who asked for it', async (t) => {
  const relay = await relayThatKeeps(t);
  const [client, { at }] = await subscriber(t, relay, { channel: 'kept.a' });
  await published(client, 'kept.a', 2);
  const [, whole] = await subscriber(t, relay, { channel: 'kept.a', since: at });
  t.like(whole, { recovered: true });
  await published(client, 'kept.a', 3);
  const [, partly] = await subscriber(t, relay, { channel: 'kept.a', since: at });
  t.like(partly, { recovered: false, missed: 2 });
  await subscriber(t, relay, { channel: 'kept.a', since: '1000000:7' });
  await subscriber(t, relay, { channel: 'kept.a', since: 'all' });
  const metrics = parseMetrics((await ask(relay.port('admin'), '/metrics')).body);
  const values = (name: string, labels = '') => sumOf(metrics, `fanfare_${name}`, labels);
  t.deepEqual(
    [values('history_topics'), values('history_messages'), values('history_limit_bytes')],
    [1, 3, 2 ** 20],
  );
  t.true(values('history_bytes') > 0);
  t.is(values('history_evicted_total', 'bound="messages"'), 2);
  for (const bound of ['bytes', 'age', 'total']) t.is(values('history_evicted_total', `bound="${bound}"`), 0);
  for (const outcome of ['recovered', 'missed', 'unknown', 'kept'])
    t.is(values('resumes_total', `outcome="${outcome}"`), 1, outcome);
  t.is(values('replayed_messages_total'), 2 + 3 + 3);
  t.is(values('missed_messages_total'), 2);
});
