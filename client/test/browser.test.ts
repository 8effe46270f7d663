import test, { type ExecutionContext } from 'ava';
import type { Browser, Page } from 'playwright-core';
import { eventually } from '../../test/support/arrivals.ts';
import { openBrowser, openPage } from '../../test/support/browser.ts';
import { type FaultyProxy, faultyProxy } from '../../test/support/faulty-proxy.ts';
import { freeze } from '../../test/support/freeze.ts';
import { startTestRelay } from '../../test/support/relay.ts';
import { connect } from '../src/node.ts';
import { cachingBrowser, clientOrigin, listen, rendererPids, stateOf, told } from './support/page.ts';

/** Seconds that the renderer sleeps: more than any timer of the client's, and no more than a test should take. */
const SLEEP = Number(process.env['RENDERER_SLEEP'] ?? 5);

interface Scene {
  readonly browser: Browser;
  readonly page: Page;
  readonly origin: string;
  readonly proxy: FaultyProxy;
  /** From beside the network with faults. */
  publish(...contents: readonly unknown[]): Promise<void>;
}

/** A page of the client's origin, and a relay that keeps what is published to `kept`, behind a proxy. */
async function scene(t: ExecutionContext, open = openBrowser): Promise<Scene> {
  const relay = await startTestRelay(t, {
    doors: { pusu: {} },
    topics: [{ pattern: 'kept', history: true }],
  });
  const proxy = await faultyProxy(t, relay.port('pusu'));
  const publisher = connect(`ws://127.0.0.1:${relay.port('pusu')}`);
  t.teardown(() => publisher.close());
  const origin = await clientOrigin(t);
  const browser = await open(t);
  const { page } = await openPage(t, browser, origin);
  return {
    browser,
    page,
    origin,
    proxy,
    async publish(...contents) {
      await Promise.all(contents.map((content) => publisher.publish('kept', content)));
    },
  };
}

async function hears(t: ExecutionContext, page: Page, expected: readonly unknown[]): Promise<void> {
  await eventually(async () => (await told(page)).length >= expected.length, `${expected.length} events`);
  t.deepEqual(await told(page), expected);
}

test('in Chromium it is cut off, meets silence, and misses nothing', async (t) => {
  const { page, proxy, publish } = await scene(t);
  await listen(page, proxy.url, 'kept', { silence: 500, retry: { base: 50 } });
  await publish(1, 2);
  await hears(t, page, [1, 2]);
  proxy.cut();
  await publish(3);
  await hears(t, page, [1, 2, 3]);
  proxy.isBlack = true;
  await publish(4);
  await eventually(async () => (await stateOf(page)) !== 'open', 'the silence is noticed');
  proxy.isBlack = false;
  await publish(5);
  await hears(t, page, [1, 2, 3, 4, 5]);
});

test('after its machine has slept, a page is subscribed again within seconds, and has what it has missed', async (t) => {
  const { browser, page, proxy, publish } = await scene(t);
  await listen(page, proxy.url, 'kept');
  await publish(1);
  await hears(t, page, [1]);
  const pids = await rendererPids(browser);
  t.true(pids.length > 0);
  for (const pid of pids) await freeze(pid);
  proxy.isBlack = true;
  await publish(2, 3);
  await new Promise((resolve) => setTimeout(resolve, SLEEP * 1000));
  proxy.isBlack = false;
  const since = performance.now();
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  await hears(t, page, [1, 2, 3]);
  const took = performance.now() - since;
  t.log(`${Math.round(took)} ms after ${SLEEP} s`);
  // Two seconds for the probe, half a second at the most for the first attempt; the rest is for a busy machine.
  t.true(took < 10_000, `${took} ms`);
});

test('a page that its document calls back to life asks at once whether its relay is there', async (t) => {
  const { page, proxy, publish } = await scene(t);
  await listen(page, proxy.url, 'kept');
  await publish(1);
  await hears(t, page, [1]);
  proxy.isBlack = true;
  await publish(2);
  proxy.isBlack = false;
  const since = performance.now();
  // As Chromium tells it to a page that it has frozen: at the document, and no further. Without a window it freezes none.
  await page.evaluate(() => {
    const { document, Event } = globalThis as unknown as {
      document: { dispatchEvent(event: unknown): void };
      Event: new (type: string) => unknown;
    };
    document.dispatchEvent(new Event('resume'));
  });
  await hears(t, page, [1, 2]);
  const took = performance.now() - since;
  t.true(took < 20_000, `${took} ms: it was not its silence that was noticed`);
});

test('a page that the browser has kept for the way back comes back with what it has missed', async (t) => {
  const { page, origin, proxy, publish } = await scene(t, cachingBrowser);
  await listen(page, proxy.url, 'kept');
  await publish(1);
  await hears(t, page, [1]);
  await page.evaluate(() => {
    const scope = globalThis as unknown as {
      kept?: boolean;
      addEventListener(type: string, listener: (event: { persisted: boolean }) => void): void;
    };
    scope.addEventListener('pageshow', ({ persisted }) => {
      scope.kept = persisted;
    });
  });
  await page.goto(`${origin}/other`);
  await publish(2);
  const session = await page.context().newCDPSession(page);
  const { currentIndex, entries } = await session.send('Page.getNavigationHistory');
  await session.send('Page.navigateToHistoryEntry', { entryId: entries[currentIndex - 1]?.id ?? 0 });
  await eventually(
    () => page.evaluate(() => (globalThis as { kept?: boolean }).kept === true).catch(() => false),
    'kept',
  );
  await hears(t, page, [1, 2]);
});

test('in a service worker it works as well', async (t) => {
  const { page, proxy } = await scene(t);
  const heard = await page.evaluate(async (url) => {
    const { serviceWorker } = (
      globalThis as unknown as {
        navigator: {
          serviceWorker: {
            ready: Promise<{ active: { postMessage(message: unknown): void } }>;
            register(url: string, options: object): Promise<unknown>;
            onmessage: (event: { data: unknown }) => void;
          };
        };
      }
    ).navigator;
    await serviceWorker.register('/worker.js', { type: 'module' });
    const { active } = await serviceWorker.ready;
    return new Promise((resolve) => {
      serviceWorker.onmessage = ({ data }) => resolve(data);
      active.postMessage({ url, channel: 'a' });
    });
  }, proxy.url);
  t.deepEqual(heard, { type: 'message', content: 'from the worker', replayed: false });
});

test('a loop that is slow in a browser is told how much it was spared', async (t) => {
  const { page, proxy, publish } = await scene(t);
  const count = 300;
  const reading = page.evaluate(
    async ([url, count]) => {
      const scope = globalThis as unknown as { connect: typeof connect; ready: boolean };
      const subscription = scope.connect(url).subscribe('kept', { buffer: 50 });
      await subscription.ready;
      scope.ready = true;
      const counts = { messages: 0, missed: 0, gaps: 0 };
      for await (const event of subscription) {
        if (event.type === 'message') counts.messages++;
        else counts.missed += event.missed ?? Number.NaN;
        if (event.type === 'gap') counts.gaps++;
        if (counts.messages + counts.missed >= count) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return counts;
    },
    [proxy.url, count] as const,
  );
  await eventually(
    () => page.evaluate(() => (globalThis as unknown as { ready?: boolean }).ready === true),
    'ready',
  );
  await publish(...Array.from({ length: count }, (_, i) => i));
  const { messages, missed, gaps } = await reading;
  t.is(messages + missed, count);
  t.true(gaps > 0);
});
