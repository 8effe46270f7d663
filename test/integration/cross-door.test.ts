import test, { type ExecutionContext } from 'ava';
import { quietAccount } from '../support/promises.ts';
import { post } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs, refusedWs, type WsClient } from '../support/ws-client.ts';

const apikeys = { list: [{ domain: 'a.com', key: 'key-a' }] };
const pub = '/ws/pub/key-a/a.com/news';
const sub = '/ws/sub/a.com/news';
const topic = 'a.com/news';

const publish = (channel: string, content: unknown) => JSON.stringify({ type: 'publish', channel, content });

/** A client at the PuSu door, greeted, and subscribed to `channels`. */
async function pusu(t: ExecutionContext, relay: TestRelay, ...channels: string[]): Promise<WsClient> {
  const client = await connectWs(t, relay.port('pusu'));
  await client.next();
  for (const channel of channels) {
    client.send(JSON.stringify({ type: 'subscribe', channel }));
    await client.next();
  }
  return client;
}

const pinghub = (t: ExecutionContext, relay: TestRelay, path: string) =>
  connectWs(t, relay.port('pinghub'), path);
const wspubsub = (t: ExecutionContext, relay: TestRelay, path: string) =>
  connectWs(t, relay.port('wspubsub'), path);

/** All doors, in one realm. */
const shared = (t: ExecutionContext, settings = {}) =>
  startTestRelay(t, { doors: { pusu: {}, pinghub: {}, wspubsub: { realm: 'main', apikeys } }, ...settings });

test('pinghub to PuSu: a publish frame whose content is the text', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {}, pinghub: {} } });
  const one = await pusu(t, relay, 'c', 'a/"b');
  await post(relay.port('pinghub'), '/c', 'posted "é"');
  t.is(await one.next(), publish('c', 'posted "é"'));
  const sender = await pinghub(t, relay, '/a%2F%22b');
  sender.send('sent');
  t.is(await one.next(), publish('a/"b', 'sent'));
});

test('PuSu to pinghub: a string as itself, anything else as the JSON that was sent, nothing of an empty one', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {}, pinghub: {} } });
  const one = await pinghub(t, relay, '/c');
  const sender = await pusu(t, relay);
  const big = '123456789012345678901234567890';
  sender.send(
    publish('c', 'text "é"\n'),
    `{"type":"publish","channel":"c","content":${big}}`,
    '{"type":"publish","channel":"c","content":"\\u00e9\\ud83d\\ude00"}',
    '{"channel":"c","content": {"a" : [1, 2.50],"b":"x"} ,"type":"publish"}',
    '{"type":"publish","channel":"c","content":null}',
    '{"type":"publish","channel":"c","content":false}',
    publish('c', ''),
    '{"type":"publish","channel":"c"}',
    publish('c', 'marker'),
  );
  t.deepEqual(await one.take(7), [
    'text "é"\n',
    big,
    'é😀',
    '{"a" : [1, 2.50],"b":"x"}',
    'null',
    'false',
    'marker',
  ]);
  await quietAccount(relay);
  t.is(relay.accounting.delivered, 7);
});

test('what came over pinghub is seen by subscribers of both doors in one order', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {}, pinghub: {} } });
  const there = await pinghub(t, relay, '/c');
  const here = await pusu(t, relay, 'c');
  for (let i = 0; i < 200; i++) {
    there.send(`there ${i}`);
    here.send(publish('c', `here ${i}`));
  }
  const seenThere = await there.take(400);
  const seenHere = (await here.take(400)).map((frame) => JSON.parse(String(frame)).content);
  t.deepEqual(seenHere, seenThere);
});

test('the topic of / is nobody else’s', async (t) => {
  const relay = await shared(t);
  const one = await pinghub(t, relay, '/');
  await post(relay.port('pinghub'), '/', 'root');
  t.is(await one.next(), 'root');
});

test('doors of different realms cannot meet', async (t) => {
  const doors = { pusu: { realm: 'one' }, pinghub: { realm: 'two' }, wspubsub: { realm: 'three', apikeys } };
  const relay = await startTestRelay(t, { doors });
  const owner = await wspubsub(t, relay, pub);
  const subscriber = await wspubsub(t, relay, sub);
  const web = await pinghub(t, relay, `/${topic}`);
  const json = await pusu(t, relay, topic);
  owner.send('of wspubsub');
  t.is(await subscriber.next(), 'of wspubsub');
  web.send('of pinghub');
  t.is(await web.next(), 'of pinghub');
  json.send(publish(topic, 'of PuSu'));
  t.is(await json.next(), publish(topic, 'of PuSu'));
  await post(relay.port('pinghub'), `/${topic}`, 'marker');
  t.is(await web.next(), 'marker');
  t.is(subscriber.got.all.length, 1);
  t.is(json.got.all.length, 3);
});

test("by default wspubsub's realm is its own", async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {}, wspubsub: { apikeys } } });
  await wspubsub(t, relay, pub);
  const subscriber = await wspubsub(t, relay, sub);
  const web = await pinghub(t, relay, `/${topic}`);
  web.send('not for wspubsub');
  t.is(await web.next(), 'not for wspubsub');
  t.is(subscriber.got.all.length, 0);
});

