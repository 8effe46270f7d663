import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { newOrigin, openBrowser, openPage } from '../support/browser.ts';
import { type FaultyProxy, faultyProxy } from '../support/faulty-proxy.ts';
import { listenIn, seenBy, sees } from '../support/listening-page.ts';
import { post } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';

/** What a browser does by itself, without code of ours, and what the page of pinghub does. */

const start = (t: ExecutionContext, messages = 100) =>
  startTestRelay(t, { doors: { pinghub: {} }, topics: [{ pattern: 'news', history: { messages } }] });

async function publish(relay: TestRelay, ...messages: readonly string[]): Promise<void> {
  for (const message of messages) await post(relay.port('pinghub'), '/news', message);
}

/** Publishes while nobody can come by way of the proxy. */
async function cutWhile(proxy: FaultyProxy, relay: TestRelay, ...messages: readonly string[]): Promise<void> {
  // Nothing listens at port 1.
  proxy.target = 1;
  proxy.cut();
  await publish(relay, ...messages);
  proxy.target = relay.port('pinghub');
}

/** A page of another origin that listens by way of a proxy. */
async function listener(t: ExecutionContext, proxy: FaultyProxy): Promise<Page> {
  const { page } = await openPage(t, await openBrowser(t), await newOrigin(t));
  await listenIn(page, `http://127.0.0.1:${proxy.port}/news`);
  await sees(page, 'open');
  return page;
}

test('an EventSource that is cut off misses nothing', async (t) => {
  const relay = await start(t);
  const proxy = await faultyProxy(t);
  proxy.target = relay.port('pinghub');
  const page = await listener(t, proxy);
  await cutWhile(proxy, relay, 'before it has seen any');
  await sees(page, 'before it has seen any');
  await cutWhile(proxy, relay, 'one', 'two', 'three');
  await sees(page, 'three');
  await publish(relay, 'new');
  await sees(page, 'new');
  t.deepEqual(await seenBy(page), [
    'open',
    'open',
    'before it has seen any',
    'open',
    'one',
    'two',
    'three',
    'new',
  ]);
});

test('an EventSource is told how much is gone, and that nobody knows where the relay is new', async (t) => {
  const [relay, next] = [await start(t, 2), await start(t)];
  const proxy = await faultyProxy(t);
  proxy.target = relay.port('pinghub');
  const page = await listener(t, proxy);
  await cutWhile(proxy, relay, 'one', 'two', 'three');
  await sees(page, 'three');
  await cutWhile(proxy, next, 'not for one of whom nothing is known');
  await sees(page, 'missed null');
  await publish(next, 'new');
  await sees(page, 'new');
  t.deepEqual(await seenBy(page), ['open', 'open', 'missed 1', 'two', 'three', 'open', 'missed null', 'new']);
});

test("pinghub's page comes back where it was, and says what it has missed", async (t) => {
  const [relay, next] = [await start(t, 2), await start(t)];
  const proxy = await faultyProxy(t);
  proxy.target = relay.port('pinghub');
  const { page, complaints } = await openPage(t, await openBrowser(t), `http://127.0.0.1:${proxy.port}/news`);
  const shown = () => page.locator('#messages li span').allTextContents();
  const shows = (text: string) => page.getByText(text, { exact: true }).waitFor();
  await page.waitForSelector('#state[data-state=open]');
  await cutWhile(proxy, relay, 'one');
  await shows('one');
  await cutWhile(proxy, relay, 'two', 'three');
  await shows('three');
  await cutWhile(proxy, relay, 'four', 'five', 'six', 'seven', 'eight');
  await shows('eight');
  await page.fill('#text', 'from the page');
  await page.keyboard.press('Enter');
  await shows('from the page');
  proxy.target = next.port('pinghub');
  proxy.cut();
  await shows('Messages may have been missed.');
  t.deepEqual(await shown(), [
    'one',
    'two',
    'three',
    '3 messages were missed.',
    'seven',
    'eight',
    'from the page',
    'Messages may have been missed.',
  ]);
  await page.goto(`http://127.0.0.1:${relay.port('pinghub')}/news?last_event_id=all`);
  await shows('from the page');
  t.deepEqual(await shown(), ['eight', 'from the page'], 'all that is kept');
  t.deepEqual(
    complaints.filter((one) => !/WebSocket connection to .* failed/.test(one)),
    [],
  );
});

test("pinghub's page of a browser that was offline shows what was published meanwhile, once", async (t) => {
  const relay = await start(t);
  const at = `http://127.0.0.1:${relay.port('pinghub')}/news`;
  const { page } = await openPage(t, await openBrowser(t), at);
  await page.waitForSelector('#state[data-state=open]');
  await page.context().setOffline(true);
  await page.waitForSelector('#state[data-state=closed]');
  await publish(relay, 'Are you there?');
  await page.context().setOffline(false);
  await page.getByText('Are you there?', { exact: true }).waitFor();
  await publish(relay, 'last');
  await page.getByText('last', { exact: true }).waitFor();
  t.deepEqual(await page.locator('#messages li span').allTextContents(), ['Are you there?', 'last']);
});

test("where nothing is kept, pinghub's page says that messages may have been missed", async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const proxy = await faultyProxy(t);
  proxy.target = relay.port('pinghub');
  const { page } = await openPage(t, await openBrowser(t), `http://127.0.0.1:${proxy.port}/news`);
  await page.waitForSelector('#state[data-state=open]');
  proxy.cut();
  await page.getByText('Messages may have been missed.', { exact: true }).waitFor();
  await publish(relay, 'new');
  await page.getByText('new', { exact: true }).waitFor();
  t.deepEqual(await page.locator('#messages li span').allTextContents(), [
    'Messages may have been missed.',
    'new',
  ]);
});
