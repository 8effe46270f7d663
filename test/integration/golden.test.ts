import test, { type ExecutionContext } from 'ava';
import { clientFrame, connectRaw, type RawClient, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { recorded } from './golden.ts';

/**
 * What clients of the ancestors get, byte for byte: handshakes, every frame of PuSu, every kind of delivery. `golden.ts`
 * has what a relay sent that knew neither histories nor `fanfare.1`. A difference is a client that has to be changed.
 */

const HISTORIES: readonly (readonly [string, object])[] = [
  ['without history', {}],
  ['with history', { topics: [{ pattern: '*', history: true }] }],
  ['with history and one order', { topics: [{ pattern: '*', history: true, ordering: 'cluster' }] }],
];

/** What a client offers; a token stands behind bearer. */
const OFFERS = [
  null,
  'pusu',
  'http-only',
  'http-only, pusu',
  'pusu, http-only',
  'mqtt, http-only',
  'bearer, x',
  'pusu, bearer, x',
  'bearer, x, http-only, pusu',
];

const CLOSE = 8;
const limits = { message: '1KiB', message_before_auth: 0, topic_length: 16, topics_per_connection: 2 };
const doors = {
  pusu: {},
  pinghub: {},
  wspubsub: { realm: 'main', apikeys: { list: [{ domain: 'd', key: 'key' }] } },
};

/** Code 1000. */
const closeFrame = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

const json = (frame: object) => clientFrame(JSON.stringify(frame));
const subscribe = (channel: string) => json({ type: 'subscribe', channel });
const publish = (channel: string, content: unknown) => json({ type: 'publish', channel, content });
const publishOk = '{"type":"publish","channel":"c","content":[1.50, 12345678901234567890],"at":"x:1" }';

/** Each is sent at once, on a connection of its own, and ends it. */
const conversations: Readonly<Record<string, readonly Buffer[]>> = {
  'all that is allowed, and what is not a frame': [
    json({ type: 'authorize', authorization: 'x' }),
    subscribe('c'),
    clientFrame(publishOk),
    subscribe('c'),
    clientFrame('{"type":"publish","channel":"c","content":"binary"}', 2),
    json({ type: 'unsubscribe', channel: 'c' }),
    publish('c', 'unheard'),
    json({ type: 'subscribe', channel: 'd', since: 'all', presence: true }),
    clientFrame(' { "channel" : "d", "since":"0000000:1", "type":"publish" } '),
    json({ type: 'publish', channel: 'd', content: 'é', id: 1, key: 'k' }),
    clientFrame('x'),
  ],
  'a pattern is no channel': [json({ type: 'subscribe', pattern: 'a.*' })],
  'a ping in a frame': [json({ type: 'ping' })],
  'a pong in a frame': [json({ type: 'pong' })],
  'a channel that is too long': [subscribe('c'.repeat(17))],
  'a publish to a channel that is too long': [publish('c'.repeat(17), 1)],
  'one topic too many': [subscribe('c'), subscribe('d'), subscribe('e')],
  'binary that is no text': [clientFrame('', 2), clientFrame('x')],
  'a close': [subscribe('c'), closeFrame],
  'a message that is too big': [subscribe('c'), Buffer.from([0x81, 0xfe, 0x04, 0x01, 0, 0, 0, 0])],
};

async function upgraded(
  t: ExecutionContext,
  relay: TestRelay,
  offer: string | null,
  path = '/',
  door = 'pusu',
): Promise<RawClient> {
  const client = await connectRaw(t, relay.port(door));
  const headers = offer === null ? {} : { 'Sec-WebSocket-Protocol': offer };
  client.send(upgradeRequest(headers, `GET ${path} HTTP/1.1`));
  await client.until('\r\n\r\n');
  return client;
}

/** All that comes, once the relay has closed and been answered. */
async function ended(client: RawClient): Promise<string> {
  await client.until('\x88');
  client.send(clientFrame('', CLOSE));
  return client.end();
}

function same(t: ExecutionContext, what: string, bytes: string): void {
  t.is(bytes, recorded[what] ?? '', what);
}

for (const [title, settings] of HISTORIES) {
  test.serial(`PuSu, ${title}: every frame, whatever subprotocol is offered`, async (t) => {
    const relay = await startTestRelay(t, { doors, limits, ...settings });
    for (const offer of OFFERS)
      for (const [what, frames] of Object.entries(conversations)) {
        const client = await upgraded(t, relay, offer);
        client.send(Buffer.concat(frames));
        same(t, `${offer ?? 'nothing'}: ${what}`, await ended(client));
      }
  });

  test.serial(`PuSu, ${title}: pings of either side`, async (t) => {
    const relay = await startTestRelay(t, {
      doors,
      limits: { ...limits, ping: '20ms', pong: '1s' },
      ...settings,
    });
    const client = await upgraded(t, relay, 'pusu');
    client.send(clientFrame('are you there?', 9));
    await client.until('\x8a\x0eare you there?');
    await client.until('\x89\x00');
    t.pass();
  });

  test.serial(`PuSu, ${title}: credentials that are wrong`, async (t) => {
    const authenticator = { authenticator: 'PasswordAuthenticator', passwords: { right: ['*'] } };
    const relay = await startTestRelay(t, { doors, limits, ...authenticator, ...settings });
    const client = await upgraded(t, relay, null);
    client.send(json({ type: 'authorize', authorization: 'wrong' }));
    same(t, 'a wrong password', await ended(client));
    const other = await upgraded(t, relay, null);
    other.send(Buffer.concat([json({ type: 'authorize', authorization: 'right' }), subscribe('c')]));
    other.send(clientFrame('', CLOSE));
    same(t, 'a right password', await ended(other));
    const without = await upgraded(t, relay, null);
    without.send(publish('c', 1));
    same(t, 'no password', await ended(without));
    const refused = await upgraded(t, relay, 'bearer, wrong');
    same(t, 'a wrong token among the subprotocols', (await refused.end()).replace(/^Date: .*\r\n/m, ''));
  });

  test.serial(`every door, ${title}: messages of every door`, async (t) => {
    const relay = await startTestRelay(t, { doors, limits, ...settings });
    const pusu = await upgraded(t, relay, null);
    pusu.send(Buffer.concat([subscribe('d/t'), subscribe('c')]));
    await pusu.until('"subscribe_ok","channel":"c"');
    const pinghub = await upgraded(t, relay, null, '/c', 'pinghub');
    const owner = await upgraded(t, relay, null, '/ws/pub/key/d/t', 'wspubsub');
    const subscriber = await upgraded(t, relay, null, '/ws/sub/d/t', 'wspubsub');
    owner.send(clientFrame('text é', 1));
    owner.send(clientFrame('binary é', 2));
    owner.send(Buffer.concat([Buffer.from([0x82, 0x81, 0, 0, 0, 0, 0xff]), clientFrame('last', 1)]));
    await subscriber.until('last');
    await pusu.until('"last"');
    const publisher = await upgraded(t, relay, null);
    publisher.send(Buffer.concat([clientFrame(publishOk), publish('c', ''), publish('c', 'two\nlines')]));
    pinghub.send(clientFrame('ping'));
    await pusu.until('"ping"');
    await pinghub.until('ping');
    publisher.send(publish('c', 'last of all'));
    await pusu.until('last of all');
    await pinghub.until('last of all');
    for (const [name, client] of Object.entries({ pusu, pinghub, subscriber })) {
      client.send(closeFrame);
      same(t, `messages at ${name}`, await client.end());
    }
  });
}

test.serial('a stream of events, without history', async (t) => {
  const relay = await startTestRelay(t, { doors, limits });
  const stream = await connectRaw(t, relay.port('pinghub'));
  const asks = 'Host: x\r\nAccept: text/event-stream\r\nLast-Event-ID: 10000000:7';
  stream.send(`GET /c HTTP/1.1\r\n${asks}\r\n\r\n`);
  await stream.until('retry: ');
  const publisher = await upgraded(t, relay, null);
  publisher.send(Buffer.concat([clientFrame(publishOk), publish('c', 'two\nlines')]));
  const came = await stream.until('lines\n\n');
  same(t, 'a stream', came.replace(/^Date: .*\r\n/m, '').replace(/^retry: \d+$/m, 'retry: N'));
});
