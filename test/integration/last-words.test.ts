import test, { type ExecutionContext } from 'ava';
import { texts } from '../door/parse-frames.ts';
import { quietAccount } from '../support/promises.ts';
import { clientFrame, connectRaw, type RawClient, upgradeRequest } from '../support/raw-client.ts';
import { isBalanced, startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

// A client sends messages and, in the same packet, what ends its connection.

const limits = { message: '1KiB', fragments: 64, message_before_auth: 0 };

async function upgraded(t: ExecutionContext, relay: TestRelay, door: string): Promise<RawClient> {
  const client = await connectRaw(t, relay.port(door));
  client.send(upgradeRequest());
  await client.until('\r\n\r\n');
  return client;
}

/** Whole frames that came after the answer to the upgrade, with the close as `CODE reason`. */
async function framesUntilEnd(client: RawClient): Promise<(string | number)[]> {
  const all = Buffer.from(await client.end(), 'latin1');
  return read(all.subarray(all.indexOf('\r\n\r\n') + 4));
}

function read(bytes: Buffer): (string | number)[] {
  const close = bytes.lastIndexOf(0x88);
  const payload = bytes.subarray(close + 2);
  if (payload.length !== bytes[close + 1]) throw new Error('something follows the close');
  const end = payload.length === 0 ? '' : `${payload.readUInt16BE(0)} ${payload.subarray(2)}`;
  return [...texts(bytes.subarray(0, close)), end];
}

/** A masked frame as it is, its head in full. */
function frame(head: number, payload: Buffer): Buffer {
  const length =
    payload.length < 126
      ? Buffer.from([0x80 | payload.length])
      : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([Buffer.from([head]), length, Buffer.alloc(4), payload]);
}

const closeOf = (code: number, reason = '') =>
  frame(0x88, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));

/** In the log, where the close says no more than its code. */
const named: Readonly<Record<number, string>> = {
  1002: 'protocol error',
  1007: 'invalid UTF-8',
  1009: 'message too big',
};

const faults: Readonly<Record<string, readonly [Buffer, string]>> = {
  'a reserved bit': [frame(0xc1, Buffer.from('x')), '1002 '],
  'an unknown opcode': [frame(0x83, Buffer.from('x')), '1002 '],
  'a frame without a mask': [Buffer.from([0x81, 0x01, 0x78]), '1002 '],
  'a continuation of nothing': [frame(0x80, Buffer.from('x')), '1002 '],
  'a ping of 126 bytes': [frame(0x89, Buffer.alloc(126)), '1002 '],
  'a close code that nobody may send': [closeOf(1005), '1002 '],
  'a text that is not UTF-8': [frame(0x81, Buffer.from([0xff])), '1007 '],
  'binary that is not UTF-8': [frame(0x82, Buffer.from([0xff])), '1007 invalid UTF-8'],
  'a message over the limit': [frame(0x81, Buffer.alloc(1025)), '1009 '],
  'a 65th fragment': [
    Buffer.concat([
      frame(0x01, Buffer.from('x')),
      ...Array.from({ length: 64 }, () => frame(0x00, Buffer.from('x'))),
    ]),
    '1008 too many fragments',
  ],
  'a close with a code and a reason': [closeOf(1000, 'bye'), '1000 bye'],
  'a close with a code of its own': [closeOf(4321), '4321 '],
  'a close without a code': [frame(0x88, Buffer.alloc(0)), ''],
};

for (const [what, [last, end]] of Object.entries(faults))
  test(`pinghub: what was sent before ${what} is delivered, to its sender too, and then comes the close`, async (t) => {
    const relay = await startTestRelay(t, { doors: { pinghub: {} }, limits });
    const neighbour = await connectWs(t, relay.port('pinghub'), '/t');
    const client = await upgraded(t, relay, 'pinghub');
    client.send(Buffer.concat([clientFrame('one'), clientFrame('two'), last, clientFrame('three')]));
    t.deepEqual(await framesUntilEnd(client), ['one', 'two', end]);
    t.deepEqual(await neighbour.take(2), ['one', 'two']);
    const { code, reason } = await relay.closed();
    const isClose = what.startsWith('a close with');
    t.is(code, end === '' ? 1005 : Number(end.slice(0, 4)));
    t.is(reason, isClose ? 'closed by client' : end.slice(5) || named[Number(code)]);
    neighbour.send('four');
    t.is(await neighbour.next(), 'four');
    t.true(isBalanced(relay.accounting));
  });

const pusu = {
  subscribe: '{"type":"subscribe","channel":"c"}',
  publish: '{"type":"publish","channel":"c","content":1}',
  hello: '{"type":"hello"}',
  subscribed: '{"type":"subscribe_ok","channel":"c"}',
};

for (const [what, last, end] of [
  [
    'a message of no known type',
    clientFrame('?'),
    ['{"type":"unknown_message_received"}', '1008 unknown_message_received'],
  ],
  ['a text that is not UTF-8', frame(0x81, Buffer.from([0xff])), ['1007 ']],
  ['a close', closeOf(1000), ['1000 ']],
] as const)
  test(`PuSu: a subscription and a message in one packet with ${what} are answered, in their order`, async (t) => {
    const relay = await startTestRelay(t, { doors: { pusu: {} }, limits });
    const client = await upgraded(t, relay, 'pusu');
    client.send(Buffer.concat([clientFrame(pusu.subscribe), clientFrame(pusu.publish), last]));
    t.deepEqual(await framesUntilEnd(client), [pusu.hello, pusu.subscribed, pusu.publish, ...end]);
  });

test('wspubsub: what the owner sent before its fault reaches the subscribers', async (t) => {
  const apikeys = { list: [{ domain: 'd', key: 'k' }] };
  const relay = await startTestRelay(t, { doors: { wspubsub: { apikeys, grace: '0s' } }, limits });
  const owner = await connectRaw(t, relay.port('wspubsub'));
  owner.send(upgradeRequest({}, 'GET /ws/pub/k/d/t HTTP/1.1'));
  await owner.until('\r\n\r\n');
  const subscriber = await connectWs(t, relay.port('wspubsub'), '/ws/sub/d/t');
  owner.send(Buffer.concat([clientFrame('one'), frame(0xc1, Buffer.from('x'))]));
  t.deepEqual(await subscriber.take(2), ['one', { code: 1000, reason: 'topic ended' }]);
  t.deepEqual(await framesUntilEnd(owner), ['1002 ']);
});

for (const how of ['end', 'close'] as const)
  test(`what a client sent faster than the rate, before its ${how}, reaches its neighbours after it has gone`, async (t) => {
    const relay = await startTestRelay(t, {
      doors: { pinghub: {} },
      limits: { ...limits, publish_rate: 20, close: '50ms' },
    });
    const neighbour = await connectWs(t, relay.port('pinghub'), '/t');
    const client = await upgraded(t, relay, 'pinghub');
    const sent = Array.from({ length: 25 }, (_, index) => String(index));
    const frames = [...sent.map((text) => clientFrame(text)), ...(how === 'close' ? [closeOf(1000)] : [])];
    client.send(Buffer.concat(frames));
    client.socket.end();
    t.deepEqual(await neighbour.take(25), sent);
    t.like(await relay.closed(), { code: how === 'close' ? 1000 : 1006, in: 25 });
    t.is(relay.accounting.messages, 25);
    await quietAccount(relay);
    t.true(isBalanced(relay.accounting));
  });