test("in a shared realm an owner's messages reach all doors", async (t) => {
  const relay = await shared(t);
  const owner = await wspubsub(t, relay, pub);
  const subscriber = await wspubsub(t, relay, sub);
  const web = await pinghub(t, relay, `/${topic}`);
  const json = await pusu(t, relay, topic);
  owner.send('text', Buffer.from('binary é'));
  t.deepEqual(await subscriber.take(2), ['text', Buffer.from('binary é')]);
  t.deepEqual(await web.take(2), ['text', 'binary é']);
  t.deepEqual(await json.take(2), [publish(topic, 'text'), publish(topic, 'binary é')]);
});

test('binary that is not UTF-8 reaches only who can carry it, and is counted for the others', async (t) => {
  const relay = await shared(t);
  const owner = await wspubsub(t, relay, pub);
  const subscriber = await wspubsub(t, relay, sub);
  const web = [await pinghub(t, relay, `/${topic}`), await pinghub(t, relay, `/${topic}`)];
  const json = await pusu(t, relay, topic);
  owner.send(Buffer.from([0xff]), 'marker');
  t.deepEqual(await subscriber.take(2), [Buffer.from([0xff]), 'marker']);
  for (const one of web) t.is(await one.next(), 'marker');
  t.is(await json.next(), publish(topic, 'marker'));
  await quietAccount(relay);
  t.is(relay.accounting.dropped.undeliverable, 3);
  t.is(relay.accounting.attempts, 8);
});

test('only the owner publishes to an owned topic, in its grace too, and everybody to one that is not', async (t) => {
  const relay = await shared(t);
  const before = await pinghub(t, relay, `/${topic}`);
  before.send('not owned yet');
  t.is(await before.next(), 'not owned yet');
  const owner = await wspubsub(t, relay, pub);
  const subscriber = await wspubsub(t, relay, sub);

  const json = await pusu(t, relay);
  json.send(publish(topic, 'refused'));
  t.deepEqual(await json.take(2), [
    '{"type":"permission_denied"}',
    { code: 1008, reason: 'permission_denied' },
  ]);
  const web = await pinghub(t, relay, `/${topic}`);
  web.send('refused');
  t.deepEqual(await web.next(), { code: 1008, reason: 'owned elsewhere' });

  await owner.leave();
  const late = await pinghub(t, relay, `/${topic}`);
  late.send('refused in the grace');
  t.deepEqual(await late.next(), { code: 1008, reason: 'owned elsewhere' });
  const next = await wspubsub(t, relay, pub);
  next.send('marker');
  t.is(await subscriber.next(), 'marker');
  t.is(await before.next(), 'marker');
  t.is(relay.accounting.lost.refused, 3);
});

test('a POST to an owned topic is refused and publishes nothing', async (t) => {
  const relay = await shared(t);
  const owner = await wspubsub(t, relay, pub);
  const subscriber = await wspubsub(t, relay, sub);
  t.is((await post(relay.port('pinghub'), `/${topic}`, 'refused')).status, 403);
  owner.send('marker');
  t.is(await subscriber.next(), 'marker');
});

test("the topic's end closes wspubsub's subscribers alone", async (t) => {
  const doors = { pusu: {}, pinghub: {}, wspubsub: { realm: 'main', apikeys, grace: '50ms' } };
  const relay = await startTestRelay(t, { doors });
  const owner = await wspubsub(t, relay, pub);
  const subscriber = await wspubsub(t, relay, sub);
  const web = await pinghub(t, relay, `/${topic}`);
  const json = await pusu(t, relay, topic);
  await owner.leave();
  t.deepEqual(await subscriber.next(), { code: 1000, reason: 'topic ended' });
  // And from then on everybody may publish again.
  json.send(publish(topic, 'still here'));
  t.is(await web.next(), 'still here');
  t.is(await json.next(), publish(topic, 'still here'));
  t.is((await refusedWs(t, relay.port('wspubsub'), sub)).status, 404);
});

test('in a shared realm a subscriber of wspubsub needs the right to read like anyone', async (t) => {
  const relay = await shared(t, {
    authenticator: 'PasswordAuthenticator',
    passwords: { secret: ['a.com/*'], other: ['x'] },
  });
  await wspubsub(t, relay, pub);
  const port = relay.port('wspubsub');
  t.is((await refusedWs(t, port, sub)).status, 401);
  t.is((await refusedWs(t, port, `${sub}?access_token=wrong`)).status, 401);
  t.is((await refusedWs(t, port, `${sub}?access_token=other`)).status, 403);
  await wspubsub(t, relay, `${sub}?access_token=secret`);
});

test('allowed_channels bind every door of the realm of the PuSu door', async (t) => {
  const relay = await shared(t, { allowed_channels: ['ok', 'b.com/*'] });
  await pinghub(t, relay, '/ok');
  t.is((await refusedWs(t, relay.port('pinghub'), '/other')).status, 401);
  t.is((await post(relay.port('pinghub'), '/other', 'x')).status, 401);
  t.is((await refusedWs(t, relay.port('wspubsub'), pub)).status, 403);
});

test('an owner of wspubsub and its subscribers are in one realm of their own with several doors on', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {}, pinghub: {}, wspubsub: { apikeys } } });
  const owner = await wspubsub(t, relay, pub);
  const web = await pinghub(t, relay, `/${topic}`);
  web.send('mine');
  t.is(await web.next(), 'mine');
  owner.send('other');
  t.like(await post(relay.port('pinghub'), `/${topic}`, 'marker'), { status: 200 });
  t.is(await web.next(), 'marker');
});
