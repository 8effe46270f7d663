import test from 'ava';
import type { Connection } from '../../src/connection/connection.ts';
import { findProcess, getState, resume, suspend } from '../../src/otp/sys.ts';
import { ask as askAdmin, parseMetrics } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { clientFrame, connectRaw, post, rawExchange, upgradeRequest } from '../support/raw-client.ts';
import { isBalanced, startTestRelay, type TestRelay } from '../support/relay.ts';

// Requests behind others on one connection: each has its turn, or the connection ends, and nothing is left behind.

const stream = (path = '/t') => `GET ${path} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n`;
const posting = (body: string, path = '/t') =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const page = 'GET /t HTTP/1.1\r\nHost: a\r\n\r\n';
const refused = 'GET / HTTP/1.1\r\n\r\n';

const statuses = (answers: string) => answers.match(/HTTP\/1\.1 \d+/g)?.map((line) => Number(line.slice(9)));

/** What a relay has that lives, as its metrics say. */
/** More than a relay at rest has, and a small part of what 300 requests would leave. */
const OWN_TIMERS = 10;

async function lives(relay: TestRelay): Promise<Readonly<Record<string, unknown>>> {
  const metrics = parseMetrics((await askAdmin(relay.port('admin'), '/metrics')).body);
  const { processes } = relay.relay.system;
  const sum = (name: string) => [...(metrics.get(name)?.values() ?? [])].reduce((all, one) => all + one, 0);
  return {
    processes: processes.size,
    topics: sum('fanfare_topics'),
    connections: sum('fanfare_connections'),
    // Of the few that the relay has of its own, those that ring just now are not counted.
    timers: Math.max(sum('fanfare_timers'), OWN_TIMERS),
  };
}

const behindRefusals: readonly [what: string, bytes: (n: number) => string][] = [
  ['a stream', (n) => refused + stream(`/t${n}`)],
  [
    'a POST whose body does not end',
    (n) => `${refused}POST /t${n} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx`,
  ],
  ['a WebSocket', (n) => refused + upgradeRequest({}, `GET /t${n} HTTP/1.1`)],
  ['a POST and a stream', (n) => refused + posting('x', `/t${n}`) + stream(`/t${n}`)],
];

for (const [what, bytes] of behindRefusals)
  test(`${what} behind a request that ends the connection is not begun: 300 of them leave nothing`, async (t) => {
    const relay = await startTestRelay(t, { doors: { pinghub: {} } });
    await post(relay.port('pinghub'), '/warm', 'x');
    const before = await lives(relay);
    for (let n = 0; n < 300; n += 50)
      await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const answers = await rawExchange(t, relay.port('pinghub'), bytes(n + i));
          t.deepEqual(statuses(answers), [400]);
        }),
      );
    for (let n = 0; n < 300; n += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => post(relay.port('pinghub'), `/t${n + i}`, 'to whom?')),
      );
    await eventually(
      async () => {
        const after = await lives(relay);
        return Object.entries(before).every(([name, count]) => (after[name] as number) <= (count as number));
      },
      `${JSON.stringify(before)} again, and not ${JSON.stringify(await lives(relay))}`,
    );
    t.true(isBalanced(relay.accounting));
    t.is(relay.accounting.attempts, 0);
    relay.relay.stop();
    t.deepEqual(await relay.relay.ended, 'shutdown');
    t.like(
      relay.log.all.find(({ msg }) => msg === 'drained'),
      { left: 0 },
    );
  });

const behindStreams: readonly [what: string, bytes: string][] = [
  ['one request', page],
  ['two thousand', page.repeat(2000)],
  ['a stream', stream()],
  ['an upgrade', upgradeRequest()],
  ['what is no HTTP', 'HELO\r\n\r\n'],
];

for (const [what, bytes] of behindStreams) {
  test(`${what} in the packet of a stream ends the connection`, async (t) => {
    const relay = await startTestRelay(t, { doors: { pinghub: {} } });
    await rawExchange(t, relay.port('pinghub'), stream() + bytes);
    await eventually(() => handlers(relay) === 0, 'no handler is left');
    t.pass();
  });

  test(`${what} behind a stream that has begun ends the connection`, async (t) => {
    const relay = await startTestRelay(t, { doors: { pinghub: {} } });
    const client = await connectRaw(t, relay.port('pinghub'));
    client.send(stream());
    await client.until('event-stream');
    client.send(bytes);
    t.deepEqual(statuses(await client.end()), [200]);
    t.like(await relay.closed(), { code: 1006 });
    await eventually(() => handlers(relay) === 0, 'no handler is left');
  });
}

