import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { quiescence } from '../support/otp.ts';
import { ask, clientFrame, connectRaw, upgradeRequest } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const keys = [
  { domain: 'a.com', key: 'key-a' },
  { domain: 'b.com', key: 'key-b' },
];
const pub = '/ws/pub/key-a/a.com/news';
const sub = '/ws/sub/a.com/news';

const open = (t: ExecutionContext, door: Readonly<Record<string, unknown>> = {}, settings = {}) =>
  startTestRelay(t, { doors: { wspubsub: { apikeys: { list: keys }, ...door } }, ...settings });

const connect = (t: ExecutionContext, relay: TestRelay, path: string) =>
  connectWs(t, relay.port('wspubsub'), path);

async function statusOf(t: ExecutionContext, relay: TestRelay, path: string): Promise<number> {
  return (await refusedWs(t, relay.port('wspubsub'), path)).status;
}

test("an owner's text and binary frames reach each subscriber as frames of the same kind, in order", async (t) => {
  const relay = await open(t);
  const owner = await connect(t, relay, pub);
  const subscribers = [await connect(t, relay, sub), await connect(t, relay, sub)];
  owner.send('text', Buffer.from([0, 0xff]), '', Buffer.alloc(0), Buffer.from('also text'), 'é😀');
  for (const one of subscribers) {
    t.deepEqual(await one.take(6), [
      'text',
      Buffer.from([0, 0xff]),
      '',
      Buffer.alloc(0),
      Buffer.from('also text'),
      'é😀',
    ]);
  }
  t.is(owner.got.all.length, 0);
});

test('nobody can subscribe to a topic that nobody has started: 404', async (t) => {
  const relay = await open(t);
  t.is(await statusOf(t, relay, sub), 404);
  await connect(t, relay, pub);
  t.is(await statusOf(t, relay, '/ws/sub/a.com/other'), 404);
  await connect(t, relay, sub);
});

test('a wrong key is 403, also on a live topic, and so is the key of another domain', async (t) => {
  const relay = await open(t);
  const refused = ['/ws/pub/wrong/a.com/news', '/ws/pub/key-b/a.com/news', '/ws/pub/key-a/b.com/news'];
  for (const path of [...refused, '/ws/pub/key-a/a.com.evil/news', '/ws/pub/key-a/a/news'])
    t.is(await statusOf(t, relay, path), 403, path);
  await connect(t, relay, pub);
  for (const path of refused) t.is(await statusOf(t, relay, path), 403, path);
});

test('a second publisher of a live topic is 409 while the owner is connected', async (t) => {
  const relay = await open(t);
  const owner = await connect(t, relay, pub);
  const subscriber = await connect(t, relay, sub);
  t.is(await statusOf(t, relay, pub), 409);
  owner.send('still the owner');
  t.is(await subscriber.next(), 'still the owner');
  // Each topic has an owner of its own.
  await connect(t, relay, '/ws/pub/key-a/a.com/other');
  await connect(t, relay, '/ws/pub/key-b/b.com/news');
});

test('of two publishers at once exactly one gets the topic', async (t) => {
  const relay = await open(t);
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => connect(t, relay, pub)));
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('a path that is not made of the right parts is 400, one that is another is 404', async (t) => {
  const relay = await open(t);
  for (const path of [
    '/ws/pub',
    '/ws/pub/key-a',
    '/ws/pub/key-a/a.com',
    '/ws/pub/key-a/a.com/news/more',
    '/ws/pub/key-a/a.com/',
    '/ws/pub//a.com/news',
    '/ws/pub/key-a//news',
    '/ws/sub',
    '/ws/sub/a.com',
    '/ws/sub/a.com/news/',
    '/ws/sub/a.com/news/more',
    '/ws/sub/a.com%2Fnews/x',
    '/ws/sub/a.com/a%2Fb',
    '/ws/sub/a.com/a%00b',
    '/ws/sub/a.com/%zz',
    '/ws/sub/a.com/%ff',
    '/ws/pub/key-a/a.com%2Fnews',
  ])
    t.is(await statusOf(t, relay, path), 400, path);
  for (const path of ['/', '/ws', '/ws/', '/ws/both/a.com/news', '/sub/a.com/news', '//ws/sub/a.com/news'])
    t.is(await statusOf(t, relay, path), 404, path);
});

