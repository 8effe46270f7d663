import test, { type ExecutionContext } from 'ava';
import type { Pid } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { eventually } from '../support/arrivals.ts';
import {
  type FanfareClient,
  type Frame,
  fanfareClient,
  publish,
  subscribe,
} from '../support/fanfare-client.ts';
import { quietAccount } from '../support/promises.ts';
import { isBalanced, startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

type Settings = Parameters<typeof startTestRelay>[1];

const keeping = (t: ExecutionContext, history: object | true = true, settings: Settings = {}) =>
  startTestRelay(t, { doors: { pusu: {} }, topics: [{ pattern: 'c*', history }], ...settings });

/** Publishes so many messages, numbered from 1, and returns the positions that they have got. */
async function publishAll(
  publisher: FanfareClient,
  channel: string,
  count: number,
  from = 1,
): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => from + index);
  for (const id of ids) publisher.say(publish(channel, id, { id }));
  const answers = await publisher.take(count);
  return answers.map(({ type, at }, index) => {
    if (type !== 'publish_ok' || answers[index]?.['id'] !== ids[index])
      throw new Error(JSON.stringify(answers));
    return String(at);
  });
}

const contents = (frames: readonly Frame[]) => frames.map(({ content }) => content);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Cut off without a word, as by a network that is gone. */
async function cut(relay: TestRelay, client: FanfareClient): Promise<void> {
  client.ws.webSocket.terminate();
  await relay.closed();
}

async function balanced(t: ExecutionContext, relay: TestRelay): Promise<void> {
  await quietAccount(relay);
  t.true(isBalanced(relay.accounting));
}

test('who was cut off and comes back gets exactly what was missed, then what is new', async (t) => {
  const relay = await keeping(t);
  const publisher = await fanfareClient(t, relay);
  const one = await fanfareClient(t, relay);
  one.say(subscribe('c'));
  t.like(await one.hear(), { type: 'subscribe_ok', channel: 'c' });
  await publishAll(publisher, 'c', 2);
  const [, second] = await one.take(2);
  await cut(relay, one);
  const positions = await publishAll(publisher, 'c', 5, 3);
  const back = await fanfareClient(t, relay);
  back.say(subscribe('c', String(second?.['at'])));
  t.deepEqual(await back.hear(), {
    type: 'subscribe_ok',
    channel: 'c',
    at: second?.['at'],
    until: positions.at(-1),
    recovered: true,
  });
  await publishAll(publisher, 'c', 1, 8);
  const heard = await back.take(6);
  t.deepEqual(contents(heard), range(3, 8));
  t.deepEqual(
    heard.slice(0, 5).map(({ at }) => at),
    positions,
  );
  await balanced(t, relay);
});

test('who has missed nothing is told so, before and after the first message', async (t) => {
  const relay = await keeping(t);
  const one = await fanfareClient(t, relay);
  one.say(subscribe('c'));
  const { at } = await one.hear();
  t.regex(String(at), /^[0-9a-z]+:0$/);
  await cut(relay, one);
  const back = await fanfareClient(t, relay);
  back.say(subscribe('c', String(at)), publish('c', 1));
  t.deepEqual(await back.hear(), { type: 'subscribe_ok', channel: 'c', at, recovered: true });
  t.like(await back.hear(), { content: 1, at: String(at).replace(/0$/, '1') });
});

test('what is kept no longer is counted, and the rest comes in order', async (t) => {
  const relay = await keeping(t, { messages: 3 });
  const publisher = await fanfareClient(t, relay);
  const [first = ''] = await publishAll(publisher, 'c', 1);
  const positions = await publishAll(publisher, 'c', 5, 2);
  const one = await fanfareClient(t, relay);
  one.say(subscribe('c', first));
  t.deepEqual(await one.hear(), {
    type: 'subscribe_ok',
    channel: 'c',
    at: positions[1],
    until: positions[4],
    recovered: false,
    missed: 2,
    why: 'too_old',
  });
  t.deepEqual(contents(await one.take(3)), [4, 5, 6]);
});

test('all, the newest, or what comes from now on', async (t) => {
  const relay = await keeping(t);
  const publisher = await fanfareClient(t, relay);
  const positions = await publishAll(publisher, 'c', 3);
  const asking = async (since: string | undefined, count: number) => {
    const one = await fanfareClient(t, relay);
    one.say(subscribe('c', since), publish('c', 'marker'));
    const [ok, ...messages] = await one.take(1 + count);
    await cut(relay, one);
    return { ok, contents: contents(messages) };
  };
  t.deepEqual((await asking('all', 4)).contents, [1, 2, 3, 'marker']);
  t.deepEqual((await asking('last', 2)).contents, ['marker', 'marker']);
  const now = await asking('now', 1);
  t.deepEqual(now.contents, ['marker']);
  t.deepEqual((await asking(undefined, 1)).contents, ['marker']);
  t.like(now.ok, { type: 'subscribe_ok', at: positions[0]?.replace(/:1$/, ':5') });
});

