import test, { type ExecutionContext } from 'ava';
import { quiescence } from '../support/otp.ts';
import { startTestRelay, testConfig } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { connectWs, type WsClient } from '../support/ws-client.ts';

// What a reload says of limits counts for connections that were open before it.

const doors = {
  pusu: { authenticator: 'PasswordAuthenticator', passwords: { word: ['*'] } },
};
const subscribe = JSON.stringify({ type: 'subscribe', channel: 't' });
const publish = (content: number) => JSON.stringify({ type: 'publish', channel: 't', content });

async function relayWith(t: ExecutionContext, limits: object, settings: object = { doors }) {
  const clock = new VirtualClock();
  const relay = await startTestRelay(t, { ...settings, limits }, 1000, { clock });
  return {
    /** A client that has been greeted. */
    async client(): Promise<WsClient> {
      const one = await connectWs(t, relay.port('pusu'));
      await one.next();
      return one;
    },
    async reload(changed: object): Promise<void> {
      const config = testConfig({ ...settings, limits: changed });
      t.like(await relay.relay.reload(() => ({ ok: true, config })), { ok: true });
      await quiescence(relay.relay.system);
    },
    wait(milliseconds: number): Promise<void> {
      clock.advance(milliseconds);
      return quiescence(relay.relay.system);
    },
  };
}

/** What the relay has to answer comes before the next thing that it says. */
async function isThere(one: WsClient): Promise<void> {
  await new Promise<void>((resolve) => {
    one.webSocket.once('pong', () => resolve());
    one.webSocket.ping();
  });
}

const late = { code: 1008, reason: 'authorize timeout' };

test('a shorter limits.authorise counts from the beginning of a connection', async (t) => {
  const { client, reload, wait } = await relayWith(t, { authorise: '60s' });
  const one = await client();
  await wait(2000);
  await reload({ authorise: '5s' });
  await wait(2998);
  await isThere(one);
  t.is(one.got.all.length, 1);
  await wait(2);
  t.deepEqual(await one.next(), late);
});

test('a connection that is over a shorter limits.authorise already ends at once', async (t) => {
  const { client, reload, wait } = await relayWith(t, { authorise: 0 });
  const one = await client();
  await wait(60_000);
  await reload({ authorise: '5s' });
  await wait(0);
  t.deepEqual(await one.next(), late);
});

test('a longer limits.authorise leaves a connection its time, and none leaves it for good', async (t) => {
  const { client, reload, wait } = await relayWith(t, { authorise: '5s' });
  const one = await client();
  await reload({ authorise: '10s' });
  await wait(5000);
  await isThere(one);
  t.is(one.got.all.length, 1);
  const two = await client();
  await wait(5000);
  t.deepEqual(await one.next(), late);
  await reload({ authorise: 0 });
  await wait(60_000);
  await isThere(two);
  t.is(two.got.all.length, 1);
});

const big = JSON.stringify({ type: 'authorize', authorization: 'x'.repeat(3000) });

test('another limits.message_before_auth counts for who is connected without a right', async (t) => {
  const { client, reload } = await relayWith(t, { message_before_auth: '1KiB' });
  const [first, second] = [await client(), await client()];
  await reload({ message_before_auth: '4KiB' });
  first.send(big);
  t.is(await first.next(), '{"type":"authorization_failed"}');
  const third = await client();
  await reload({ message_before_auth: 0 });
  second.send(big);
  t.is(await second.next(), '{"type":"authorization_failed"}');
  await reload({ message_before_auth: '2KiB' });
  third.send(big);
  t.deepEqual(await third.next(), { code: 1009, reason: 'authorize first' });
});

const open = { doors: { pusu: {} } };

test('another limits.publish_rate counts for who is connected, whether throttled or not', async (t) => {
  const { client, reload, wait } = await relayWith(t, { publish_rate: 1000 }, open);
  const one = await client();
  one.send(subscribe, publish(0));
  await one.take(2);
  await reload({ publish_rate: 2 });
  one.send(publish(1), publish(2), publish(3), publish(4));
  t.deepEqual(await one.take(2), [publish(1), publish(2)]);
  await wait(499);
  t.is(one.got.all.length, 5);
  await wait(1);
  t.is(await one.next(), publish(3));
  await reload({ publish_rate: 0 });
  t.is(await one.next(), publish(4));
});
