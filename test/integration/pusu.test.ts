import test, { type ExecutionContext } from 'ava';
import { quietAccount } from '../support/promises.ts';
import { ask } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

const hello = '{"type":"hello"}';
const unknown = '{"type":"unknown_message_received"}';
const denied = '{"type":"permission_denied"}';
const failed = '{"type":"authorization_failed"}';
const ok = '{"type":"authorization_ok"}';

const subscribe = (channel: string) => JSON.stringify({ type: 'subscribe', channel });
const unsubscribe = (channel: string) => JSON.stringify({ type: 'unsubscribe', channel });
const subscribed = (channel: string) => JSON.stringify({ type: 'subscribe_ok', channel });
const publish = (channel: string, content: unknown) => JSON.stringify({ type: 'publish', channel, content });
const authorize = (authorization: unknown) => JSON.stringify({ type: 'authorize', authorization });

type Settings = Parameters<typeof startTestRelay>[1];

const open = (t: ExecutionContext, settings: Settings = {}) =>
  startTestRelay(t, { doors: { pusu: {} }, ...settings });

/** Connects, and takes the greeting. */
async function client(t: ExecutionContext, relay: TestRelay, path = '/'): Promise<WsClient> {
  const connected = await connectWs(t, relay.port('pusu'), path);
  t.is(await connected.next(), hello);
  return connected;
}

async function subscriber(t: ExecutionContext, relay: TestRelay, channel: string): Promise<WsClient> {
  const connected = await client(t, relay);
  connected.send(subscribe(channel));
  t.is(await connected.next(), subscribed(channel));
  return connected;
}

test('a client is greeted at once, on any path', async (t) => {
  const relay = await open(t);
  for (const path of ['/', '/ws', '/a/b?x=%zz', '/%ff', '//']) await client(t, relay, path);
});

test('pypusu asks for http-only and gets it back; a client that asks for nothing gets nothing', async (t) => {
  const relay = await open(t);
  const pypusu = await connectWs(t, relay.port('pusu'), '/', { protocols: ['http-only'] });
  t.is(pypusu.webSocket.protocol, 'http-only');
  t.is((await client(t, relay)).webSocket.protocol, '');
});

test('a plain GET is told to upgrade, other methods are not allowed', async (t) => {
  const relay = await open(t);
  const get = await ask(relay.port('pusu'), '/');
  t.is(get.status, 426);
  t.is(get.headers['upgrade'], 'websocket');
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
    const answer = await ask(relay.port('pusu'), '/', { method });
    t.is(answer.status, 405, method);
    t.is(answer.headers['allow'], 'GET');
  }
});

test('a subscriber gets what is published, the publisher too when it has subscribed', async (t) => {
  const relay = await open(t);
  const other = await subscriber(t, relay, 'c');
  const publisher = await subscriber(t, relay, 'c');
  publisher.send(publish('c', 'one'));
  t.is(await other.next(), publish('c', 'one'));
  t.is(await publisher.next(), publish('c', 'one'));
});

test('a publisher that has not subscribed gets nothing, and the frames of one go do not wait for answers', async (t) => {
  const relay = await open(t);
  const one = await client(t, relay);
  one.send(
    publish('c', 'unheard'),
    authorize('x'),
    subscribe('c'),
    publish('c', 1),
    subscribe('d'),
    publish('d', 2),
    publish('d', 3),
    unsubscribe('c'),
    publish('c', 'unheard'),
    publish('d', 4),
  );
  t.deepEqual(await one.take(7), [
    ok,
    subscribed('c'),
    publish('c', 1),
    subscribed('d'),
    publish('d', 2),
    publish('d', 3),
    publish('d', 4),
  ]);
});

test('a frame reaches subscribers byte for byte', async (t) => {
  const relay = await open(t);
  const one = await subscriber(t, relay, 'c');
  const frames = [
    '{"type":"publish","channel":"c","content":123456789012345678901234567890}',
    ' { "content" : 1.50e+2 , "extra":{"b":1,"a":[ ]}, "channel":"c",\n"type":"publish" } ',
    '{"type":"publish","channel":"\\u0063","content":"\\u00e9\\/\\ud83d\\ude00 é😀"}',
    '{"type":"publish","channel":"c"}',
    '{"type":"publish","channel":"c","content":null}',
    '{"type":"publish","channel":"c","content":{"__proto__":{"a":1},"constructor":2}}',
    '{"type":"publish","type":"publish","channel":"x","channel":"c","content":1,"content":2}',
  ];
  for (const frame of frames) {
    one.send(frame);
    t.is(await one.next(), frame);
  }
});

