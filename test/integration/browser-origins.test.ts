import test from 'ava';
import type { Page } from 'playwright-core';
import { eventually } from '../support/arrivals.ts';
import { newOrigin, openBrowser, openPage } from '../support/browser.ts';
import { connectRaw, post } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';

/** What a page sees of a POST that browsers ask about first: its status and text, or that it may not know. */
const posting = (page: Page, url: string, headers = {}): Promise<string> =>
  page.evaluate(
    async ([at, more]) => {
      try {
        const answer = await fetch(at, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache', ...more },
          body: '{"n":1}',
        });
        return `${answer.status} ${await answer.text()}`;
      } catch {
        return 'not allowed';
      }
    },
    [url, headers] as const,
  );

/** Opens a stream in the page, and notes there what comes of it. */
const listening = (page: Page, url: string): Promise<void> =>
  page.evaluate((at) => {
    const seen: string[] = [];
    const stream = new EventSource(at);
    stream.onopen = () => seen.push('open');
    stream.onmessage = ({ data }) => seen.push(`got ${data}`);
    stream.onerror = () => seen.push(stream.readyState === EventSource.CLOSED ? 'over' : 'comes back');
    Object.assign(globalThis, { seen });
  }, url);

const seenBy = (page: Page): Promise<string[]> =>
  page.evaluate(() => (globalThis as unknown as { readonly seen: string[] }).seen);

const sees = (page: Page, what: string): Promise<void> =>
  eventually(async () => (await seenBy(page)).includes(what), what);

test('a page of a listed origin listens, posts and reads refusals; a page of another one does neither', async (t) => {
  const [ours, theirs] = [await newOrigin(t), await newOrigin(t)];
  const relay = await startTestRelay(t, {
    authenticator: 'PasswordAuthenticator',
    passwords: { word: ['news'] },
    allow_read_by_default: true,
    doors: { pinghub: { origin: ours } },
  });
  const at = `http://127.0.0.1:${relay.port('pinghub')}/news`;
  const browser = await openBrowser(t);
  const [{ page: own }, { page: strange }] = [
    await openPage(t, browser, ours),
    await openPage(t, browser, theirs),
  ];
  const authorization = { Authorization: 'Bearer word' };
  await listening(own, at);
  await sees(own, 'open');
  t.is(await posting(own, at, authorization), '200 OK\n');
  await sees(own, 'got {"n":1}');
  t.is(await posting(own, at), '401 Unauthorized\n');

  await listening(strange, at);
  await sees(strange, 'over');
  t.is(await posting(strange, at, authorization), 'not allowed');
  t.is(relay.accounting.messages, 1);
  t.deepEqual(await seenBy(own), ['open', 'got {"n":1}']);
});

test('where any origin may come, every page listens and posts', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const at = `http://127.0.0.1:${relay.port('pinghub')}/news`;
  const { page } = await openPage(t, await openBrowser(t), await newOrigin(t));
  await listening(page, at);
  await sees(page, 'open');
  t.is(await posting(page, at), '200 OK\n');
  await sees(page, 'got {"n":1}');
});

test('a stream that found the relay full comes back by itself, and gets what is sent from then on', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } }, 2);
  const port = relay.port('pinghub');
  const { page } = await openPage(t, await openBrowser(t), await newOrigin(t));
  const others = [await connectRaw(t, port), await connectRaw(t, port)];
  await listening(page, `http://127.0.0.1:${port}/news`);
  await sees(page, 'comes back');
  for (const { socket } of others) socket.destroy();
  await eventually(() => [...relay.relay.topics.all()].length === 1, 'it is subscribed');
  t.is((await post(port, '/news', 'hello')).status, 200);
  await sees(page, 'got hello');
  t.false((await seenBy(page)).includes('over'));
});

test('a stream of an address that opens too many comes back when its time has come', async (t) => {
  const limits = { connection_rate_per_address: 1, exempt: [] };
  const relay = await startTestRelay(t, { doors: { pinghub: {} }, limits });
  const port = relay.port('pinghub');
  const { page } = await openPage(t, await openBrowser(t), await newOrigin(t));
  // As many as it takes: on a busy machine the rate may allow some more meanwhile.
  await eventually(async () => {
    await connectRaw(t, port);
    return relay.relay.refusals['address-rate'] > 0;
  }, 'the address is over its rate');
  const before = relay.relay.refusals['address-rate'];
  await listening(page, `http://127.0.0.1:${port}/news`);
  await eventually(() => [...relay.relay.topics.all()].length === 1, 'it is subscribed');
  const seen = await seenBy(page);
  t.false(seen.includes('over'));
  t.true(relay.relay.refusals['address-rate'] === before || seen.includes('comes back'));
});