test('a stream that waits behind a POST with more behind it is refused in its turn', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const answers = await rawExchange(t, relay.port('pinghub'), posting('x') + stream() + page);
  t.deepEqual(statuses(answers), [200, 400]);
  t.regex(answers, /Error: bad request\. A stream must be the last request of its connection\./);
});

test('a line ending too many behind a stream is no request', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send(`${stream()}\r\n\r\n`);
  await client.until('event-stream');
  await post(relay.port('pinghub'), '/t', 'heard');
  t.regex(await client.until('heard'), /data: heard\n\n$/);
});

test('what comes behind a request that waits is not read before that is answered', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pinghub: { authenticator: 'PasswordAuthenticator', passwords: { p: ['*'] } } },
    limits: { authorise: '60s' },
  });
  const processes = () => [...relay.relay.system.processes.values()];
  const authenticator = processes().find(({ behaviour }) => behaviour.name === 'authenticator-server');
  if (authenticator === undefined) throw new Error('there is no authenticator');
  suspend(authenticator);
  const client = await connectRaw(t, relay.port('pinghub'));
  const waiting = 'POST /t HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer p\r\nContent-Length: 1\r\n\r\nx';
  const count = 200;
  client.send(waiting + `GET /t HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(15_000)}\r\n\r\n`.repeat(count));
  const read = (): number => {
    const handler = processes().find(({ behaviour }) => behaviour.name === 'connection-handler');
    return handler === undefined ? 0 : (getState(handler) as Connection).transport.socket.bytesRead;
  };
  await eventually(() => read() > 30_000, 'the first requests have come');
  // A loop that reads would have had the time to read all of it.
  for (let n = 0; n < 50; n++) await askAdmin(relay.port('admin'), '/health/live');
  t.true(read() <= 256 * 1024, `${read()} bytes`);
  resume(authenticator);
  client.send('GET /last HTTP/1.1\r\nHost: a\r\n\r\n');
  t.is(statuses(await client.until('/last'))?.length, count + 2);
});

test('an upgrade behind a POST has its turn when that is answered, with what has come behind it', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send(
    Buffer.concat([Buffer.from(posting('x') + posting('y') + upgradeRequest()), clientFrame('hello')]),
  );
  const answers = await client.until('hello');
  t.deepEqual(statuses(answers), [200, 200, 101]);
  t.is(relay.accounting.attempts, 1, 'the posts came before the subscription');
  client.send(clientFrame('more'));
  await client.until('more');
});

test('what is no HTTP behind a POST is refused when that is answered', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  for (const [bad, status] of [
    ['HELO\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
  ] as const)
    t.deepEqual(
      statuses(await rawExchange(t, relay.port('pinghub'), posting('x') + bad)),
      [200, status],
      bad,
    );
});

function handlers(relay: TestRelay): number {
  return [...relay.relay.system.processes.values()].filter(
    (process) => process.behaviour.name === 'connection-handler',
  ).length;
}

const feed = 'GET /observer/feed HTTP/1.1\r\nHost: localhost\r\n\r\n';

function watchers(relay: TestRelay): number {
  const sampler = findProcess(relay.relay.system, 'admin.sampler');
  if (sampler === undefined) throw new Error('there is no sampler');
  return (getState(sampler) as { readonly watchers: Map<unknown, unknown> }).watchers.size;
}

for (const [what, bytes] of [
  ['behind a request that ends the connection', refused + feed],
  ['with requests behind them', feed.repeat(20)],
  [
    'behind a trace, with requests behind them',
    `GET /observer/trace?pid=1 HTTP/1.1\r\nHost: localhost\r\n\r\n${feed}${feed}`,
  ],
] as const)
  test(`observers' feeds ${what} leave nothing at the admin port`, async (t) => {
    const relay = await startTestRelay(t, { doors: { pinghub: {} } });
    await Promise.all(Array.from({ length: 20 }, () => rawExchange(t, relay.port('admin'), bytes)));
    await askAdmin(relay.port('admin'), '/health/live');
    await eventually(() => watchers(relay) === 0, 'no observer is left');
    t.pass();
  });

test('an observer who goes at once leaves nothing at the admin port', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  for (let n = 0; n < 20; n++) {
    const client = await connectRaw(t, relay.port('admin'));
    await new Promise((resolve) => client.socket.write(feed, resolve));
    client.socket.resetAndDestroy();
  }
  for (let n = 0; n < 3; n++) await askAdmin(relay.port('admin'), '/health/live');
  await eventually(() => watchers(relay) === 0, 'no observer is left');
  t.pass();
});

test('a body that is too large for the admin port is answered', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const body = 'x'.repeat(1024 * 1024);
  const answer = await rawExchange(
    t,
    relay.port('admin'),
    `POST /observer/actions HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  t.deepEqual(statuses(answer), [413]);
});
