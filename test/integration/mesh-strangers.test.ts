import test, { type ExecutionContext } from 'ava';
import { freePorts, SECRET } from '../support/cluster.ts';
import { connectRaw, type RawClient, rawExchange, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** Longer than `limits.handshake` of clients may be: at the network port it is 4.5 s at most. */
const HANDSHAKE = '20s';
const MOST = 4500;

/** A network port whose time stands still: who is closed without its being wound on was not closed for being late. */
async function stillRelay(
  t: ExecutionContext,
  limits: object = { handshake: HANDSHAKE },
): Promise<TestRelay & { readonly clock: VirtualClock }> {
  const clock = new VirtualClock();
  const [port, nobody] = await freePorts(2);
  const settings = {
    relays: [`127.0.0.1:${port}`, `127.0.0.1:${nobody}`],
    network: { host: '127.0.0.1', port, secret: SECRET },
    limits,
    doors: { pusu: {} },
  };
  return { ...(await startTestRelay(t, settings, 1000, { clock })), clock };
}

const peer = { 'Sec-WebSocket-Protocol': 'fanfare.peer.1' };

/** What is no upgrade to the protocol between relays. */
const closedAtOnce: readonly (readonly [what: string, bytes: string | Buffer])[] = [
  ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['HTTP that expects', 'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n'],
  ['a CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex')],
  ['PuSu JSON', '{"type":"hello"}\n'],
  ['a WebSocket of another protocol', upgradeRequest()],
  ['a WebSocket of a client', upgradeRequest({ 'Sec-WebSocket-Protocol': 'http-only' })],
  ['a WebSocket that is not quite one', upgradeRequest({ ...peer, 'Sec-WebSocket-Version': '8' })],
  [
    'a WebSocket that names its subprotocol twice',
    upgradeRequest({ 'Sec-WebSocket-Protocol': ['fanfare.peer.1', 'fanfare.peer.1'] }),
  ],
  ['garbage', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256))],
];

for (const [what, bytes] of closedAtOnce) {
  test(`${what} at the network port is closed at once and without a word`, async (t) => {
    const relay = await stillRelay(t);
    t.is(await rawExchange(t, relay.port('network'), bytes), '');
  });
}

for (const [what, said] of [
  ['text', '\x81\x80\0\0\0\0'],
  ['a frame out of turn', '\x82\x81\0\0\0\0\x06'],
] as const) {
  test(`who upgrades and says ${what} is closed at once`, async (t) => {
    const relay = await stillRelay(t);
    const client = await upgraded(t, relay);
    client.send(Buffer.from(said, 'latin1'));
    t.is(frames(await client.end()), '');
  });
}

/** What waits for more, be it for ever. */
for (const [what, bytes] of [
  ['silence', ''],
  ['half a request', 'GET / HT'],
  ['an upgrade, and then silence', upgradeRequest(peer)],
] as const) {
  test(`${what} is closed when the time of strangers is over, and not before`, async (t) => {
    const relay = await stillRelay(t);
    const client = await connectRaw(t, relay.port('network'));
    client.send(bytes);
    if (bytes.endsWith('\r\n\r\n')) await client.until('\r\n\r\n');
    await isPast(t, relay);
    relay.clock.advance(MOST - 1);
    await isPast(t, relay);
    t.false(client.socket.closed);
    relay.clock.advance(1);
    t.is(frames(await client.end()), '');
  });
}

test('a shorter limit for clients counts for strangers too', async (t) => {
  const relay = await stillRelay(t, { handshake: '1s' });
  const client = await connectRaw(t, relay.port('network'));
  await isPast(t, relay);
  relay.clock.advance(1000);
  t.is(await client.end(), '');
});

async function upgraded(t: ExecutionContext, relay: TestRelay): Promise<RawClient> {
  const client = await connectRaw(t, relay.port('network'));
  client.send(upgradeRequest(peer));
  await client.until('\r\n\r\n');
  return client;
}

/** Who has come before this has been taken notice of, and what was to be closed was closed: who comes last is closed last. */
async function isPast(t: ExecutionContext, relay: TestRelay): Promise<void> {
  await rawExchange(t, relay.port('network'), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
}

/** What came behind the answer to an upgrade. */
function frames(text: string): string {
  return text.slice(text.includes('\r\n\r\n') ? text.indexOf('\r\n\r\n') + 4 : 0);
}
