import test, { type ExecutionContext } from 'ava';
import { quietAccount } from '../support/promises.ts';
import { connectRaw, post, type RawClient } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

type History = boolean | { readonly messages?: number; readonly bytes?: string };

const open = (t: ExecutionContext, history: History = true, settings = {}) =>
  startTestRelay(t, { doors: { pinghub: {} }, topics: [{ pattern: 't', history }], ...settings });

interface Listening {
  readonly raw: RawClient;
  /** All of the stream behind its `retry:`, once `text` has come. */
  until(text: string): Promise<string>;
}

/** Opens a stream. `last`: the position that it comes back with. */
async function listen(t: ExecutionContext, relay: TestRelay, last?: string, path = '/t'): Promise<Listening> {
  const raw = await connectRaw(t, relay.port('pinghub'));
  const header = last === undefined ? '' : `Last-Event-ID: ${last}\r\n`;
  raw.send(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n${header}\r\n`);
  await raw.until('\nretry: ');
  return {
    raw,
    until: async (text) => {
      const all = await raw.until(text);
      return all.slice(all.indexOf('\n\n', all.indexOf('\nretry: ')) + 2);
    },
  };
}

async function publish(relay: TestRelay, ...messages: readonly string[]): Promise<void> {
  for (const message of messages) await post(relay.port('pinghub'), '/t', message);
}

/** The position of the last event. */
const lastOf = (events: string): string =>
  events
    .match(/^id: (.*)$/gm)
    ?.at(-1)
    ?.slice(4) ?? '';

/** Without the epoch, which is random. */
const plain = (events: string): string => events.replace(/^id: \w+:/gm, 'id: ');

/** Listens until `message` has come, is cut off, and tells the position that it has seen last. */
async function cutBehind(t: ExecutionContext, relay: TestRelay, message: string): Promise<string> {
  const stream = await listen(t, relay);
  await publish(relay, message);
  const events = await stream.until(`data: ${message}\n\n`);
  stream.raw.socket.resetAndDestroy();
  await relay.closed();
  return lastOf(events);
}

test('a stream that was cut off gets what it has missed, in order and once, and then what is new', async (t) => {
  const relay = await open(t);
  const last = await cutBehind(t, relay, 'seen');
  await publish(relay, 'one', 'two\nlines', 'three');
  const stream = await listen(t, relay, last);
  await stream.until('data: three\n\n');
  await publish(relay, 'new');
  t.is(
    plain(await stream.until('data: new\n\n')),
    'id: 1\n\nid: 2\ndata: one\n\nid: 3\ndata: two\ndata: lines\n\nid: 4\ndata: three\n\nid: 5\ndata: new\n\n',
  );
  await quietAccount(relay);
  t.is(relay.accounting.attempts, relay.accounting.delivered);
});

test('a stream that has seen no message comes back as well', async (t) => {
  const relay = await open(t);
  const first = await listen(t, relay);
  const events = await first.until(':0\n\n');
  t.is(plain(events), 'id: 0\n\n');
  first.raw.socket.resetAndDestroy();
  await relay.closed();
  await publish(relay, 'one');
  const again = await listen(t, relay, lastOf(events));
  t.is(plain(await again.until('data: one\n\n')), 'id: 0\n\nid: 1\ndata: one\n\n');
});

test('a stream that was cut off before the first message of the past comes back for all of it', async (t) => {
  const relay = await open(t);
  const last = await cutBehind(t, relay, 'seen');
  await publish(relay, 'one', 'two');
  const stream = await listen(t, relay, last);
  const begin = (await stream.until('\n\n')).split('\n\n')[0] ?? '';
  const again = await listen(t, relay, lastOf(begin));
  t.is(plain(await again.until('data: two\n\n')), 'id: 1\n\nid: 2\ndata: one\n\nid: 3\ndata: two\n\n');
});

test('the position may stand in the query, which is older than a header', async (t) => {
  const relay = await open(t);
  const last = await cutBehind(t, relay, 'seen');
  await publish(relay, 'one', 'two');
  const byQuery = await listen(t, relay, undefined, `/t?last_event_id=${encodeURIComponent(last)}`);
  const events = await byQuery.until('data: two\n\n');
  t.is(plain(events), 'id: 1\n\nid: 2\ndata: one\n\nid: 3\ndata: two\n\n');
  const both = await listen(
    t,
    relay,
    last.replace(/:1$/, ':2'),
    `/t?last_event_id=${encodeURIComponent(last)}`,
  );
  t.is(plain(await both.until('data: two\n\n')), 'id: 2\n\nid: 3\ndata: two\n\n');
});

test('what is kept no longer is counted, before what is', async (t) => {
  const relay = await open(t, { messages: 2 });
  const last = await cutBehind(t, relay, 'seen');
  await publish(relay, 'one', 'two', 'three', 'four', 'five');
  const stream = await listen(t, relay, last);
  t.is(
    plain(await stream.until('data: five\n\n')),
    'id: 4\nevent: missed\ndata: 3\n\nid: 5\ndata: four\n\nid: 6\ndata: five\n\n',
  );
});

test('of another relay, and of what is no position, nobody knows what was missed', async (t) => {
  const [relay, other] = [await open(t), await open(t)];
  const last = await cutBehind(t, other, 'seen');
  await cutBehind(t, relay, 'before');
  for (const unknown of [last, 'what', '1', `${last}0`, '0', ':', 'x'.repeat(4000)]) {
    const stream = await listen(t, relay, unknown);
    t.is(plain(await stream.until('null\n\n')), 'id: 1\nevent: missed\ndata: null\n\n', unknown.slice(0, 20));
  }
});

test('a stream may ask for all that is kept, or for the newest', async (t) => {
  const relay = await open(t, { messages: 3 });
  await publish(relay, 'one', 'two', 'three', 'four');
  const all = await listen(t, relay, undefined, '/t?last_event_id=all');
  t.is(
    plain(await all.until('data: four\n\n')),
    'id: 1\n\nid: 2\ndata: two\n\nid: 3\ndata: three\n\nid: 4\ndata: four\n\n',
  );
  const newest = await listen(t, relay, 'last');
  t.is(plain(await newest.until('data: four\n\n')), 'id: 3\n\nid: 4\ndata: four\n\n');
});

for (const ordering of ['relay', 'cluster'])
  test(`without a history the bytes are those of ever, whatever is asked for (ordering: ${ordering})`, async (t) => {
    const relay = await startTestRelay(t, { doors: { pinghub: {} }, topics: [{ pattern: 't', ordering }] });
    for (const last of [undefined, '1abcdef:1', 'all', 'last', 'what']) {
      const stream = await listen(t, relay, last, '/t?last_event_id=all');
      await publish(relay, 'a', 'b\nc');
      t.is(await stream.until('data: c\n\n'), 'data: a\n\ndata: b\ndata: c\n\n', `${last}`);
      stream.raw.socket.resetAndDestroy();
      await relay.closed();
    }
  });

test('much is sent in portions, in order, and what is published meanwhile comes behind it', async (t) => {
  const relay = await open(t, { messages: 1000, bytes: '2MiB' });
  const last = await cutBehind(t, relay, 'seen');
  const filler = 'x'.repeat(1000);
  const publisher = await connectWs(t, relay.port('pinghub'), '/t');
  publisher.send(...Array.from({ length: 300 }, (_, index) => `${index} ${filler}`), 'last of the past');
  await publisher.take(301);
  const stream = await listen(t, relay, last);
  publisher.send('new');
  const events = await stream.until('data: new\n\n');
  const numbers = [...events.matchAll(/^id: \w+:(\d+)\ndata: (\S+)/gm)].map(
    ([, id, text]) => `${id} ${text}`,
  );
  t.deepEqual(numbers, [
    ...Array.from({ length: 300 }, (_, index) => `${index + 2} ${index}`),
    '302 last',
    '303 new',
  ]);
  t.false(events.includes('missed'));
});

test('a stream that was closed as slow comes back for all that it has not taken', async (t) => {
  const relay = await open(
    t,
    { messages: 2000, bytes: '64MiB' },
    { history: { total: '128MiB', resume: '64MiB' } },
  );
  const slow = await listen(t, relay);
  const last = lastOf(await slow.until(':0\n\n'));
  slow.raw.socket.pause();
  // More than the kernel's buffers take on both sides of a connection.
  const count = 24 * 32;
  const publisher = await connectWs(t, relay.port('pinghub'), '/t');
  publisher.send(...Array.from({ length: count }, (_, index) => `${index + 1} `.padEnd(32 * 1024, 'x')));
  t.like(await relay.closed(), { reason: 'slow' });
  await publisher.take(count);
  const response = await fetch(`http://127.0.0.1:${relay.port('pinghub')}/t`, {
    headers: { accept: 'text/event-stream', 'last-event-id': last },
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  t.teardown(() => reader.cancel());
  const numbers: string[] = [];
  for (let rest = ''; numbers.length < count; ) {
    rest += Buffer.from((await reader.read()).value ?? Buffer.from('the end')).toString();
    const events = rest.split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      const [, id, text] = /^id: \w+:(\d+)\ndata: (\d+) x+$/.exec(event) ?? [];
      if (id !== undefined) numbers.push(`${id} ${text}`);
      else t.regex(event, /^(:|id: \w+:0$)/);
    }
  }
  t.deepEqual(
    numbers,
    Array.from({ length: count }, (_, index) => `${index + 1} ${index + 1}`),
  );
});

