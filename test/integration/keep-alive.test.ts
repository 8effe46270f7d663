import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startTestRelay, testConfig } from '../support/relay.ts';

// How long a connection is kept for its next request, and how long the head of a request may be.

const post = 'POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx';
const trusted = { trusted_proxies: ['127.0.0.1'] };

interface Served {
  readonly client: RawClient;
  readonly announced: string | undefined;
  /** The relay's end. */
  readonly socket: Socket;
}

/** What one answer says of the connection, and how long that is kept. */
async function served(
  t: ExecutionContext,
  door: Readonly<Record<string, unknown>>,
  limits: object,
  request = post,
): Promise<Served> {
  const relay = await startTestRelay(t, { doors: { pinghub: door }, limits });
  const client = await connectRaw(t, relay.port('pinghub'));
  let socket: Socket | undefined;
  const hear = (message: unknown) => {
    const begun = message as { readonly socket: Socket };
    if (begun.socket.remotePort === client.socket.localPort) socket = begun.socket;
  };
  subscribe('http.server.request.start', hear);
  client.send(request);
  const answer = await client.until('\r\n\r\n');
  unsubscribe('http.server.request.start', hear);
  if (socket === undefined) throw new Error('no request has been seen');
  return { client, announced: /\r\nKeep-Alive: timeout=(\d+)\r\n/.exec(answer)?.[1], socket };
}

for (const [what, door, limits, announced, kept] of [
  ['of anybody for 5 s', {}, {}, '5', 6000],
  ['of a trusted proxy for 75 s', trusted, {}, '75', 76_000],
  ['of any by the setting', {}, { keep_alive: '10s' }, '10', 11_000],
  ['of a trusted proxy by the setting, too', trusted, { keep_alive: '10s' }, '10', 11_000],
] as const)
  test(`an idle connection is kept: ${what}`, async (t) => {
    const one = await served(t, door, limits);
    t.is(one.announced, announced);
    await eventually(() => one.socket.timeout === kept, `kept for ${kept} ms`);
    one.client.send(post);
    await eventually(() => one.client.received().split('OK\n').length === 3, 'a second answer');
    await eventually(() => one.socket.timeout === kept, 'kept once more');
  });

test('without a limit a connection is kept for as long as its client wants', async (t) => {
  const { announced, socket } = await served(t, {}, { keep_alive: 0 });
  t.is(announced, undefined);
  t.falsy(socket.timeout);
});

test('a stream that follows on the connection of a proxy is not timed, and announces nothing', async (t) => {
  const stream = 'GET /t HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n';
  const { client, announced, socket } = await served(t, trusted, {}, post + stream);
  t.is(announced, '75');
  const all = await client.until('event-stream');
  t.is(all.match(/Keep-Alive/g)?.length, 1);
  t.falsy(socket.timeout);
});

test('a connection that is idle for longer is ended', async (t) => {
  const { client } = await served(t, {}, { keep_alive: '1ms' });
  t.regex(await client.end(), /^HTTP\/1\.1 200 /);
});

const head = (size: number) =>
  `GET /t HTTP/1.1\r\nHost: a\r\nCookie: ${'x'.repeat(size)}\r\nConnection: close\r\n\r\n`;

test('the head of a request may be as long as limits.head, and a longer one is told so; also after a reload', async (t) => {
  const settings = (size: string) => ({ doors: { pinghub: {}, pusu: {} }, limits: { head: size } });
  const relay = await startTestRelay(t, settings('32KiB'));
  const says = async (door: string, size: number) => {
    const client = await connectRaw(t, relay.port(door));
    client.send(head(size));
    return client.end();
  };
  const KiB = 1024;
  t.regex(await says('pinghub', 31 * KiB), /^HTTP\/1\.1 200 /);
  t.regex(
    await says('pinghub', 33 * KiB),
    /^HTTP\/1\.1 431 [\s\S]*\r\n\r\nError: the head of the request has more than 32768 bytes \(limits\.head\)\.\n$/,
  );
  t.regex(await says('pusu', 31 * KiB), /^HTTP\/1\.1 426 /);
  t.regex(await says('pusu', 33 * KiB), /^HTTP\/1\.1 431 /);
  const config = testConfig(settings('64KiB'));
  t.like(await relay.relay.reload(() => ({ ok: true, config })), { ok: true });
  t.regex(await says('pinghub', 63 * KiB), /^HTTP\/1\.1 200 /);
  t.regex(await says('pinghub', 65 * KiB), /^HTTP\/1\.1 431 [\s\S]* 65536 bytes/);
});