test('parts are decoded once, after they were taken apart', async (t) => {
  const relay = await open(t);
  const owner = await connect(t, relay, '/ws/pub/key%2Da/a%2Ecom/caf%C3%A9%252F?key=ignored');
  const subscriber = await connect(t, relay, '/ws/sub/a.com/caf%c3%a9%252F');
  owner.send('here');
  t.is(await subscriber.next(), 'here');
});

test('a topic of limits.topic_length characters is allowed, a longer one is 400', async (t) => {
  const relay = await open(t, {}, { limits: { topic_length: 10 } });
  await connect(t, relay, '/ws/pub/key-a/a.com/1234');
  t.is(await statusOf(t, relay, '/ws/pub/key-a/a.com/12345'), 400);
  t.is(await statusOf(t, relay, '/ws/sub/a.com/12345'), 400);
});

test('a plain GET is 426, another method 405, and neither says what the path was', async (t) => {
  const relay = await open(t);
  for (const path of [pub, sub]) {
    const get = await ask(relay.port('wspubsub'), path);
    t.is(get.status, 426);
    t.is(get.headers['upgrade'], 'websocket');
    t.false(get.body.includes('key-a'));
    const answer = await ask(relay.port('wspubsub'), path, { method: 'POST', body: 'x' });
    t.is(answer.status, 405);
    t.is(answer.headers['allow'], 'GET');
  }
});

test('what subscribers send is ignored', async (t) => {
  const relay = await open(t);
  const owner = await connect(t, relay, pub);
  const one = await connect(t, relay, sub);
  const other = await connect(t, relay, sub);
  one.send('not for you', Buffer.from([1]), '');
  // A pong answers a ping that came after them: they have been read.
  await new Promise((resolve) => {
    one.webSocket.on('pong', resolve);
    one.webSocket.ping();
  });
  owner.send('marker');
  t.is(await one.next(), 'marker');
  t.is(await other.next(), 'marker');
  t.is(owner.got.all.length, 0);
});

test("the owner's pings are answered and not forwarded", async (t) => {
  const relay = await open(t);
  const owner = await connect(t, relay, pub);
  const subscriber = await connect(t, relay, sub);
  const pong = new Promise((resolve) => {
    owner.webSocket.on('pong', (data) => resolve(String(data)));
  });
  owner.webSocket.ping('are you there');
  t.is(await pong, 'are you there');
  owner.send('marker');
  t.is(await subscriber.next(), 'marker');
  t.deepEqual(subscriber.pings.all, []);
});

test('a publisher with a right key takes over within the grace, and no subscriber notices', async (t) => {
  const relay = await open(t, { grace: '30s' });
  const first = await connect(t, relay, pub);
  const subscriber = await connect(t, relay, sub);
  first.send('from the first');
  t.is(await subscriber.next(), 'from the first');
  await first.leave();
  await relay.closed();
  t.is(await statusOf(t, relay, '/ws/pub/wrong/a.com/news'), 403);
  // The topic lives on without an owner.
  const late = await connect(t, relay, sub);
  const second = await connect(t, relay, pub);
  t.is(await statusOf(t, relay, pub), 409);
  second.send('from the second');
  t.is(await subscriber.next(), 'from the second');
  t.is(await late.next(), 'from the second');
});

test('after the grace subscribers are closed with 1000 and the topic is gone', async (t) => {
  const relay = await open(t, { grace: '100ms' });
  const owner = await connect(t, relay, pub);
  const subscribers = [await connect(t, relay, sub), await connect(t, relay, sub)];
  owner.send('last words');
  owner.webSocket.close();
  for (const one of subscribers)
    t.deepEqual(await one.take(2), ['last words', { code: 1000, reason: 'topic ended' }]);
  t.is(await statusOf(t, relay, sub), 404);
  t.is(relay.relay.topics.find('wspubsub', 'a.com/news'), undefined);
  // And can be started again.
  await connect(t, relay, pub);
  await connect(t, relay, sub);
});

