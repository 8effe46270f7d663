import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type LaunchOptions,
  type Page,
} from 'playwright-core';
import { PATIENCE } from './arrivals.ts';

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real Chromium, gone with the test. */
export async function openBrowser(t: ExecutionContext, options: LaunchOptions = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ARGS,
    timeout: PATIENCE,
    ...options,
  });
  t.teardown(() => browser.close());
  return browser;
}

/** An origin of its own: a server of one empty page. Cookies are those of the host, whatever the port. */
export function newOrigin(t: ExecutionContext): Promise<string> {
  return originOf(t, (_request, response) => {
    const page = '<!doctype html><link rel=icon href="data:,">';
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(page);
  });
}

/** An origin whose server answers like that. */
export async function originOf(t: ExecutionContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A page whose complaints (of the policy, of scripts) fail the test. */
export async function openPage(
  t: ExecutionContext,
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  t.teardown(() => context.close());
  await page.goto(address);
  return { page, complaints };
}