test('a binary frame is read as text, and delivered as text', async (t) => {
  const relay = await open(t);
  const one = await subscriber(t, relay, 'c');
  one.send(Buffer.from(publish('c', 'é')));
  t.is(await one.next(), publish('c', 'é'));
  one.send(Buffer.from([0x7b, 0xff, 0x7d]));
  t.deepEqual(await one.take(2), [unknown, { code: 1008, reason: 'unknown_message_received' }]);
});

test('a text frame that is not UTF-8 closes with 1007', async (t) => {
  const relay = await open(t);
  const one = await client(t, relay);
  one.sendAsText(Buffer.from([0x22, 0xff, 0x22]));
  t.like(await one.next(), { code: 1007 });
  t.like(await relay.closed(), { door: 'pusu', code: 1007, reason: 'invalid UTF-8' });
});

test('a repeated subscribe is answered again and never delivers twice', async (t) => {
  const relay = await open(t);
  const one = await subscriber(t, relay, 'c');
  one.send(subscribe('c'), subscribe('c'), publish('c', 1), publish('c', 2));
  t.deepEqual(await one.take(4), [subscribed('c'), subscribed('c'), publish('c', 1), publish('c', 2)]);
});

test('unsubscribe is not answered, ends the delivery, and may be repeated', async (t) => {
  const relay = await open(t);
  const one = await subscriber(t, relay, 'c');
  one.send(unsubscribe('c'), unsubscribe('c'), unsubscribe('never'), publish('c', 1), subscribe('marker'));
  t.is(await one.next(), subscribed('marker'));
  one.send(subscribe('c'), publish('c', 2));
  t.deepEqual(await one.take(2), [subscribed('c'), publish('c', 2)]);
});

const wrong: readonly [what: string, frame: string][] = [
  ['no JSON', 'hello'],
  ['nothing', ''],
  ['half of a frame', '{"type":"subscribe","channel":"c"'],
  ['a list', '["subscribe","c"]'],
  ['null', 'null'],
  ['a number', '1'],
  ['no type', '{"channel":"c"}'],
  ['another type', '{"type":"hello"}'],
  ['a type in other letters', '{"type":"Subscribe","channel":"c"}'],
  ['no channel to subscribe to', '{"type":"subscribe"}'],
  ['no channel to publish to', '{"type":"publish","content":1}'],
  ['no channel to unsubscribe from', '{"type":"unsubscribe"}'],
  ['an empty channel', subscribe('')],
  ['a channel that is a number', '{"type":"subscribe","channel":1}'],
  ['a channel that is no text', '{"type":"subscribe","channel":"\\ud800"}'],
  ['no authorization', '{"type":"authorize"}'],
  ['an authorization that is no string', authorize({ user: 'me' })],
];

for (const [what, frame] of wrong) {
  test(`${what}: the error frame, then 1008, and nothing after it is handled`, async (t) => {
    const relay = await open(t);
    const witness = await subscriber(t, relay, 'witness');
    const one = await client(t, relay);
    one.send(publish('witness', 'before'), frame, publish('witness', 'after'), subscribe('witness'));
    t.deepEqual(await one.take(2), [unknown, { code: 1008, reason: 'unknown_message_received' }]);
    t.like(await relay.closed(), { door: 'pusu', code: 1008, reason: 'unknown_message_received', in: 1 });
    witness.send(publish('witness', 'marker'));
    t.deepEqual(await witness.take(2), [publish('witness', 'before'), publish('witness', 'marker')]);
  });
}

test('names of JavaScript are channels like any other', async (t) => {
  const relay = await open(t);
  for (const channel of ['__proto__', 'constructor', 'toString', 'a/b', ' ', '\0', '*', 'user.*']) {
    const one = await subscriber(t, relay, channel);
    one.send(publish(channel, 1));
    t.is(await one.next(), publish(channel, 1));
  }
});

test('None authorises every authorization, even an empty one', async (t) => {
  const relay = await open(t);
  const one = await client(t, relay);
  one.send(authorize(''), authorize('x'));
  t.deepEqual(await one.take(2), [ok, ok]);
});

const passwords = {
  authenticator: 'PasswordAuthenticator',
  passwords: { foo: ['channel.1', 'user.*'], bar: ['channel.2'], all: ['*'] },
};

test('a wrong password: authorization_failed, then 1008', async (t) => {
  const relay = await open(t, passwords);
  const one = await client(t, relay);
  one.send(authorize('wrong'), authorize('foo'));
  t.deepEqual(await one.take(2), [failed, { code: 1008, reason: 'authorization_failed' }]);
  t.like(await relay.closed(), { code: 1008, reason: 'authorization_failed' });
});

test('without a right: permission_denied to subscribe and to publish, then 1008', async (t) => {
  const relay = await open(t, passwords);
  for (const frame of [subscribe('channel.1'), publish('channel.1', 1)]) {
    const one = await client(t, relay);
    one.send(frame);
    t.deepEqual(await one.take(2), [denied, { code: 1008, reason: 'permission_denied' }]);
  }
});

