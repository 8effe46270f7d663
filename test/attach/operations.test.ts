import test, { type ExecutionContext } from 'ava';
import { answerText } from '../../src/attach/answer-text.ts';
import type { Asked } from '../../src/attach/operations/operation.ts';
import { help, operations } from '../../src/attach/operations.ts';
import { typedCommand } from '../../src/attach/protocol.ts';
import { processName, whereis } from '../../src/otp/registry.ts';
import { OwnWords } from '../../src/secret/redaction.ts';
import type { RelayRow } from '../../src/view/network.ts';
import type { LinkView, Reloaded } from '../../src/view/relay-view.ts';
import { eventually } from '../support/arrivals.ts';
import { freePorts, SECRET } from '../support/cluster.ts';
import { startTestRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { temporaryFolder } from '../support/relay-process.ts';
import { SECRET_TEXT, token } from '../support/tokens.ts';
import { connectWs, refusedWs, type WsClient } from '../support/ws-client.ts';

interface World {
  readonly relay: TestRelay;
  /** What an operation finds, and how it is shown. */
  ask(name: string, ...args: unknown[]): Promise<{ readonly data: unknown; readonly text: string }>;
  readonly said: string[];
}

type Settings = Parameters<typeof startTestRelay>[1];

async function world(t: ExecutionContext, settings: Settings = { doors: { pusu: {} } }): Promise<World> {
  const relay = await startTestRelay(t, settings, 1000, { folder: temporaryFolder(t) });
  const { node } = relay.relay;
  const said: string[] = [];
  const controller = new AbortController();
  const asked: Omit<Asked, 'args'> = {
    node,
    who: 'tester',
    stays: true,
    say: (line) => said.push(line),
    signal: controller.signal,
    onGone: () => undefined,
    publisher: () => whereis(node.system, processName('attach.publisher')),
  };
  return {
    relay,
    said,
    async ask(name, ...args) {
      const operation = operations.byName.get(name);
      if (operation === undefined) throw new Error(`no ${name}`);
      const data = await operation.run({ ...asked, args });
      return { data, text: String(operation.show(data, Number.POSITIVE_INFINITY)) };
    },
  };
}

async function subscriber(t: ExecutionContext, relay: TestRelay, channel: string): Promise<WsClient> {
  const client = await connectWs(t, relay.port('pusu'));
  await client.next();
  client.send(JSON.stringify({ type: 'subscribe', channel }));
  await client.next();
  return client;
}

const withSubjects = {
  authenticator: 'JWT',
  jwt_signing_algorithms: ['HS256'],
  jwt_verification_key: SECRET_TEXT,
  doors: { pusu: {} },
};

/** A subscriber whose token says who it is. */
async function identified(
  t: ExecutionContext,
  relay: TestRelay,
  sub: string,
  channel: string,
): Promise<WsClient> {
  const client = await connectWs(t, relay.port('pusu'));
  const authorization = await token({ channels: { '*': 'rw' }, sub });
  client.send(
    JSON.stringify({ type: 'authorize', authorization }),
    JSON.stringify({ type: 'subscribe', channel }),
  );
  await client.take(3);
  return client;
}

const rowsOf = (data: unknown) => (data as { rows: Record<string, unknown>[] }).rows;

test('tree shows every supervisor once, counts what is below, and folds those that are alike', async (t) => {
  const { relay, ask } = await world(t);
  for (let i = 0; i < 30; i++) await subscriber(t, relay, 'c');
  const { text, data } = await ask('tree');
  for (const name of ['root', 'topics.0.router', 'attach.listener', 'listener.pusu', 'connections.0'])
    t.regex(text, new RegExp(name.replaceAll('.', '\\.')));
  t.regex(text, /└─ … 7 more, to topics\.7 +\d+/);
  t.notRegex(text, /topics\.1\b/);
  const [master] = data as [{ below: number }];
  t.is(master.below, relay.relay.system.processes.size - 1);
  const one = (await ask('tree', { children: 1 })).text;
  t.regex(one, /… 3 more\n/);
  const whole = (await ask('tree', { children: 8 })).text;
  for (const name of ['topics.7.router', 'connections.7']) t.true(whole.includes(name), name);
});

test('whatever an operation says fits into 80 columns', async (t) => {
  const { relay, ask } = await world(t, { doors: { pusu: {} }, topics: [{ pattern: '*', history: true }] });
  const topic = `a-topic-with-a-long-name-${'x'.repeat(60)}`;
  const client = await subscriber(t, relay, topic);
  client.send(JSON.stringify({ type: 'publish', channel: topic, content: 1 }));
  await client.next();
  await (await subscriber(t, relay, topic)).leave();
  const gone = await relay.closed();
  await ask('kill', `topic:main:${topic}`);
  await eventually(() => relay.relay.node.history.reports.size > 1, 'the crash is told');
  for (const [name, ...args] of [
    ['tree'],
    ['topics'],
    ['top'],
    ['connections'],
    ['members', `topic:main:${topic}`],
    ['history'],
    ['why'],
    ['timeline'],
    ['state', 'listener.pusu'],
    ['i', 'listener.pusu'],
    ['client', { door: 'pusu' }, { window: 1 }],
    ['why', gone['conn']],
    ['reports'],
    ['history', `topic:main:${topic}`],
    ['runtime_info'],
    ['node_stats', 1, 1],
    ['network'],
    ['bin_leak'],
  ] as const) {
    const operation = operations.byName.get(name);
    const { data } = await ask(name, ...args);
    const lines = String(operation?.show(data, 80)).split('\n');
    t.true(lines.length > 1, name);
    for (const line of lines) t.true([...line].length <= 80, `${name}: ${line}`);
  }
  for (const line of help().split('\n')) t.true(line.length <= 80, line);
});

test('top and topics show what is busy now, with rates, unless they are asked for something else', async (t) => {
  const { relay, ask } = await world(t);
  const busy = await subscriber(t, relay, 'busy');
  await subscriber(t, relay, 'quiet');
  await subscriber(t, relay, 'quiet');
  const sending = setInterval(() => busy.send('{"type":"publish","channel":"busy","content":1}'), 5);
  t.teardown(() => clearInterval(sending));
  await busy.next();
  const [first, second] = rowsOf((await ask('topics', { window: 200 })).data);
  t.is(first?.['topic'], 'topic:main:busy');
  t.true(Number(first?.['rate']) > 1 && Number(first?.['deliveries']) > 1);
  t.like(second, { topic: 'topic:main:quiet', rate: 0, deliveries: 0 });
  t.like(rowsOf((await ask('topics', { by: 'members' })).data)[0], { topic: 'topic:main:quiet', rate: null });
  const top = (await ask('top', { window: 200 })).data as { about: string | null; rate: number }[];
  t.true(top.slice(0, 5).some(({ about, rate }) => about === 'topic:main:busy' && rate > 1));
  t.like(((await ask('top', { by: 'mailbox', n: 1 })).data as object[])[0], { rate: null });
});

test('topics, members and connections are found, sorted and bounded', async (t) => {
  const { relay, ask } = await world(t);
  const one = await subscriber(t, relay, 'busy');
  await subscriber(t, relay, 'busy');
  await subscriber(t, relay, 'quiet\u001b[2J');
  const topics = await ask('topics', { by: 'members', n: 1 });
  t.like(topics.data, { total: 2 });
  t.like(rowsOf(topics.data)[0], { topic: 'topic:main:busy', members: 2 });
  t.regex(topics.text, /… 1 of 2 topics$/);
  t.false((await ask('topics')).text.includes('\u001b'));
  t.like(rowsOf((await ask('members', 'topic:main:busy')).data)[0], { door: 'pusu', address: '127.0.0.1' });
  one.send('{"type":"publish","channel":"busy","content":1}');
  await one.next();
  const connections = await ask('connections', { by: 'in', n: 1 });
  t.like(connections.data, { total: 3 });
  t.like(rowsOf(connections.data)[0], { in: 1, out: 1, topics: 1, phase: 'open' });
  await t.throwsAsync(ask('topics', { by: 'size' }), { name: 'Refusal', message: /by is one of rate, / });
  for (const n of [0, 1001, 1.5, '3']) await t.throwsAsync(ask('topics', { n }), { name: 'Refusal' });
  await t.throwsAsync(ask('members', 'topic:main:none'), { name: 'Refusal' });
});

test('a process is found by its number, its name, and as the server of its topic', async (t) => {
  const { relay, ask } = await world(t);
  await subscriber(t, relay, 'a:b');
  const { data } = await ask('i', 'topic:main:a:b');
  const { ref, id } = data as { ref: string; id: number };
  t.like((await ask('i', ref)).data, { id, details: { topic: 'topic:main:a:b', members: 1 } });
  t.like((await ask('stats', id)).data, { initialCall: 'topic-server' });
  t.like((await ask('i', 'listener.pusu')).data, { registered: 'listener.pusu' });
  t.regex((await ask('state', ref)).text, /a:b/);
  await t.throwsAsync(ask('i', '<999999>'), { message: 'no live process <999999>' });
});

test('the state of a connection has its topics, and that of a topic is its own', async (t) => {
  const { relay, ask } = await world(t);
  const one = await subscriber(t, relay, 'a');
  for (const channel of ['b', 'c', 'token=hunter2']) {
    one.send(JSON.stringify({ type: 'subscribe', channel }));
    await one.next();
  }
  for (let i = 0; i < 3; i++) one.send('{"type":"publish","channel":"b","content":1}');
  await one.take(3);
  const [row] = rowsOf((await ask('connections')).data);
  t.like(row, { state: 'open', topics: 4 });
  const connection = await ask('state', row?.['ref']);
  t.like(connection.data, {
    memberships: {
      size: 4,
      items: ['topic:main:a', 'topic:main:b', 'topic:main:c', 'topic:main:token=[hidden]'],
    },
    intake: { published: 3 },
    outflow: { messages: 3, behind: false },
  });
  const known = await ask('i', row?.['ref']);
  t.regex(known.text, /memberships +a, b, c, token=hunter2/);
  const topic = await ask('state', 'topic:main:b');
  t.like(topic.data, { topic: { name: 'b', fanOut: { messages: 3, attempts: 3 }, members: { size: 1 } } });
  const other = await ask('state', 'topic:main:a');
  t.like(other.data, { topic: { fanOut: { messages: 0, attempts: 0 } } });
  t.notRegex(other.text, /3 messages|accounting/, 'nothing of the whole relay');
});

test('a client that does not read is told from one that is behind, and from one that reads', async (t) => {
  const settings = { doors: { pusu: {} }, limits: { pending: '64MiB', write_stall: 0 } };
  const { relay, ask } = await world(t, settings);
  const reader = await subscriber(t, relay, 'c');
  const stuck = await subscriber(t, relay, 'c');
  stuck.webSocket.pause();
  const content = 'x'.repeat(32_000);
  const state = async () => {
    reader.send(JSON.stringify({ type: 'publish', channel: 'c', content }));
    const states = rowsOf((await ask('connections')).data).map((row) => String(row['state']));
    return states.includes('stalled') && states.includes('open');
  };
  await eventually(state, 'the one that does not read is shown as stalled');
  t.regex((await ask('connections')).text, /127\.0\.0\.1 +stalled/);
  const stalled = rowsOf((await ask('connections')).data).find((row) => row['state'] === 'stalled');
  const { text } = await ask('client', stalled?.['ref'], { window: 1 });
  const [, waiting] = /^trouble +It does not read: ([1-9][\d.]* [KM]iB) wait for it/m.exec(text) ?? [];
  t.is(/^waiting +(.*?),/m.exec(text)?.[1], waiting, 'in the same unit');
  t.regex(text, /^messages .*\ntaken +[1-9][\d.]* [KM]iB, [\d.]+ [KM]?i?B\/s now$/m);
});

test('a topic that is held back stays on top, though nothing goes through it, and says who holds it', async (t) => {
  const { relay, ask } = await world(t);
  const [slow, other, quiet, next] = [
    await subscriber(t, relay, 'hot'),
    await subscriber(t, relay, 'hot'),
    await subscriber(t, relay, 'quiet'),
    await subscriber(t, relay, 'calm'),
  ];
  const { topics } = relay.relay.node;
  const [hot, calm] = ['hot', 'calm'].map((name) => topics.find('main', name));
  const [first, second] = hot === undefined ? [] : [...hot.members.all()];
  if (hot === undefined || calm === undefined || first === undefined || second === undefined) return t.fail();
  hot.fanOut.fallBehind(first);
  for (let i = 0; i < 3; i++) slow.send(JSON.stringify({ type: 'publish', channel: 'hot', content: i }));
  await eventually(() => hot.fanOut.queue.length === 3, 'its messages wait');
  // A member is behind there, and nothing waits for it: that is not held back.
  for (const member of calm.members.all()) calm.fanOut.fallBehind(member);
  const publishing = setInterval(
    () => quiet.send(JSON.stringify({ type: 'publish', channel: 'quiet', content: 'x' })),
    1,
  );
  t.teardown(() => clearInterval(publishing));
  for (const by of ['rate', 'deliveries']) {
    const { data, text } = await ask('topics', { by, window: 100 });
    t.like(rowsOf(data)[0], { topic: 'topic:main:hot', rate: 0, queue: 3, behind: 1, heldBy: String(first) });
    t.like(rowsOf(data)[1], { topic: 'topic:main:quiet', heldBy: null });
    t.is(
      text.split('\n').at(-1),
      `topic:main:hot is held back by ${first}, which reads too slowly: 3 messages wait`,
    );
  }
  hot.fanOut.fallBehind(second);
  const { text } = await ask('topics', { by: 'name' });
  t.true(text.includes(`held back by ${first} and ${second}, which read too slowly: 3 messages wait`), text);
  await Promise.all([other, next].map((client) => client.leave()));
});

test('publish reaches the members, and says when there are none', async (t) => {
  const { relay, ask } = await world(t);
  const one = await subscriber(t, relay, 'c');
  t.is(
    (await ask('publish', 'topic:main:c', 'hello')).text,
    'published 5 bytes to 1 members of topic:main:c',
  );
  t.is(await one.next(), '{"type":"publish","channel":"c","content":"hello"}');
  t.regex((await ask('publish', 'topic:main:none', 'x')).text, /nobody is in/);
  await t.throwsAsync(ask('publish', 'c', 'x'), { name: 'Refusal' });
});

test('disconnect closes with its words, and why tells of it afterwards', async (t) => {
  const { relay, ask } = await world(t);
  const one = await subscriber(t, relay, 'c');
  one.send('{"type":"publish","channel":"c","content":1}');
  await one.next();
  const ref = rowsOf((await ask('connections')).data)[0]?.['ref'];
  await t.throwsAsync(ask('why', ref), { message: /is alive/ });
  await t.throwsAsync(ask('disconnect', ref, 'x'.repeat(124)), { message: /at most 123 bytes/ });
  await t.throwsAsync(ask('disconnect', 'root', 'x'), { message: /is no connection/ });
  await ask('disconnect', ref, 'bye');
  t.deepEqual(await one.next(), { code: 1001, reason: 'bye' });
  await relay.closed();
  const { data, text } = await ask('why', ref);
  t.like(data, {
    door: 'pusu',
    code: 1001,
    reason: 'bye',
    event: 'an operator disconnected it',
    topics: ['c'],
    in: 1,
    out: 1,
    authorised: false,
    roundTrip: null,
  });
  t.regex(text, /because +an operator disconnected it/);
  await t.throwsAsync(ask('why', '<1>'), { message: /is alive/ });
  await t.throwsAsync(ask('why', 999_999), { message: /nothing is known/ });
});

test('clients are found by address, subject and topic, and a page begins where it is asked to', async (t) => {
  const { relay, ask } = await world(t, withSubjects);
  for (const [subject, channel] of [
    ['anna', 'news'],
    ['ben', 'news'],
    ['ben', 'sport'],
  ] as const)
    await identified(t, relay, subject, channel);
  const found = async (...args: unknown[]) => (await ask('connections', ...args)).data as { total: number };
  t.is((await found({ subject: 'ben' })).total, 2);
  t.is((await found({ topic: 'news' })).total, 2);
  t.is((await found({ topic: 'topic:main:news', subject: 'ben' })).total, 1);
  t.is((await found({ topic: 'topic:other:news' })).total, 0);
  t.is((await found({ address: '127.0.0.1', door: 'pusu' })).total, 3);
  t.is((await found({ address: '127.0.0.2' })).total, 0);
  const pages = await Promise.all([0, 1, 2, 3].map((offset) => found({ by: 'age', n: 1, offset })));
  const refs = pages.flatMap((page) => rowsOf(page).map((row) => row['ref']));
  t.is(new Set(refs).size, 3);
  t.true(pages.every(({ total }) => total === 3));
  await t.throwsAsync(found({ subject: 1 }), { message: /subject is a text/ });
});

test('a client is told of while it is there and when it has gone, and clients are disconnected by who they are', async (t) => {
  const { relay, ask } = await world(t, withSubjects);
  const anna = await identified(t, relay, 'anna', 'news');
  const bens = [await identified(t, relay, 'ben', 'news'), await identified(t, relay, 'ben', 'sport')];
  anna.send('{"type":"publish","channel":"news","content":1}');
  await anna.next();
  const live = await ask('client', { subject: 'anna' }, { window: 1 });
  t.like(live.data, {
    type: 'live',
    subject: 'anna',
    state: 'open',
    authorised: true,
    memberships: ['news'],
    in: 1,
    out: 1,
    pending: 0,
  });
  t.regex(live.text, /^client +<\d+> at pusu \(websocket\), from 127\.0\.0\.1\n(.*\n)*identity +anna\n/);
  await t.throwsAsync(ask('client', { subject: 'ben' }), { message: /^more than one client/ });
  await t.throwsAsync(ask('client', {}), { message: /^say which clients are meant/ });
  await t.throwsAsync(ask('disconnect', {}), { message: /^say which clients are meant/ });
  await t.throwsAsync(ask('disconnect', { subject: 'nobody' }), { message: 'no such client is there' });
  t.is((await ask('disconnect', { subject: 'ben' }, 'bye')).text, '2 clients were told to go: bye');
  for (const ben of bens) {
    await ben.got.find((one) => typeof one === 'object' && 'code' in one);
    await relay.closed();
  }
  t.is((await ask('connections')).data && rowsOf((await ask('connections')).data).length, 1);
  const gone = await ask('client', { subject: 'ben', topic: 'sport' });
  t.like(gone.data, { type: 'closed', subject: 'ben', reason: 'bye', topics: ['sport'] });
});

test('why lists the clients that were closed or turned away, by all that is known of them, newest first', async (t) => {
  const { relay, ask } = await world(t, { ...withSubjects, doors: { ...withSubjects.doors, wspubsub: {} } });
  const anna = await identified(t, relay, 'anna', 'news');
  const ben = await identified(t, relay, 'ben', 'sport');
  for (const client of [anna, ben]) {
    await client.leave();
    await relay.closed();
  }
  t.is((await refusedWs(t, relay.port('wspubsub'), '/nothing')).status, 404);
  const found = async (...args: unknown[]) =>
    rowsOf((await ask('why', ...args)).data).map(
      ({ type, subject, reason }) => `${type} ${subject ?? reason}`,
    );
  t.deepEqual(await found(), ['refused 404', 'closed ben', 'closed anna']);
  t.deepEqual(await found({ n: 1, offset: 1 }), ['closed ben']);
  t.deepEqual(await found({ address: '127.0.0.1', since: '1h' }), [
    'refused 404',
    'closed ben',
    'closed anna',
  ]);
  t.deepEqual(await found({ topic: 'topic:main:news' }), ['closed anna']);
  t.deepEqual(await found({ subject: 'ben' }), ['closed ben']);
  t.deepEqual(await found({ reason: '404' }), ['refused 404']);
  t.deepEqual(await found({ address: '127.0.0.2' }), []);
  t.deepEqual(await found({ since: '2999-01-01T00:00Z' }), []);
  const { text } = await ask('why', { topic: 'news' });
  t.regex(
    text,
    /^when +ref +door +address +who +why +topics\n[\d: -]+ +<\d+> +pusu +127\.0\.0\.1 +anna +100\d closed by client +news$/,
  );
  await t.throwsAsync(ask('why', { since: 'yesterday' }), { message: /^since is how long ago/ });
});

test('kill ends a worker, which its supervisor restarts; a supervisor only with force', async (t) => {
  const { relay, ask } = await world(t);
  const { id } = (await ask('i', 'topics.0.router')).data as { id: number };
  await ask('kill', 'topics.0.router');
  await relay.log.find(({ msg }) => msg === 'supervisor report');
  t.not(((await ask('i', 'topics.0.router')).data as { id: number }).id, id);
  await t.throwsAsync(ask('kill', 'connections.0'), { message: /force: true/ });
  const one = await subscriber(t, relay, 'c');
  t.regex((await ask('reports')).text, /topics\.0/);
  one.send('{"type":"publish","channel":"c","content":1}');
  t.regex(String(await one.next()), /publish/);
});

test('reports, the tree and top name the topic of a server, subject to what may be written', async (t) => {
  const { relay, ask } = await world(t);
  await subscriber(t, relay, 'news');
  await subscriber(t, relay, 'token=hunter2');
  for (const topic of ['topic:main:news', 'topic:main:token=hunter2']) await ask('kill', topic);
  const reported = () => relay.log.all.filter(({ msg }) => msg === 'supervisor report').length;
  await eventually(() => reported() === 2, 'the supervisors have said so');
  const { text } = await ask('reports');
  t.regex(text, /crash of topic-server<\d+> \(topic:main:news\): killed/);
  t.regex(text, /: child_terminated topic-server \(topic:main:news\): killed/);
  t.regex(text, /topic:main:token=\[hidden\]/);
  t.notRegex(text, /hunter2/);
  t.like(await relay.log.find(({ msg }) => msg === 'crash report'), { about: 'topic:main:news' });
  t.notRegex(JSON.stringify(relay.log.all), /hunter2/);
  t.regex((await ask('tree', { children: 8 })).text, /─ topic:main:news +<\d+>/);
  t.regex((await ask('top', { by: 'handled', n: 1000 })).text, /topic:main:news/);
});

test('suspend keeps messages waiting, resume lets them go on', async (t) => {
  const { relay, ask } = await world(t);
  const one = await subscriber(t, relay, 'c');
  const { ref } = (await ask('i', 'topic:main:c')).data as { ref: string };
  await ask('suspend', ref);
  await ask('publish', 'topic:main:c', 'later');
  t.like((await ask('stats', ref)).data, { status: 'suspended', mailboxLength: 1 });
  await ask('resume', ref);
  t.regex(String(await one.next()), /later/);
});

test('trace shows as many messages as asked for, and never what clients sent', async (t) => {
  const { relay, ask, said } = await world(t);
  const one = await subscriber(t, relay, 'c');
  const ref = rowsOf((await ask('connections')).data)[0]?.['ref'];
  await ask('trace', ref, { max: 2 });
  for (const word of ['secret-1', 'secret-2']) {
    one.send(`{"type":"publish","channel":"c","content":"${word}"}`);
    await one.next();
  }
  t.is(said.length, 2);
  t.regex(said[0] ?? '', /1\/2 .*text.*bytes/);
  t.notRegex(said.join(), /secret/);
});

test('top, node_stats, runtime_info, bin_leak and peers say how the relay is', async (t) => {
  const { ask } = await world(t);
  t.is(((await ask('top', { by: 'handled', n: 3, window: 0 })).data as unknown[]).length, 3);
  t.is(((await ask('top', { n: 3, window: 10 })).data as unknown[]).length, 3);
  t.is(((await ask('node_stats', 2, 1)).data as unknown[]).length, 2);
  t.like((await ask('runtime_info')).data, { node: 'test', pid: process.pid });
  t.regex((await ask('bin_leak')).text, /after a collection/);
  t.regex((await ask('peers')).text, /is alone/);
});

test('history shows what is kept, and is told by its first argument whether of one topic or of all', async (t) => {
  const { relay, ask } = await world(t, { doors: { pusu: {} }, topics: [{ pattern: '*', history: true }] });
  const one = await subscriber(t, relay, 'c');
  one.send('{"type":"publish","channel":"c","content":"hello"}');
  await one.next();
  t.regex((await ask('history')).text, /^topic +at +messages +bytes\ntopic:main:c +\w+:1 +1 +\d+ B +live$/);
  const { text } = await ask('history', 'topic:main:c', 5);
  t.regex(
    text,
    /^topic:main:c: 1 messages and \d+ B are kept, the last at \w+:1\nat +time +kind +bytes +missed\n\w+:1 +\d{4}-\S+Z +json +50 +-$/,
  );
  t.notRegex(text, /hello/);
  t.regex((await ask('topics')).text, /topic:main:c +<\d+> +1 +\d+ +\d+ +0 +0 +\d+ +1 +\d+ B/);
});

test('log_level makes the log say more or less, until it is told otherwise', async (t) => {
  const { relay, ask } = await world(t);
  t.is((await ask('log_level')).text, 'the log says info and above');
  t.is((await ask('log_level', 'debug')).text, 'the log says debug and above');
  t.like(await relay.log.find(({ msg }) => msg === 'level'), { level: 'debug' });
  await t.throwsAsync(ask('log_level', 'loud'), { name: 'Refusal', message: /^the level is one of/ });
  await relay.relay.reload(() => ({
    ok: true,
    config: testConfig({ doors: { pusu: {} }, limits: { drain: '1s' } }),
  }));
  t.is((await ask('log_level')).text, 'the log says debug and above');
});

test('timeline tells what has changed: starts, reloads and who asked, crashes, closes by reason, the newest first', async (t) => {
  const { relay, ask } = await world(t);
  const lines = async (options: object = {}) =>
    rowsOf((await ask('timeline', options)).data).map(
      ({ kind, of, what, count }) => `${kind} ${of} ${what} ${count}`,
    );
  t.deepEqual((await lines({ kind: 'phase' })).at(0), 'phase relay ready 1');
  t.regex((await lines({ kind: 'phase' })).at(-1) ?? '', /^phase relay starting, pid \d+ 1$/);
  for (let i = 0; i < 3; i++) await (await subscriber(t, relay, 'c')).leave();
  for (let i = 0; i < 3; i++) await relay.closed();
  const closes = rowsOf((await ask('timeline', { kind: 'close' })).data);
  // Where a minute ends in between they are in two rows.
  t.is(
    closes.reduce((sum, { count }) => sum + Number(count), 0),
    3,
  );
  for (const { of, what } of closes) t.is(`${of} ${what}`, 'pusu 1005 closed by client');
  await ask('reload');
  t.deepEqual(await lines({ kind: 'reload' }), [
    'reload tester refused: this relay was not started from a file 1',
  ]);
  await relay.relay.reload(
    () => ({ ok: true, config: testConfig({ doors: { pusu: {} }, limits: { drain: '1s' } }) }),
    'SIGHUP',
  );
  t.regex((await lines({ kind: 'reload' }))[0] ?? '', /^reload SIGHUP applied: .*limits\.drain/);
  await subscriber(t, relay, 'd');
  await ask('kill', 'topic:main:d');
  await eventually(async () => (await lines({ kind: 'crash' })).length > 0, 'the crash is told');
  t.regex((await lines({ kind: 'crash' }))[0] ?? '', /^crash topic:main:d crashed: /);
  // A busy machine may stall at any time.
  const calm = (await lines()).filter((line) => !line.startsWith('trouble'));
  t.regex(calm[0] ?? '', /^crash /);
  const all = await ask('timeline', { n: 2, offset: 1 });
  t.is(rowsOf(all.data).length, 2);
  t.regex(all.text, /^when +kind +of +what\n\d\d-\d\d \d\d:\d\d:\d\d +\w+ [\s\S]*\n… 2 of \d+ events$/);
  t.deepEqual(await lines({ since: '2100-01-01' }), []);
  t.true((await lines({ since: '1h' })).length >= calm.length);
  await t.throwsAsync(ask('timeline', { kind: 'weather' }), { message: /^kind is one of phase, link, / });
  await t.throwsAsync(ask('timeline', { since: 'soon' }), { message: /^since is how long ago/ });
});

test('timeline tells of links: up, down and why, also after very many closes', async (t) => {
  const ports = await freePorts(2);
  const relays = ports.map((port) => `127.0.0.1:${port}`);
  const [first, second] = await Promise.all(
    ports.map((port, index) =>
      world(t, {
        node: ['a', 'b'][index],
        relays,
        network: { host: '127.0.0.1', port, secret: SECRET, heartbeat: '200ms' },
        doors: { pusu: {} },
      }),
    ),
  );
  if (first === undefined || second === undefined) throw new Error('two relays');
  const links = async () =>
    rowsOf((await first.ask('timeline', { kind: 'link', n: 100 })).data).map(
      ({ of, what }) => `${of} ${what}`,
    );
  await eventually(async () => (await links()).includes('b takes messages from here'), 'b is served');
  second.relay.relay.stop();
  await second.relay.relay.ended;
  await eventually(
    async () => (await links()).some((line) => line.startsWith('b takes messages no longer: ')),
    'b has gone',
  );
  for (let i = 0; i < 20_000; i++)
    first.relay.relay.node.history.happened.closed('pusu', 1000, `reason ${i}`);
  t.true((await links()).includes('b takes messages from here'));
});

test('init.stop wants to be confirmed', async (t) => {
  const { relay, ask } = await world(t);
  t.regex((await ask('init.stop')).text, /confirm: true/);
  t.true(relay.relay.node.ready());
  await ask('init.stop', { confirm: true });
  t.is(await relay.relay.ended, 'shutdown');
});

test('each operation has help, with its options and an example that can be typed, in 80 columns', (t) => {
  for (const [name, { usage, options = {}, example, show }] of operations.byName) {
    const lines = help(name).split('\n');
    t.true(lines[0]?.startsWith(name), name);
    for (const line of lines) t.true(line.length <= 80, line);
    for (const option of Object.keys(options)) {
      t.true(
        lines.some((line) => new RegExp(`^  ${option} +\\S`).test(line)),
        `${name}: ${option}`,
      );
    }
    t.is(typeof show, 'function');
    t.true(example !== undefined || usage.endsWith('()'), `${name} has arguments, and no example`);
    const typed = typedCommand(example ?? usage);
    t.is(typed.name, name);
    for (const given of typed.args)
      if (typeof given === 'object' && given !== null && name !== 'publish')
        for (const [key, value] of Object.entries(given)) {
          t.true(Object.hasOwn(options, key), `${name}: ${key}`);
          const { words } = options[key] ?? {};
          t.true(words === undefined || words.includes(String(value)), `${name}: ${key}: ${value}`);
        }
  }
  t.regex(help('topics'), /^ {2}by {6}the order: rate, deliveries, [\s\S]*name$/m);
  t.regex(help(), /bin_leak/);
  t.throws(() => help('nothing'), { name: 'Refusal' });
});

test('a name and its arguments are read with and without brackets and quotes', (t) => {
  for (const [text, name, args] of [
    ['topics', 'topics', []],
    ['topics()', 'topics', []],
    ['  tree ( ) ; ', 'tree', []],
    ['members topic:main:chat', 'members', ['topic:main:chat']],
    ["members('topic:main:a b', {n: 3})", 'members', ['topic:main:a b', { n: 3 }]],
    ['kill(<88>, {force: true})', 'kill', ['<88>', { force: true }]],
    ['node_stats 2, 100', 'node_stats', [2, 100]],
    ['topics {n:3,by:name}', 'topics', [{ n: 3, by: 'name' }]],
    ['kill(<88>, {force:true})', 'kill', ['<88>', { force: true }]],
    [
      "why({topic: 'a,b:c', since:10m, reason:'slow'})",
      'why',
      [{ topic: 'a,b:c', since: '10m', reason: 'slow' }],
    ],
    ['client {topic:topic:main:chat}', 'client', [{ topic: 'topic:main:chat' }]],
    ['init.stop({confirm: true})', 'init.stop', [{ confirm: true }]],
  ] as const)
    t.deepEqual(typedCommand(text), { name, args } as never, text);
});

test('what is no such command is refused, and nothing of it is run', (t) => {
  for (const text of ['', '1 + 1', 'a.b.c()', 'tree(', 'kill({a: )', 'process.exit(1) + 2', 'x; y'])
    t.throws(() => typedCommand(text), { name: 'Refusal' }, text);
});

test('all relays stand side by side, in 80 columns and in more, and below them which one lags, and why', async (t) => {
  const { ask } = await world(t);
  const { data, text } = await ask('network');
  const [own] = data as [RelayRow];
  t.like(own, { node: 'test', own: true, state: 'ready', connections: 0 });
  t.regex(text, /^relay .* version\s+test \* {2}ready .*\n\nthis relay is alone(\n|$)/s);
  const other: RelayRow = { ...own, own: false, lag: 1234, heard: 900, roundTrip: 1, troubles: [] };
  const rows: RelayRow[] = [
    { ...own, troubles: [] },
    { ...other, node: 'b', troubles: ['its event loop stood still for 1.2s', `its ${'link '.repeat(20)}`] },
    { ...other, node: `c${'c'.repeat(254)}`, state: 'down', troubles: ['connect\u001b[2J ECONNREFUSED'] },
  ];
  const show = (width: number) => String(operations.byName.get('network')?.show(rows, width)).split('\n');
  const narrow = show(80);
  for (const line of narrow) t.true([...line].length <= 80, line);
  t.regex(narrow[0] ?? '', /^relay +state +in\/s +out\/s +clients +loop +busy +lag/);
  t.regex(narrow[2] ?? '', /^b +ready .* 1\.2s/);
  t.regex(narrow.join('\n'), /\n\nc+…\s+is down: connect\\x1b\[2J ECONNREFUSED\nb lags: its event loop/);
  t.regex(show(300)[0] ?? '', /waiting +slow +topics +dropped +crashed +links +cpu +memory +up +version/);
  t.regex(
    String(
      operations.byName.get('network')?.show(
        [
          { ...own, troubles: [] },
          { ...other, node: 'b' },
        ],
        80,
      ),
    ),
    /\n\nno relay lags$/,
  );
});

const link: LinkView = {
  peer: 'relay-2',
  direction: 'in',
  state: 'up',
  address: '10.0.0.2:55001',
  why: null,
  roundTrip: 0.42,
  lag: null,
  messages: 12_345,
  bytes: 2048,
  lost: 0,
  pending: 0,
  reconnects: 1,
};

test('links are aligned lines, and what is not known is a dash', (t) => {
  const text = operations.byName.get('peers')?.show(
    [
      link,
      {
        ...link,
        direction: 'out',
        state: 'down',
        address: null,
        roundTrip: null,
        lag: 1500,
        why: 'gone\u001b[31m',
      },
      { ...link, peer: 'relay-3', messages: null, bytes: null },
    ],
    Number.POSITIVE_INFINITY,
  );
  const lines = String(text).split('\n');
  t.regex(
    lines[0] ?? '',
    /^peer +way +state +address +round trip +lag +messages +bytes +lost +pending +again/,
  );
  t.regex(lines[1] ?? '', /^relay-2 +in +up +10\.0\.0\.2:55001 +0\.4ms +- +12 345 +2 KiB +0 +0 B +1/);
  t.regex(lines[2] ?? '', /^relay-2 +out +down +- +- +1500ms .* gone/);
  t.false(lines.join().includes('\u001b'));
  t.regex(lines[3] ?? '', /^relay-3 .* - +- +0 /);
});

const fault = 'relay.yaml:1:55 passwords[0]: a list of channel patterns';
const reloaded: Reloaded = {
  ok: false,
  errors: [new OwnWords(fault), 'door pusu: token: hunter2'],
  applied: [],
  reread: [],
  needsRestart: [],
};
const reload = operations.byName.get('reload');

test('a fault of the configuration is told with what was expected, and what others say without secrets', (t) => {
  t.deepEqual(answerText(reloaded, reload, 'lines').split('\n'), [
    fault,
    'door pusu: token: [hidden]',
    'nothing was changed',
  ]);
  const { errors } = JSON.parse(answerText(reloaded, reload, 'json')) as Reloaded;
  t.deepEqual(errors, [fault, 'door pusu: token: [hidden]']);
});

test('a key that follows the name of a secret is named as all others', async (t) => {
  const { relay } = await world(t);
  const keys = ['doors.wspubsub.apikeys', 'authenticator'];
  const done: Reloaded = { ok: true, errors: [], applied: keys, reread: keys, needsRestart: keys };
  const node = { ...relay.relay.node, reload: () => Promise.resolve(done) };
  const data = await reload?.run({ node, args: [] } as unknown as Asked);
  t.deepEqual(JSON.parse(answerText(data, reload, 'json')), done);
});