test('a position that nobody knows, or that is none, is answered by a no', async (t) => {
  const relay = await keeping(t);
  const publisher = await fanfareClient(t, relay);
  const [at = ''] = await publishAll(publisher, 'c', 1);
  const no = { type: 'subscribe_ok', channel: 'c', recovered: false, missed: null };
  for (const since of ['1zzzzzz:1', at.replace(/:1$/, ':2'), 'x', '', at.toUpperCase()]) {
    const one = await fanfareClient(t, relay);
    one.say(subscribe('c', since), { type: 'ping' });
    t.like(await one.hear(), no, since);
    t.deepEqual(await one.hear(), { type: 'pong' }, 'nothing is sent twice');
  }
  const none = await fanfareClient(t, relay);
  none.say(subscribe('not kept', at));
  t.deepEqual(await none.hear(), { ...no, channel: 'not kept', why: 'unknown_epoch' });
});

test('a relay that starts anew knows none of its old positions', async (t) => {
  const relay = await keeping(t);
  const publisher = await fanfareClient(t, relay);
  const [at = ''] = await publishAll(publisher, 'c', 1);
  relay.relay.stop();
  await relay.relay.ended;
  const next = await keeping(t);
  const one = await fanfareClient(t, next);
  one.say(subscribe('c', at));
  t.like(await one.hear(), { type: 'subscribe_ok', recovered: false, missed: null });
});

test('a message with a key is delivered once, and each of its ids is answered with the same position', async (t) => {
  const relay = await keeping(t);
  const one = await fanfareClient(t, relay);
  one.say(
    subscribe('c'),
    publish('c', 'x', { id: 1, key: 'k' }),
    publish('c', 'x', { id: 2, key: 'k' }),
    publish('c', 'y', { id: 3, key: 'other' }),
  );
  const frames = await one.take(6);
  t.deepEqual(contents(frames.filter(({ type }) => type === 'publish')), ['x', 'y']);
  const answers = frames.filter(({ type }) => type === 'publish_ok');
  t.deepEqual(
    answers.map(({ id, at }) => [id, String(at).replace(/.*:/, '')]),
    [
      [1, '1'],
      [2, '1'],
      [3, '2'],
    ],
  );
});

test('what is published where nobody listens is answered, with a position where it is kept', async (t) => {
  const relay = await keeping(t);
  const publisher = await fanfareClient(t, relay);
  publisher.say(publish('c', 1, { id: 'kept' }), publish('elsewhere', 1, { id: 'not kept' }));
  const answers = await publisher.take(2);
  t.like(
    answers.find(({ id }) => id === 'kept'),
    { type: 'publish_ok' },
  );
  t.regex(String(answers.find(({ id }) => id === 'kept')?.['at']), /:1$/);
  t.deepEqual(
    answers.find(({ id }) => id === 'not kept'),
    { type: 'publish_ok', id: 'not kept' },
  );
});

test('a past of many portions arrives whole and in order, while the present goes on behind it', async (t) => {
  const relay = await keeping(
    t,
    { messages: 100_000, bytes: '8MiB' },
    { history: { total: '64MiB', resume: '8MiB' } },
  );
  const publisher = await fanfareClient(t, relay);
  const filler = 'x'.repeat(1000);
  const count = 3000;
  for (let i = 1; i <= count; i++) publisher.say(publish('c', i, { filler }));
  publisher.say(publish('c', 0, { id: 1 }));
  await publisher.hear();
  const live = await fanfareClient(t, relay);
  live.say(subscribe('c'));
  await live.hear();
  const one = await fanfareClient(t, relay);
  one.say(subscribe('c', 'all'));
  for (let i = 1; i <= 200; i++) publisher.say(publish('c', -i));
  const [ok, ...frames] = await one.take(1 + count + 1 + 200);
  t.like(ok, { type: 'subscribe_ok' });
  t.deepEqual(contents(frames), [...range(1, count), 0, ...range(1, 200).map((i) => -i)]);
  const offsets = frames.map(({ at }) => Number(String(at).replace(/.*:/, '')));
  t.deepEqual(offsets, range(1, count + 201));
  t.deepEqual(
    contents(await live.take(200)),
    range(1, 200).map((i) => -i),
  );
  await balanced(t, relay);
});

