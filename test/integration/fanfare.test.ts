import test from 'ava';
import { eventually } from '../support/arrivals.ts';
import { fanfareClient, publish, subscribe } from '../support/fanfare-client.ts';
import { clientFrame, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

test('who offers fanfare.1, anywhere in the list, is greeted in it', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, node: 'r1' });
  for (const protocols of [['fanfare.1'], ['pusu', 'fanfare.1'], ['bearer', 'x', 'pusu', 'fanfare.1']])
    t.deepEqual((await fanfareClient(t, relay, protocols)).hello, {
      type: 'hello',
      protocol: 'fanfare.1',
      relay: 'r1',
      ping: 25,
      limits: { message: 65536, topic_length: 256, topics: 128 },
    });
  const old = await connectWs(t, relay.port('pusu'), '/', { protocols: ['pusu'] });
  t.is(await old.next(), '{"type":"hello"}');
});

test('PuSu and fanfare.1 hear each other', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const one = await fanfareClient(t, relay);
  const old = await connectWs(t, relay.port('pusu'));
  old.send('{"type":"subscribe","channel":"c"}');
  await old.take(2);
  one.say(subscribe('c'), publish('c', 'new', { id: 1 }));
  t.deepEqual(await one.take(3), [
    { type: 'subscribe_ok', channel: 'c' },
    publish('c', 'new', { id: 1 }),
    { type: 'publish_ok', id: 1 },
  ]);
  t.is(await old.next(), JSON.stringify(publish('c', 'new', { id: 1 })));
  old.send(JSON.stringify(publish('c', 'old')));
  t.deepEqual(await one.hear(), publish('c', 'old'));
});

test('errors name their channel, and the connection goes on', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pusu: {} },
    authenticator: 'PasswordAuthenticator',
    passwords: { good: ['a*'] },
    limits: { topics_per_connection: 1 },
  });
  const one = await fanfareClient(t, relay);
  one.say(
    subscribe('a'),
    publish('a', 1),
    { type: 'authorize', authorization: 'bad' },
    { type: 'authorize', authorization: 'good' },
    subscribe('a'),
    subscribe('b'),
    subscribe('ab'),
    publish('b', 1, { id: 'x' }),
    { type: 'unsubscribe', channel: 'a' },
    { type: 'ping' },
  );
  t.deepEqual(await one.take(9), [
    { type: 'subscribe_error', channel: 'a', why: 'permission_denied' },
    { type: 'publish_error', channel: 'a', why: 'permission_denied' },
    { type: 'authorization_failed', why: 'refused' },
    { type: 'authorization_ok' },
    { type: 'subscribe_ok', channel: 'a' },
    { type: 'subscribe_error', channel: 'b', why: 'permission_denied' },
    { type: 'subscribe_error', channel: 'ab', why: 'too_many' },
    { type: 'publish_error', id: 'x', channel: 'b', why: 'permission_denied' },
    { type: 'unsubscribe_ok', channel: 'a' },
  ]);
  t.deepEqual(await one.hear(), { type: 'pong' });
  one.ws.send('x');
  t.deepEqual(await one.hear(), { type: 'error', why: 'not_json' });
  t.deepEqual(await one.hear(), { code: 1008, reason: 'not_json' });
});

test('wrong credentials count against the address, though the connection stays', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pusu: {} },
    authenticator: 'PasswordAuthenticator',
    passwords: { good: ['*'] },
    limits: { failed_authorisations: 3, exempt: [] },
  });
  const one = await fanfareClient(t, relay);
  for (let i = 0; i < 4; i++) one.say({ type: 'authorize', authorization: 'bad' });
  const failed = { type: 'authorization_failed', why: 'refused' };
  t.deepEqual(await one.take(4), [
    failed,
    failed,
    failed,
    { code: 1008, reason: 'too many failed authorisations' },
  ]);
});

test('a failed credential is no right: who shows none in time is closed', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pusu: {} },
    authenticator: 'PasswordAuthenticator',
    passwords: { good: ['*'] },
    limits: { authorise: '2s' },
  });
  const one = await fanfareClient(t, relay);
  one.say({ type: 'authorize', authorization: 'bad' });
  t.deepEqual(await one.take(2), [
    { type: 'authorization_failed', why: 'refused' },
    { code: 1008, reason: 'authorize timeout' },
  ]);
});

test('the ping is a frame, which any frame of the client answers; without one it is cut off', async (t) => {
  const limits = { ping: '60ms', pong: '60ms' };
  const relay = await startTestRelay(t, { doors: { pusu: {} }, limits });
  const raw = await connectRaw(t, relay.port('pusu'));
  raw.send(upgradeRequest({ 'Sec-WebSocket-Protocol': 'fanfare.1' }));
  const ping = '\x81\x0f{"type":"ping"}';
  const pings = () => raw.received().split(ping).length - 1;
  for (const frame of ['{"type":"pong"}', '{"type":"subscribe","channel":"c"}', '{"type":"ping"}']) {
    const before = pings();
    await eventually(() => pings() > before, 'a ping');
    raw.send(clientFrame(frame));
  }
  t.false(raw.received().includes('\x89'), 'no ping of WebSockets');
  t.like(await relay.closed(), { reason: 'no pong', code: 1006 });
});

test('a relay that is drained says goodbye before it closes', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const one = await fanfareClient(t, relay);
  const old = await connectWs(t, relay.port('pusu'));
  relay.relay.stop();
  t.deepEqual(await one.take(2), [
    { type: 'goodbye', within: 1 },
    { code: 1001, reason: 'going away' },
  ]);
  t.deepEqual(await old.take(2), ['{"type":"hello"}', { code: 1001, reason: 'going away' }]);
});

test('a close of the relay’s that is answered ends the connection at once', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, limits: { close: '60s' } });
  const raw = await connectRaw(t, relay.port('pusu'));
  raw.send(upgradeRequest({}));
  await raw.until('hello');
  raw.send(clientFrame('x'));
  await raw.until('\x88');
  raw.send(clientFrame('', 8));
  await raw.end();
  t.like(await relay.closed(), { code: 1008, reason: 'unknown_message_received' });
});