test('the second owner is watched like the first: the grace begins anew when it leaves', async (t) => {
  const clock = new VirtualClock();
  const doors = { wspubsub: { apikeys: { list: keys }, grace: '150ms' } };
  const relay = await startTestRelay(t, { doors }, 1000, { clock });
  const first = await connect(t, relay, pub);
  const subscriber = await connect(t, relay, sub);
  await first.leave();
  await relay.closed();
  const { system } = relay.relay;
  await quiescence(system);
  clock.advance(100);
  const second = await connect(t, relay, pub);
  // The timer of the first owner's grace comes, and must find nothing to do.
  clock.advance(50);
  await quiescence(system);
  second.send('still here');
  t.is(await subscriber.next(), 'still here');
  second.webSocket.terminate();
  await relay.closed();
  await quiescence(system);
  clock.advance(149);
  await quiescence(system);
  t.is(await statusOf(t, relay, '/ws/pub/wrong/a.com/news'), 403);
  t.is(subscriber.got.all.length, 1);
  clock.advance(1);
  t.deepEqual(await subscriber.next(), { code: 1000, reason: 'topic ended' });
});

test('an owner whose connection breaks leaves the topic to its grace too', async (t) => {
  const relay = await open(t, { grace: '30s' });
  const owner = await connectRaw(t, relay.port('wspubsub'));
  owner.send(upgradeRequest({}, `GET ${pub} HTTP/1.1`));
  await owner.until('\r\n\r\n');
  const subscriber = await connect(t, relay, sub);
  owner.send(clientFrame('one'));
  t.is(await subscriber.next(), 'one');
  owner.socket.resetAndDestroy();
  t.like(await relay.closed(), { code: 1006 });
  (await connect(t, relay, pub)).send('two');
  t.is(await subscriber.next(), 'two');
});

test('with a grace of nothing the topic ends with its owner', async (t) => {
  const relay = await open(t, { grace: '0s' });
  const owner = await connect(t, relay, pub);
  const subscriber = await connect(t, relay, sub);
  owner.webSocket.close();
  t.deepEqual(await subscriber.next(), { code: 1000, reason: 'topic ended' });
});

test('too large a message closes the owner with 1009, and a text that is not UTF-8 with 1007', async (t) => {
  const relay = await open(t, {}, { limits: { message: '1KiB' } });
  const owner = await connect(t, relay, pub);
  const subscriber = await connect(t, relay, sub);
  const longest = Buffer.alloc(1024, 1);
  owner.send(longest);
  t.deepEqual(await subscriber.next(), longest);
  owner.send(Buffer.alloc(1025));
  t.like(await owner.next(), { code: 1009 });
  await relay.closed();
  const next = await connect(t, relay, pub);
  next.sendAsText(Buffer.from([0xff]));
  t.like(await next.next(), { code: 1007 });
});

test('an owner stays when its last subscriber leaves, and what it sends meanwhile is unheard', async (t) => {
  const relay = await open(t);
  const owner = await connect(t, relay, pub);
  await (await connect(t, relay, sub)).leave();
  await relay.closed();
  owner.send('unheard');
  await eventually(() => relay.accounting.lost.unheard === 1, 'the message is counted as unheard');
  const subscriber = await connect(t, relay, sub);
  owner.send('heard');
  t.is(await subscriber.next(), 'heard');
});

test('allowed_channels do not bind a realm that is not of the PuSu door', async (t) => {
  const doors = { wspubsub: { apikeys: { list: keys } }, pusu: {} };
  const relay = await startTestRelay(t, { doors, allowed_channels: ['only.this'] });
  const owner = await connect(t, relay, pub);
  const subscriber = await connect(t, relay, sub);
  owner.send('heard');
  t.is(await subscriber.next(), 'heard');
});

test('the key is in nothing that is logged', async (t) => {
  const relay = await open(t, { grace: '0s' });
  const owner = await connect(t, relay, pub);
  t.is(await statusOf(t, relay, pub), 409);
  t.is(await statusOf(t, relay, '/ws/pub/key-b/a.com/news'), 403);
  t.is(await statusOf(t, relay, '/ws/pub/key-a/a.com'), 400);
  await owner.leave();
  await relay.closed();
  t.true(relay.log.all.some((line) => line.msg === 'refused' && line['status'] === 409));
  t.notRegex(JSON.stringify(relay.log.all), /key-/);
});
