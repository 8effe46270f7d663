import test from 'ava';
import { clientFrame, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

const apikeys = { list: [{ domain: 'd', key: 'k' }] };
const limits = { ping: '150ms', pong: '150ms' };

test('a client that answers pings stays, ping after ping', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, limits });
  const one = await connectWs(t, relay.port('pusu'));
  await one.pings.count(() => true, 3);
  one.send('{"type":"subscribe","channel":"c"}');
  t.is((await one.take(2))[1], '{"type":"subscribe_ok","channel":"c"}');
});

test('a client that answers no ping is closed: no pong', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, limits });
  const one = await connectWs(t, relay.port('pusu'), '/', { autoPong: false });
  await one.pings.next();
  t.is(await one.next(), '{"type":"hello"}');
  t.like(await one.next(), { code: 1006 });
  t.like(await relay.closed(), { door: 'pusu', code: 1006, reason: 'no pong' });
});

test('a client that sends, and no pong, is closed all the same', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, limits });
  const one = await connectWs(t, relay.port('pusu'), '/', { autoPong: false });
  const sending = setInterval(() => one.send('{"type":"unsubscribe","channel":"c"}'), 5);
  t.teardown(() => clearInterval(sending));
  t.like(await relay.closed(), { reason: 'no pong' });
});

test('owner and subscribers of wspubsub are pinged too, and an owner that answers none leaves its topic', async (t) => {
  const relay = await startTestRelay(t, { doors: { wspubsub: { apikeys, grace: '0s' } }, limits });
  await connectWs(t, relay.port('wspubsub'), '/ws/pub/k/d/t', { autoPong: false });
  const subscriber = await connectWs(t, relay.port('wspubsub'), '/ws/sub/d/t');
  t.deepEqual(await subscriber.next(), { code: 1000, reason: 'topic ended' });
  t.like(await relay.closed(), { reason: 'no pong' });
});

test('a pong that nobody asked for counts for nothing', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, limits: { ping: '150ms', pong: '20ms' } });
  const raw = await connectRaw(t, relay.port('pusu'));
  raw.send(upgradeRequest());
  await raw.until('hello');
  raw.send(clientFrame('', 0xa));
  t.like(await relay.closed(), { reason: 'no pong' });
});

test('without limits.ping nobody is pinged', async (t) => {
  const doors = { pusu: {}, pinghub: {} };
  const relay = await startTestRelay(t, { doors, limits: { ping: '0s', pong: '10ms' } });
  const clients = [
    await connectWs(t, relay.port('pusu'), '/', { autoPong: false }),
    await connectWs(t, relay.port('pinghub'), '/', { autoPong: false }),
  ];
  const other = await startTestRelay(t, { doors: { pusu: {} }, limits });
  const pinged = await connectWs(t, other.port('pusu'));
  await pinged.pings.count(() => true, 2);
  for (const one of clients) t.deepEqual(one.pings.all, []);
});
