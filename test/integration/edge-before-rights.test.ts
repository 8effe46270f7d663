import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test, { type ExecutionContext } from 'ava';
import { Connection } from '../../src/connection/connection.ts';
import { eventually } from '../support/arrivals.ts';
import { ask, clientFrame, connectRaw, type RawClient, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { connectWs } from '../support/ws-client.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const KiB = 1024;
const tooMuch = '\u0003\u00f1authorize first';
const authorize = '{"type":"authorize","authorization":"good"}';
const unsubscribe = '{"type":"unsubscribe","channel":"c"}';

const open = (
  t: ExecutionContext,
  limits: Readonly<Record<string, unknown>> = {},
  system: Parameters<typeof startTestRelay>[3] = {},
): Promise<TestRelay> => {
  const passwords = { authenticator: 'PasswordAuthenticator', passwords: { good: ['*'] } };
  return startTestRelay(t, { ...passwords, doors: { pusu: {}, pinghub: {} }, limits }, 1000, system);
};

async function greeted(t: ExecutionContext, relay: TestRelay): Promise<RawClient> {
  const client = await connectRaw(t, relay.port('pusu'));
  client.send(upgradeRequest());
  await client.until('hello');
  return client;
}

/** A frame of any length; the mask is zero. */
function frame(payload: string, opcode: number, fin = true): Buffer {
  const bytes = Buffer.from(payload);
  const head =
    bytes.length < 126
      ? Buffer.from([opcode, 0x80 | bytes.length])
      : Buffer.from([opcode, 0xfe, bytes.length >> 8, bytes.length & 0xff]);
  if (fin) head.writeUInt8((head[0] as number) | 0x80);
  return Buffer.concat([head, Buffer.alloc(4), bytes]);
}

test('a message of the greatest size for a client without rights is handled, one byte more ends it', async (t) => {
  const relay = await open(t);
  const sized = (size: number) => authorize.padEnd(size);
  const client = await greeted(t, relay);
  client.send(frame(sized(4 * KiB), 1));
  await client.until('authorization_ok');
  client.send(frame(sized(4 * KiB + 1), 1));
  await eventually(
    () => client.received().split('authorization_ok').length === 3,
    'with rights, it may be larger',
  );
  const other = await greeted(t, relay);
  other.send(frame(sized(4 * KiB + 1), 1));
  await other.until(tooMuch);
  t.like(await relay.closed(), { code: 1009 });
});

test('fragments count together, and the sum is judged before it has come', async (t) => {
  const relay = await open(t);
  const client = await greeted(t, relay);
  client.send(frame('x'.repeat(2 * KiB), 1, false));
  client.send(frame('x'.repeat(2 * KiB), 0, false));
  // Only the head of the frame that is too much.
  client.send(frame('x', 0, false).subarray(0, 6));
  await client.until(tooMuch);
  t.like(await relay.closed(), { code: 1009 });
  const good = await greeted(t, relay);
  for (const [index, part] of [
    authorize.slice(0, 9),
    authorize.slice(9, 20),
    authorize.slice(20),
  ].entries()) {
    good.send(frame(part, index === 0 ? 1 : 0, index === 2));
  }
  await good.until('authorization_ok');
  t.pass();
});

test('a client with rights may send what everybody may', async (t) => {
  const relay = await open(t);
  const client = await connectWs(t, relay.port('pusu'));
  const channel = JSON.stringify({ type: 'subscribe', channel: 'c' });
  const big = JSON.stringify({ type: 'publish', channel: 'c', content: 'x'.repeat(60 * KiB) });
  client.send(authorize);
  t.is((await client.take(2))[1], '{"type":"authorization_ok"}');
  client.send(channel, big);
  t.deepEqual((await client.take(2))[1], big);
});

for (const [what, one] of [
  ['messages', frame(unsubscribe, 1)],
  ['pongs', clientFrame('x'.repeat(100), 10)],
  ['pings', clientFrame('x'.repeat(100), 9)],
] as const)
  test(`a client without rights is closed after 40 KiB, whatever it sends: ${what}`, async (t) => {
    const relay = await open(t);
    const most = Math.floor((40 * KiB - upgradeRequest().length - 8) / one.length);
    const client = await greeted(t, relay);
    client.send(Buffer.concat(Array.from({ length: most }, () => one)));
    client.send(frame('?', 1));
    // What ended it was the unknown message, not the bytes before it.
    await client.until('unknown_message_received');
    const other = await greeted(t, relay);
    other.send(Buffer.concat(Array.from({ length: most + 2 }, () => one)));
    await other.until(tooMuch);
    const closed = await relay.log.count(({ msg }) => msg === 'closed', 2);
    t.deepEqual(closed.map((line) => `${line['code']} ${line['reason']}`).sort(), [
      '1008 unknown_message_received',
      '1009 authorize first',
    ]);
  });

test('what waits for the answer to a question is bounded, and a burst behind an authorize is not too much', async (t) => {
  const relay = await open(t);
  const client = await connectWs(t, relay.port('pusu'));
  const subscribe = (n: number) => JSON.stringify({ type: 'subscribe', channel: `c${n}` });
  client.send(authorize, ...Array.from({ length: 128 }, (_, n) => subscribe(n)));
  t.is((await client.take(130)).at(-1), '{"type":"subscribe_ok","channel":"c127"}');
});

test('a credential is waited for no longer than a client may be without rights', async (t) => {
  const relay = await open(t, { authorise: '50ms' });
  const client = await connectWs(t, relay.port('pusu'));
  t.deepEqual(await client.take(2), ['{"type":"hello"}', { code: 1008, reason: 'authorize timeout' }]);
});

test('headers are bounded', async (t) => {
  const relay = await open(t);
  const sized = async (size: number) => {
    const client = await connectRaw(t, relay.port('pinghub'));
    client.send(`GET /t HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: ${'x'.repeat(size)}\r\n\r\n`);
    return (await client.end()).slice(0, 12);
  };
  t.is(await sized(15 * KiB), 'HTTP/1.1 200');
  t.is(await sized(17 * KiB), 'HTTP/1.1 431');
});

test('the body of a request without rights is not waited for', async (t) => {
  const relay = await open(t);
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send(`POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(4 * KiB + 1)}`);
  await client.until('HTTP/1.1 401');
  const short = await ask(relay.port('pinghub'), '/t', { method: 'POST', body: 'x'.repeat(4 * KiB) });
  t.is(short.status, 401);
  const good = { authorization: 'Bearer good' };
  const body = 'x'.repeat(64 * KiB);
  t.is((await ask(relay.port('pinghub'), '/t', { method: 'POST', headers: good, body })).status, 200);
  const bad = { authorization: 'Bearer bad' };
  t.is((await ask(relay.port('pinghub'), '/t', { method: 'POST', headers: bad, body })).status, 401);
});

test('a connection is fit for the next request when a body was refused', async (t) => {
  const relay = await open(t);
  const client = await connectRaw(t, relay.port('pinghub'));
  const post = (credential: string, body: string) =>
    `POST /t HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${credential}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  client.send(post('bad', 'x'.repeat(30 * KiB)) + post('good', 'y'));
  const answers = await client.until('HTTP/1.1 200');
  t.deepEqual(answers.match(/^HTTP\/1\.1 \d+/gm), ['HTTP/1.1 401', 'HTTP/1.1 200']);
});

// Alone, as it measures what all that is going on has taken.
test.serial(
  'two hundred clients without rights, each at its worst, cost less than 64 KiB each',
  async (t) => {
    const relay = await open(t);
    const count = 200;
    const clients: RawClient[] = [];
    for (let n = 0; n < count; n++) clients.push(await greeted(t, relay));
    const held = (): number => {
      collectGarbage();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const before = held();
    // Fragments at the ends of large reads, each of which would hold its read as long as the message is not whole.
    const filler = Buffer.concat(Array.from({ length: 85 }, () => clientFrame('x'.repeat(100), 10)));
    for (let round = 0; round < 4; round++) {
      const fragment = frame('f', round === 0 ? 1 : 0, false);
      for (const { socket } of clients)
        socket.write(Buffer.concat([filler, fragment, clientFrame(`pong ${round}`, 9)]));
      await Promise.all(clients.map((client) => client.until(`pong ${round}`)));
    }
    const cost = (held() - before) / count;
    t.is(clients.filter(({ socket }) => socket.destroyed).length, 0);
    // The test's own ends of the connections are in here.
    t.true(cost < 64 * KiB, `${Math.round(cost / KiB)} KiB`);
    t.log(`${Math.round(cost / KiB)} KiB`);
    for (const { socket } of clients) socket.write(filler);
    await Promise.all(clients.map((client) => client.until(tooMuch)));
  },
);

test('a body that does not come is waited for no longer than a client may be without rights', async (t) => {
  const clock = new VirtualClock();
  const relay = await open(t, { authorise: '2s' }, { clock });
  const rights = () =>
    [...relay.relay.system.processes.values()]
      .map((process) => (process as { readonly state?: unknown }).state)
      .filter((state) => state instanceof Connection)
      .map(({ hasRight }) => hasRight);
  const good = await connectRaw(t, relay.port('pinghub'));
  good.send('POST /t HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nContent-Length: 2\r\n\r\nx');
  const client = await connectRaw(t, relay.port('pinghub'));
  client.send('POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx');
  await eventually(() => rights().length === 2 && rights().includes(true), 'the good credential was judged');
  clock.advance(2000);
  await client.until('HTTP/1.1 401');
  good.send('y');
  await good.until('HTTP/1.1 200');
  t.pass();
});