test('one client may come back to many channels at once, each with a past of its own', async (t) => {
  const limits = { pending: '256KiB', message: '64KiB' };
  const relay = await keeping(t, { messages: 1000, bytes: '1MiB' }, { limits });
  const publisher = await fanfareClient(t, relay);
  const filler = 'x'.repeat(1000);
  const channels = range(1, 40).map((i) => `c${i}`);
  for (const channel of channels)
    for (let i = 1; i <= 50; i++) publisher.say(publish(channel, i, { filler }));
  publisher.say(publish('c1', 51, { id: 1 }));
  await publisher.hear();
  const one = await fanfareClient(t, relay);
  one.ws.webSocket.pause();
  one.say(...channels.map((channel) => subscribe(channel, 'all')));
  // The relay has more for it by now than a client may have waiting.
  await eventually(() => relay.accounting.attempts > 100, 'the first ones have answered');
  one.ws.webSocket.resume();
  const frames = await one.take(40 + 40 * 50 + 1);
  for (const channel of channels.slice(1))
    t.deepEqual(contents(frames.filter((frame) => frame['channel'] === channel).slice(1)), range(1, 50));
  await balanced(t, relay);
});

test('who was closed as slow comes back, and has lost nothing', async (t) => {
  const relay = await keeping(
    t,
    { messages: 100_000, bytes: '16MiB' },
    { limits: { pending: '64KiB', write_stall: '300ms' }, history: { total: '64MiB', resume: '16MiB' } },
  );
  const publisher = await fanfareClient(t, relay);
  const one = await fanfareClient(t, relay);
  one.say(subscribe('c'));
  await one.hear();
  one.ws.webSocket.pause();
  const filler = 'x'.repeat(4000);
  const count = 2500;
  for (let i = 1; i <= count; i++) publisher.say(publish('c', i, { filler }));
  publisher.say(publish('c', 0, { id: 1 }));
  await publisher.hear();
  t.like(await relay.closed(), { code: 1013, reason: 'slow' });
  one.ws.webSocket.resume();
  const end = (await one.ws.got.find((got) => typeof got === 'object' && 'code' in got)) as unknown as Frame;
  t.truthy(end);
  const before = one.ws.got.all
    .filter((got) => typeof got === 'string' && got.includes('"publish"'))
    .map((got) => JSON.parse(String(got)) as Frame);
  t.true(before.length < count);
  const back = await fanfareClient(t, relay);
  const last = before.at(-1)?.['at'] ?? String(before[0]?.['at']).replace(/:.*/, ':0');
  back.say(subscribe('c', String(last)));
  t.like(await back.hear(), { recovered: true });
  const after = await back.take(count + 1 - before.length);
  t.deepEqual(contents([...before, ...after]), [...range(1, count), 0]);
});

test('a topic that is lost with its supervisor costs nobody a message: clients of PuSu neither', async (t) => {
  const relay = await keeping(t, { messages: 10_000, bytes: '8MiB' });
  const publisher = await fanfareClient(t, relay);
  const one = await fanfareClient(t, relay);
  one.say(subscribe('c'));
  await one.hear();
  const old = await connectWs(t, relay.port('pusu'));
  old.send('{"type":"subscribe","channel":"c"}');
  await old.take(2);
  const rounds = 10;
  for (let round = 0; round < rounds; round++) {
    if (round % 4 === 2)
      for (let i = 0; i < 8; i++) {
        const pid = relay.relay.system.names.get(`topics.${i}.servers`);
        if (pid !== undefined) exit(pid as Pid<never>, 'kill');
      }
    for (let i = 1; i <= 20; i++) publisher.say(publish('c', round * 20 + i));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually(() => {
    const { lost } = relay.accounting;
    const gone = lost.crash + lost.refused + lost.unheard;
    return one.ws.got.all.length - 2 >= rounds * 20 - gone;
  }, 'all that was taken has come');
  await balanced(t, relay);
  const heard = one.ws.got.all.slice(2).map((got) => JSON.parse(String(got)) as Frame);
  const offsets = heard.map(({ at }) => Number(String(at).replace(/.*:/, '')));
  t.deepEqual(offsets, range(1, offsets.length), 'one after the other');
  t.true(
    heard.every(({ type }) => type === 'publish'),
    'and no gap',
  );
  const plain = old.got.all.slice(2).map((got) => (JSON.parse(String(got)) as Frame)['content']);
  t.deepEqual(plain, contents(heard));
});