test('a WebSocket that offers to hear events comes back the same way, and talks as ever', async (t) => {
  const relay = await open(t, { messages: 2 });
  const options = { protocols: ['pinghub.events', 'pinghub'] };
  const first = await connectWs(t, relay.port('pinghub'), '/t', options);
  t.is(first.webSocket.protocol, 'pinghub.events');
  first.send('', 'own "words"');
  const [begin, empty, own] = (await first.take(3)).map(String);
  const { id } = JSON.parse(own ?? '');
  const at = (offset: number) => id.replace(/\d+$/, String(offset));
  t.deepEqual([begin, empty, own], [`{"id":"${at(0)}"}`, '', `{"id":"${at(1)}","data":"own \\"words\\""}`]);
  await first.leave();
  await publish(relay, 'one', 'two', 'three');
  const again = await connectWs(
    t,
    relay.port('pinghub'),
    `/t?last_event_id=${encodeURIComponent(id)}`,
    options,
  );
  t.deepEqual(await again.take(3), [
    `{"id":"${at(2)}","event":"missed","data":1}`,
    `{"id":"${at(3)}","data":"two"}`,
    `{"id":"${at(4)}","data":"three"}`,
  ]);
  const plainOne = await connectWs(t, relay.port('pinghub'), `/t?last_event_id=${encodeURIComponent(id)}`);
  await publish(relay, 'four');
  t.is(await plainOne.next(), 'four', 'a WebSocket that does not is told nothing of it');
});

test('where nothing is kept, frames of events have no positions', async (t) => {
  const relay = await open(t, false);
  const one = await connectWs(t, relay.port('pinghub'), '/t?last_event_id=all', {
    protocols: ['pinghub.events'],
  });
  one.send('x');
  t.is(await one.next(), '{"data":"x"}');
});
