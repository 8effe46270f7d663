import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { clientFrame, connectRaw, post, rawExchange, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { connectWs } from '../support/ws-client.ts';

// What reaches a listener byte by byte, and what Node would let pass.

const open = (t: ExecutionContext, settings = {}) =>
  startTestRelay(t, { doors: { pusu: {}, pinghub: {} }, ...settings });

const statusLine = (answer: string) => answer.slice(0, answer.indexOf('\r\n'));

type Changes = Parameters<typeof upgradeRequest>[0];

const refusals: readonly [what: string, changes: Changes, line: string | undefined, status: number][] = [
  ['with a body of known length', { 'Content-Length': '5' }, undefined, 400],
  ['with a body in chunks', { 'Transfer-Encoding': 'chunked' }, undefined, 400],
  ['in HTTP/1.0', {}, 'GET /t HTTP/1.0', 400],
  ['with two Hosts', { Host: ['a', 'b'] }, undefined, 400],
  ['without a Host', { Host: null }, undefined, 400],
  ['of another version', { 'Sec-WebSocket-Version': '8' }, undefined, 426],
  ['of two versions', { 'Sec-WebSocket-Version': ['13', '8'] }, undefined, 426],
  ['of no version', { 'Sec-WebSocket-Version': null }, undefined, 426],
  ['without a key', { 'Sec-WebSocket-Key': null }, undefined, 400],
  ['with a key that is too short', { 'Sec-WebSocket-Key': 'c2hvcnQ=' }, undefined, 400],
  ['with a key that is no base64', { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' }, undefined, 400],
  [
    'with two keys',
    { 'Sec-WebSocket-Key': ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ=='] },
    undefined,
    400,
  ],
  ['with a subprotocol that is none', { 'Sec-WebSocket-Protocol': 'a,,b' }, undefined, 400],
  ['with a subprotocol twice', { 'Sec-WebSocket-Protocol': ['a', 'a'] }, undefined, 400],
];

for (const door of ['pusu', 'pinghub']) {
  for (const [what, changes, line, status] of refusals) {
    test(`${door}: an upgrade ${what} is ${status}, and the connection ends`, async (t) => {
      const relay = await open(t);
      const answer = await rawExchange(t, relay.port(door), upgradeRequest(changes, line));
      t.is(statusLine(answer).split(' ')[1], String(status), answer);
      if (status === 426) t.regex(answer, /\r\nSec-WebSocket-Version: 13\r\n/);
    });
  }
}

test('an upgrade that says it has a body of nothing is a good one', async (t) => {
  const relay = await open(t);
  const raw = await connectRaw(t, relay.port('pusu'));
  raw.send(upgradeRequest({ 'Content-Length': '0' }));
  t.regex(await raw.until('hello'), /^HTTP\/1\.1 101 /);
});

test('without Connection: upgrade it is a plain request', async (t) => {
  const relay = await open(t);
  const answer = await rawExchange(t, relay.port('pusu'), upgradeRequest({ Connection: 'close' }));
  t.regex(answer, /^HTTP\/1\.1 426 [\s\S]*\r\nConnection: Upgrade, close\r\n/);
});

test('frames that come with the upgrade are handled after it', async (t) => {
  const relay = await open(t);
  const raw = await connectRaw(t, relay.port('pusu'));
  const frames = ['{"type":"subscribe","channel":"c"}', '{"type":"publish","channel":"c","content":1}'];
  raw.send(Buffer.concat([Buffer.from(upgradeRequest()), ...frames.map((frame) => clientFrame(frame))]));
  const answer = await raw.until('"content":1');
  t.true(answer.indexOf('hello') < answer.indexOf('subscribe_ok'));
  t.true(answer.indexOf('subscribe_ok') < answer.indexOf('"content":1'));
  const second = await connectRaw(t, relay.port('pinghub'));
  second.send(Buffer.concat([Buffer.from(upgradeRequest()), clientFrame('early')]));
  await second.until('early');
});

test('an upgrade and a frame work one byte at a time', async (t) => {
  const relay = await open(t);
  const raw = await connectRaw(t, relay.port('pusu'));
  raw.socket.setNoDelay(true);
  const bytes = Buffer.concat([
    Buffer.from(upgradeRequest()),
    clientFrame('{"type":"subscribe","channel":"c"}'),
  ]);
  for (const byte of bytes) {
    raw.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.true((await raw.until('subscribe_ok')).includes('hello'));
});

test('who says nothing is told 408 after limits.handshake, and who never ends a header too', async (t) => {
  const relay = await open(t, { limits: { handshake: '200ms' } });
  const silent = await connectRaw(t, relay.port('pusu'));
  const slow = await connectRaw(t, relay.port('pinghub'));
  slow.send('GET /t HTTP/1.1\r\nHost: x\r\n');
  const dripping = setInterval(() => slow.send('X-A: b\r\n'), 50);
  t.teardown(() => clearInterval(dripping));
  t.regex(await silent.end(), /^HTTP\/1\.1 408 /);
  t.regex(await slow.end(), /^HTTP\/1\.1 408 /);
});

test('a header of more than 16 KiB is 431, garbage is 400', async (t) => {
  const relay = await open(t);
  const long = `GET /t HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(17 * 1024)}\r\n\r\n`;
  t.regex(await rawExchange(t, relay.port('pinghub'), long), /^HTTP\/1\.1 431 /);
  t.regex(
    await rawExchange(t, relay.port('pusu'), upgradeRequest({ 'X-Long': 'x'.repeat(17_000) })),
    /^HTTP\/1\.1 431 /,
  );
  for (const bytes of ['\0\0\0\0\r\n\r\n', 'hello\r\n\r\n', '\x16\x03\x01\x02\0\x01\0'])
    t.regex(await rawExchange(t, relay.port('pusu'), bytes), /^HTTP\/1\.1 400 /);
  t.regex(
    await rawExchange(t, relay.port('pusu'), 'GET /t HTTP/1.1\r\n\r\n'),
    /^HTTP\/1\.1 400 /,
    'a plain request without a Host',
  );
});

test('CONNECT is refused', async (t) => {
  const relay = await open(t);
  t.regex(
    await rawExchange(t, relay.port('pinghub'), 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n'),
    /^HTTP\/1\.1 400 /,
  );
});

test('a frame that breaks RFC 6455 closes with 1002', async (t) => {
  const relay = await open(t);
  const frames: readonly [string, Buffer][] = [
    ['not masked', Buffer.from([0x81, 1, 0x61])],
    ['a reserved bit', Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x61])],
    ['an unknown opcode', Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
    ['a continuation of nothing', Buffer.from([0x80, 0x80, 0, 0, 0, 0])],
    ['a ping that is too long', Buffer.from([0x89, 0xfe, 0, 126, 0, 0, 0, 0])],
  ];
  for (const [what, frame] of frames) {
    const raw = await connectRaw(t, relay.port('pusu'));
    raw.send(Buffer.concat([Buffer.from(upgradeRequest()), frame]));
    t.true((await raw.end()).endsWith('\x88\x02\x03\xea'), what);
    t.like(await relay.closed(), { code: 1002, reason: 'protocol error' }, what);
  }
});

test('a client that answers no close frame is cut off after limits.close', async (t) => {
  const relay = await open(t, { limits: { close: '50ms' } });
  const raw = await connectRaw(t, relay.port('pusu'));
  raw.send(Buffer.concat([Buffer.from(upgradeRequest()), clientFrame('not JSON')]));
  const answer = await raw.end();
  t.true(answer.indexOf('unknown_message_received"}') < answer.indexOf('\x88'));
  t.like(await relay.closed(), { code: 1008 });
});

test('POSTs on one connection without waiting are published and answered in order', async (t) => {
  const relay = await open(t);
  const one = await connectWs(t, relay.port('pinghub'), '/t');
  const raw = await connectRaw(t, relay.port('pinghub'));
  const count = 30;
  const requests = Array.from({ length: count }, (_, i) => {
    const body = i % 5 === 4 ? '' : `post ${i}`;
    return `POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  });
  raw.send(`${requests.join('')}GET /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const answers = (await raw.end()).split('HTTP/1.1 ').slice(1);
  t.is(answers.length, count + 1);
  for (const answer of answers) t.regex(answer, /^200 OK/);
  t.regex(answers.at(-1) ?? '', /text\/html/);
  const expected = requests.map((_, i) => `post ${i}`).filter((_, i) => i % 5 !== 4);
  t.deepEqual(await one.take(expected.length), expected);
});

test('a stream asked for behind a POST begins when that is answered', async (t) => {
  const relay = await open(t);
  const raw = await connectRaw(t, relay.port('pinghub'));
  raw.send(
    'POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx' +
      'GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n',
  );
  const answer = await raw.until('event-stream');
  t.regex(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nOK\nHTTP\/1\.1 200 OK\r\n[\s\S]*event-stream/);
});

/** Whether no handler is left: whoever has come and gone has left nothing behind. */
function handlers(relay: TestRelay): number {
  return [...relay.relay.system.processes.values()].filter(
    (process) => process.behaviour.name === 'connection-handler',
  ).length;
}

test('a client that leaves at any moment leaves no handler and no connection behind', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pusu: {}, pinghub: { authenticator: 'PasswordAuthenticator', passwords: { p: ['*'] } } },
    limits: { connections: 40 },
  });
  const auth = 'Authorization: Bearer p\r\n';
  const requests = [
    upgradeRequest(),
    upgradeRequest({ Authorization: 'Bearer p' }),
    upgradeRequest({ 'Sec-WebSocket-Protocol': ['a', 'b'] }),
    upgradeRequest({ 'Sec-WebSocket-Protocol': '@' }),
    `GET /t HTTP/1.1\r\nHost: x\r\n${auth}Accept: text/event-stream\r\n\r\n`,
    `POST /t HTTP/1.1\r\nHost: x\r\n${auth}Content-Length: 5\r\n\r\nhell`,
    `POST /t HTTP/1.1\r\nHost: x\r\n${auth}Content-Length: 5\r\n\r\nhello`.repeat(12),
    '',
  ];
  for (let round = 0; round < 12; round++) {
    const clients = await Promise.all(
      requests.flatMap((bytes) =>
        ['pusu', 'pinghub'].map(async (door) => {
          const raw = await connectRaw(t, relay.port(door));
          if (bytes !== '') raw.send(bytes);
          return raw;
        }),
      ),
    );
    // Each round waits a little longer before the end, to meet another moment of the handshake.
    for (let turns = 0; turns < round; turns++) await new Promise((resolve) => setImmediate(resolve));
    for (const [i, { socket }] of clients.entries()) {
      if ((i + round) % 3 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    await eventually(() => handlers(relay) === 0, `no handler is left in round ${round}`);
  }
  // Who comes later has been answered: the relay has seen the last of the others leave, who had no handler, too.
  await (await connectRaw(t, relay.port('pinghub-metrics'))).end();
  // As many as may be connected at once can connect.
  const all = await Promise.all(Array.from({ length: 40 }, () => connectRaw(t, relay.port('pusu'))));
  for (const raw of all) raw.send(upgradeRequest());
  for (const raw of all) await raw.until('hello');
  t.is(handlers(relay), 40);
});

test('past limits.connections of all doors together a connection is 503, until one has left', async (t) => {
  const relay = await open(t, { limits: { connections: 2 } });
  const first = await connectWs(t, relay.port('pusu'));
  await connectWs(t, relay.port('pinghub'), '/t');
  for (const door of ['pusu', 'pinghub']) {
    const answer = await (await connectRaw(t, relay.port(door))).end();
    t.regex(answer, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n/);
    await relay.log.find(
      (line) => line.msg === 'not admitted' && line['door'] === door && line['why'] === 'full',
    );
  }
  await first.leave();
  await relay.closed();
  await connectWs(t, relay.port('pusu'));
});

test('the connections that the descriptors allow are the limit where none is set', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } }, 1);
  await connectWs(t, relay.port('pusu'));
  t.regex(await (await connectRaw(t, relay.port('pusu'))).end(), /^HTTP\/1\.1 503 /);
});

test('past limits.connections_per_address a connection is 429', async (t) => {
  const relay = await open(t, { limits: { connections_per_address: 2, exempt: [] } });
  const first = await connectWs(t, relay.port('pusu'));
  await connectWs(t, relay.port('pinghub'), '/t');
  t.regex(
    await (await connectRaw(t, relay.port('pusu'))).end(),
    /^HTTP\/1\.1 429 [\s\S]*\r\nRetry-After: 1\r\n/,
  );
  await relay.log.find((line) => line.msg === 'not admitted' && line['why'] === 'address-full');
  await first.leave();
  await relay.closed();
  await connectWs(t, relay.port('pusu'));
});

test('faster than limits.connection_rate_per_address a connection is 429; exempt addresses have no such limits', async (t) => {
  const limits = { connection_rate_per_address: 2, connections_per_address: 2 };
  // All of them come at one moment, however slow the machine is.
  const clock = new VirtualClock();
  const strict = { ...limits, connections_per_address: 0, exempt: [] };
  const relay = await startTestRelay(t, { doors: { pusu: {} }, limits: strict }, 1000, { clock });
  const answers = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const raw = await connectRaw(t, relay.port('pusu'));
      raw.send(upgradeRequest());
      return Promise.race([raw.until('hello'), raw.end()]);
    }),
  );
  const refused = answers.filter((answer) => answer.startsWith('HTTP/1.1 429')).length;
  t.is(refused, 8);
  t.is(answers.filter((answer) => answer.startsWith('HTTP/1.1 101')).length, 2);
  t.is(relay.log.all.filter((line) => line['why'] === 'address-rate').length, refused);
  clock.advance(499);
  t.regex(await (await connectRaw(t, relay.port('pusu'))).end(), /^HTTP\/1\.1 429 /);
  clock.advance(1);
  await connectWs(t, relay.port('pusu'));
  const exempt = await open(t, { limits });
  await Promise.all(Array.from({ length: 10 }, () => connectWs(t, exempt.port('pusu'))));
});

test('a POST on a connection that is not admitted publishes nothing', async (t) => {
  const relay = await open(t, { limits: { connections: 1 } });
  const one = await connectWs(t, relay.port('pinghub'), '/t');
  for (let i = 0; i < 20; i++) await post(relay.port('pinghub'), '/t', 'not this').catch(() => undefined);
  one.send('marker');
  t.is(await one.next(), 'marker');
});

test('the admin port says what it could not read, as the doors do', async (t) => {
  const relay = await open(t);
  const says = (bytes: string) => rawExchange(t, relay.port('admin'), bytes);
  t.regex(
    await says(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(65 * 1024)}\r\n\r\n`),
    /^HTTP\/1\.1 431 [\s\S]*\r\nConnection: close\r\n[\s\S]*\r\n\r\nError: the head of the request has more than 65536 bytes\.\n$/,
  );
  t.regex(
    await says('hello\r\n\r\n'),
    /^HTTP\/1\.1 400 [\s\S]*\r\n\r\nError: bad request\. This is no HTTP\.\n$/,
  );
  const both = await says('GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nhello\r\n\r\n');
  t.deepEqual(both.match(/(?<=HTTP\/1\.1 )\d+/g), ['200', '400']);
});
