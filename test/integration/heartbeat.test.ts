import test, { type ExecutionContext } from 'ava';
import { quiescence } from '../support/otp.ts';
import { clientFrame, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

const apikeys = { list: [{ domain: 'd', key: 'k' }] };
const PING = 150;
const PONG = 100;
const limits = { ping: `${PING}ms`, pong: `${PONG}ms` };

interface StillRelay extends TestRelay {
  /** Its time goes on by so many milliseconds, and whatever falls due has been done. */
  wait(milliseconds: number): Promise<void>;
}

/** A relay whose time stands still: who is closed was late by that time, however slow the machine is. */
async function stillRelay(
  t: ExecutionContext,
  settings: Parameters<typeof startTestRelay>[1],
): Promise<StillRelay> {
  const clock = new VirtualClock();
  const relay = await startTestRelay(t, { limits, ...settings }, 1000, { clock });
  const wait = (milliseconds: number) => {
    clock.advance(milliseconds);
    return quiescence(relay.relay.system);
  };
  return { ...relay, wait };
}

let asked = 0;

/** The relay has read all that a client has said, and pongs, so far. */
async function isRead({ webSocket }: WsClient): Promise<void> {
  const mark = String(asked++);
  await new Promise<void>((resolve) => {
    webSocket.on('pong', (data) => {
      if (String(data) === mark) resolve();
    });
    webSocket.ping(mark);
  });
}

test('a client that answers pings stays, ping after ping', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {} } });
  const one = await connectWs(t, relay.port('pusu'));
  await relay.wait(PING);
  for (let pings = 1; pings <= 3; pings++) {
    await one.pings.count(() => true, pings);
    await isRead(one);
    await relay.wait(PONG);
    await relay.wait(PING - PONG);
  }
  one.send('{"type":"subscribe","channel":"c"}');
  t.is((await one.take(2))[1], '{"type":"subscribe_ok","channel":"c"}');
});

test('a client that answers no ping is closed when limits.pong is over, and not before: no pong', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {} } });
  const one = await connectWs(t, relay.port('pusu'), '/', { autoPong: false });
  t.is(await one.next(), '{"type":"hello"}');
  await relay.wait(PING - 1);
  await isRead(one);
  t.deepEqual(one.pings.all, []);
  await relay.wait(1);
  await one.pings.next();
  await relay.wait(PONG - 1);
  await isRead(one);
  await relay.wait(1);
  t.like(await one.next(), { code: 1006 });
  t.like(await relay.closed(), { door: 'pusu', code: 1006, reason: 'no pong' });
});

test('a client that sends, and no pong, is closed all the same', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {} } });
  const one = await connectWs(t, relay.port('pusu'), '/', { autoPong: false });
  await relay.wait(PING);
  await one.pings.next();
  one.send('{"type":"unsubscribe","channel":"c"}');
  await isRead(one);
  await relay.wait(PONG);
  t.like(await relay.closed(), { reason: 'no pong' });
});

test('owner and subscribers of wspubsub are pinged too, and an owner that answers none leaves its topic', async (t) => {
  const relay = await stillRelay(t, { doors: { wspubsub: { apikeys, grace: '0s' } } });
  const owner = await connectWs(t, relay.port('wspubsub'), '/ws/pub/k/d/t', { autoPong: false });
  const subscriber = await connectWs(t, relay.port('wspubsub'), '/ws/sub/d/t');
  await relay.wait(PING);
  for (const one of [owner, subscriber]) await one.pings.next();
  await isRead(subscriber);
  await relay.wait(PONG);
  t.like(await relay.closed(), { reason: 'no pong' });
  // Once the topic has heard of it, and then at the end of a grace of nothing.
  for (let i = 0; i < 2; i++) await relay.wait(0);
  t.deepEqual(await subscriber.next(), { code: 1000, reason: 'topic ended' });
});

test('a pong that nobody asked for counts for nothing', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {} } });
  const raw = await connectRaw(t, relay.port('pusu'));
  raw.send(upgradeRequest());
  await raw.until('hello');
  raw.send(clientFrame('', 0xa));
  raw.send(clientFrame('{"type":"subscribe","channel":"c"}'));
  await raw.until('subscribe_ok');
  await relay.wait(PING);
  await raw.until('\x89');
  await relay.wait(PONG);
  t.like(await relay.closed(), { reason: 'no pong' });
});

test('without limits.ping nobody is pinged', async (t) => {
  const doors = { pusu: {}, pinghub: {} };
  const relay = await stillRelay(t, { doors, limits: { ping: '0s', pong: '10ms' } });
  const clients = [
    await connectWs(t, relay.port('pusu'), '/', { autoPong: false }),
    await connectWs(t, relay.port('pinghub'), '/', { autoPong: false }),
  ];
  for (let i = 0; i < 3; i++) await relay.wait(60_000);
  for (const one of clients) {
    await isRead(one);
    t.deepEqual(one.pings.all, []);
  }
});