test('a password opens its channels and no others', async (t) => {
  const relay = await open(t, passwords);
  for (const [channel, allowed] of [
    ['channel.1', true],
    ['user.', true],
    ['user.x', true],
    ['user', false],
    ['channel.2', false],
    // A pattern without a star is one channel, not a prefix.
    ['channel.10', false],
    ['channel.1.x', false],
  ] as const) {
    const one = await client(t, relay);
    one.send(authorize('foo'), subscribe(channel), publish(channel, 1));
    t.is(await one.next(), ok);
    t.is(await one.next(), allowed ? subscribed(channel) : denied, channel);
    if (allowed) t.is(await one.next(), publish(channel, 1));
  }
});

test('repeated authorizations add up', async (t) => {
  const relay = await open(t, passwords);
  const one = await client(t, relay);
  one.send(authorize('foo'), authorize('bar'), subscribe('channel.1'), subscribe('channel.2'));
  t.deepEqual(await one.take(4), [ok, ok, subscribed('channel.1'), subscribed('channel.2')]);
});

test('a wrong password after a right one ends the connection too', async (t) => {
  const relay = await open(t, passwords);
  const one = await client(t, relay);
  one.send(authorize('foo'), authorize('wrong'));
  t.deepEqual(await one.take(3), [ok, failed, { code: 1008, reason: 'authorization_failed' }]);
});

test('allow_read_by_default: everybody reads, also without and with a wrong password, and nobody writes', async (t) => {
  const relay = await open(t, { ...passwords, allow_read_by_default: true });
  await subscriber(t, relay, 'anything');
  const one = await client(t, relay);
  one.send(authorize('wrong'), subscribe('anything'), publish('anything', 1));
  t.deepEqual(await one.take(4), [
    ok,
    subscribed('anything'),
    denied,
    { code: 1008, reason: 'permission_denied' },
  ]);
  const other = await client(t, relay);
  other.send(authorize('bar'), subscribe('channel.2'), publish('channel.2', 1));
  t.deepEqual(await other.take(3), [ok, subscribed('channel.2'), publish('channel.2', 1)]);
});

test('allowed_channels bind everybody', async (t) => {
  const relay = await open(t, { ...passwords, allowed_channels: ['channel.*'] });
  const one = await client(t, relay);
  one.send(authorize('all'), subscribe('channel.9'), subscribe('user.1'));
  t.deepEqual(await one.take(3), [ok, subscribed('channel.9'), denied]);
  const other = await client(t, await open(t, { allowed_channels: ['a', 'b.*'] }));
  other.send(subscribe('a'), subscribe('b.c'), publish('c', 1));
  t.deepEqual(await other.take(3), [subscribed('a'), subscribed('b.c'), denied]);
});

test('MyAuthenticator, the example of a plugin, grants nothing', async (t) => {
  const relay = await open(t, { authenticator: 'MyAuthenticator' });
  const one = await client(t, relay);
  one.send(authorize('anything'));
  t.deepEqual(await one.take(2), [failed, { code: 1008, reason: 'authorization_failed' }]);
});

test('the door has an authenticator of its own', async (t) => {
  const door = { authenticator: 'PasswordAuthenticator', passwords: { foo: ['*'] } };
  const relay = await open(t, { doors: { pusu: door } });
  const one = await client(t, relay);
  one.send(subscribe('c'));
  t.is(await one.next(), denied);
});

test('two subscribers see the messages of two publishers in one order, and each in the order sent', async (t) => {
  const relay = await open(t);
  const readers = await Promise.all([subscriber(t, relay, 'c'), subscriber(t, relay, 'c')]);
  const writers = await Promise.all([client(t, relay), client(t, relay)]);
  const count = 500;
  for (let i = 0; i < count; i++)
    for (const [who, writer] of writers.entries()) writer.send(publish('c', [who, i]));
  const [seen, alsoSeen] = await Promise.all(readers.map((reader) => reader.take(2 * count)));
  t.deepEqual(seen, alsoSeen);
  for (const who of [0, 1]) {
    const own = (seen ?? []).map((frame) => JSON.parse(String(frame)).content).filter(([by]) => by === who);
    t.deepEqual(
      own,
      Array.from({ length: count }, (_, i) => [who, i]),
    );
  }
  await quietAccount(relay);
  t.is(relay.accounting.delivered, 4 * count);
});

test('a message of limits.message passes, one byte more closes with 1009', async (t) => {
  const relay = await open(t, { limits: { message: '1KiB' } });
  const empty = Buffer.byteLength(publish('c', ''));
  const one = await subscriber(t, relay, 'c');
  const longest = publish('c', 'x'.repeat(1024 - empty));
  one.send(longest);
  t.is(await one.next(), longest);
  one.send(`${longest} `);
  t.like(await one.next(), { code: 1009 });
  t.like(await relay.closed(), { door: 'pusu', code: 1009, reason: 'message too big' });
});

