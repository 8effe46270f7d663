import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { build } from 'esbuild';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { openBrowser, originOf } from '../../../test/support/browser.ts';
import { packageRoot } from '../../../test/support/relay-process.ts';

/** A bundle as a user's bundler makes it. */
export async function bundle(
  entry: string,
  options: { readonly minify?: boolean } = {},
): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(packageRoot, entry)],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
    ...options,
  });
  return (outputFiles[0] as { readonly contents: Uint8Array }).contents;
}

const PAGE = `<!doctype html><link rel=icon href="data:,"><script type=module>
  import { connect } from '/client.js';
  globalThis.connect = connect;
</script>`;

/** A service worker that talks to the relay, and tells the pages what it hears. */
const WORKER = `
  import { connect } from '/client.js';
  addEventListener('install', () => skipWaiting());
  addEventListener('activate', (event) => event.waitUntil(clients.claim()));
  addEventListener('message', ({ data: { url, channel }, source }) => {
    const client = connect(url);
    client.subscribe(channel).on((event) => source.postMessage(event));
    client.publish(channel, 'from the worker').catch((error) => source.postMessage(error.message));
  });`;

/** An origin of its own, with a page that has the client. */
export async function clientOrigin(t: ExecutionContext): Promise<string> {
  const client = await bundle('client/src/browser.ts');
  const answers = new Map<string | undefined, readonly [type: string, body: string | Uint8Array]>([
    ['/', ['text/html', PAGE]],
    ['/other', ['text/html', '<!doctype html><title>other</title>']],
    ['/client.js', ['text/javascript', client]],
    ['/worker.js', ['text/javascript', WORKER]],
  ]);
  return originOf(t, (request, response) => {
    const answer = answers.get(request.url);
    if (answer === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'Content-Type': answer[0] }).end(answer[1]);
  });
}

/** A Chromium with the cache that keeps pages for the way back. */
export function cachingBrowser(t: ExecutionContext): Promise<Browser> {
  return openBrowser(t, { ignoreDefaultArgs: ['--disable-back-forward-cache'] });
}

/** The processes that run pages. */
export async function rendererPids(browser: Browser): Promise<number[]> {
  const session: CDPSession = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

/** What a page's subscription has told so far: contents, and gaps as `-N why`. */
export function told(page: Page): Promise<unknown[]> {
  return page.evaluate(() => (globalThis as unknown as { told: unknown[] }).told);
}

/** Connects in the page, and subscribes to a channel. */
export function listen(page: Page, url: string, channel: string, options: object = {}): Promise<void> {
  return page.evaluate(
    async ([url, channel, options]) => {
      const scope = globalThis as unknown as {
        connect: typeof import('../../src/browser.ts').connect;
        client: unknown;
        told: unknown[];
      };
      const client = scope.connect(url, options);
      scope.client = client;
      scope.told = [];
      const subscription = client.subscribe(channel);
      subscription.on((event) =>
        scope.told.push(event.type === 'message' ? event.content : `-${event.missed ?? '?'} ${event.why}`),
      );
      await subscription.ready;
    },
    [url, channel, options] as const,
  );
}

export function stateOf(page: Page): Promise<string> {
  return page.evaluate(() => (globalThis as unknown as { client: { state: string } }).client.state);
}