test('without a right a message may be as long as limits.message_before_auth, and not a byte more', async (t) => {
  const relay = await open(t, { ...passwords, limits: { message_before_auth: 100 } });
  const atLimit = authorize('foo').padEnd(100);
  const one = await client(t, relay);
  one.send(atLimit);
  t.is(await one.next(), ok);
  const long = publish('user.1', 'x'.repeat(1000));
  one.send(subscribe('user.1'), long);
  t.deepEqual(await one.take(2), [subscribed('user.1'), long]);
  const other = await client(t, relay);
  other.send(`${atLimit} `);
  t.deepEqual(await other.next(), { code: 1009, reason: 'authorize first' });
});

test('a channel of limits.topic_length characters is allowed, a longer one is permission_denied', async (t) => {
  const relay = await open(t, { limits: { topic_length: 10 } });
  const longest = '😀'.repeat(10);
  const one = await subscriber(t, relay, longest);
  one.send(publish(longest, 1));
  t.is(await one.next(), publish(longest, 1));
  for (const frame of [subscribe(`${longest}x`), publish('x'.repeat(11), 1)]) {
    const other = await client(t, relay);
    other.send(frame);
    t.deepEqual(await other.take(2), [denied, { code: 1008, reason: 'permission_denied' }]);
  }
});

test('limits.topics_per_connection subscriptions are allowed, and one more is permission_denied', async (t) => {
  const relay = await open(t, { limits: { topics_per_connection: 3 } });
  const one = await client(t, relay);
  one.send(...['a', 'b', 'c'].map(subscribe), subscribe('a'), unsubscribe('b'), subscribe('d'));
  t.deepEqual(await one.take(5), ['a', 'b', 'c', 'a', 'd'].map(subscribed));
  one.send(subscribe('e'));
  t.deepEqual(await one.take(2), [denied, { code: 1008, reason: 'permission_denied' }]);
});

test('a message in limits.fragments frames passes, in one more it closes with 1008', async (t) => {
  const relay = await open(t, { limits: { fragments: 4 } });
  const one = await subscriber(t, relay, 'c');
  const frame = publish('c', 'in parts');
  const inParts = (parts: number) => {
    for (let i = 0; i < parts; i++) {
      const text = i < parts - 1 ? (frame[i] as string) : frame.slice(i);
      one.webSocket.send(text, { fin: i === parts - 1 });
    }
  };
  inParts(4);
  t.is(await one.next(), frame);
  inParts(5);
  t.like(await one.next(), { code: 1008 });
  t.like(await relay.closed(), { door: 'pusu', code: 1008, reason: 'too many fragments' });
});

test('a client that gets no right within limits.authorise is closed, one with a right stays', async (t) => {
  const clock = new VirtualClock();
  const settings = { doors: { pusu: {} }, ...passwords, limits: { authorise: '2500ms', ping: '0ms' } };
  const relay = await startTestRelay(t, settings, 1000, { clock });
  const silent = await client(t, relay);
  const known = await client(t, relay);
  known.send(authorize('foo'));
  t.is(await known.next(), ok);
  clock.advance(2500);
  t.deepEqual(await silent.next(), { code: 1008, reason: 'authorize timeout' });
  const later = await client(t, relay);
  clock.advance(2500);
  t.deepEqual(await later.next(), { code: 1008, reason: 'authorize timeout' });
  known.send(subscribe('user.1'));
  t.is(await known.next(), subscribed('user.1'));
});

test('every close has a log line with what came and went', async (t) => {
  const relay = await open(t);
  const one = await subscriber(t, relay, 'c');
  one.send(publish('c', 1), publish('c', 2));
  await one.take(2);
  one.webSocket.close(1000);
  t.like(await relay.closed(), {
    level: 'info',
    door: 'pusu',
    code: 1000,
    reason: 'closed by client',
    address: '127.0.0.1',
    in: 2,
    out: 2,
  });
  const other = await client(t, relay);
  other.webSocket.terminate();
  t.like(await relay.closed(), { code: 1006, reason: 'connection lost' });
});

test('what a client sends before it closes is published', async (t) => {
  const relay = await open(t);
  const reader = await subscriber(t, relay, 'c');
  const one = await client(t, relay);
  const frames = Array.from({ length: 500 }, (_, i) => publish('c', i));
  one.send(...frames);
  one.webSocket.close(1000);
  t.deepEqual(await reader.take(frames.length), frames);
  t.like(await relay.closed(), { code: 1000, reason: 'closed by client', in: frames.length });
});
