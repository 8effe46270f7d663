import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { Arrivals } from '../../test/support/arrivals.ts';
import { openBrowser, openPage } from '../../test/support/browser.ts';
import { faultyProxy } from '../../test/support/faulty-proxy.ts';
import { packageRoot } from '../../test/support/relay-process.ts';

/** Where the picture of the page goes that the documentation shows. */
const PICTURE = process.env['CHAT_PICTURE'];

/** What `npm run example` does once all is built, on free ports. */
async function example(t: ExecutionContext) {
  const child = spawn(process.execPath, ['client/example/start.js', '0'], {
    cwd: packageRoot,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(() => {
    child.kill('SIGTERM');
    return gone;
  });
  const lines = new Arrivals<string>('lines of the example');
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  const page = /http:\/\/\S+/.exec(await lines.find((line) => line.includes('http://')))?.[0] ?? '';
  const relay = /ws:\/\/\S+/.exec(await lines.find((line) => line.includes('ws://')))?.[0] ?? '';
  return { page, relay, lines, enter: () => child.stdin.write('\n') };
}

async function say(page: Page, name: string, ...texts: readonly string[]): Promise<void> {
  await page.fill('#name', name);
  for (const text of texts) {
    await page.fill('#text', text);
    await page.keyboard.press('Enter');
  }
}

const has = (page: Page, text: string) =>
  page.waitForSelector(`#messages :text("${text}"):not(.pending)`, { state: 'attached' });

test('the chat of the example shows what was said while a page was cut off, and what a restart has lost', async (t) => {
  const { page: at, relay, lines, enter } = await example(t);
  const proxy = await faultyProxy(t, Number(new URL(relay).port));
  const browser = await openBrowser(t);
  const size = { viewport: { width: 640, height: 640 } };
  const one = (await openPage(t, browser, at)).page;
  const two = (await openPage(t, browser, `${at}?relay=${proxy.url}`, size)).page;
  await one.waitForSelector('#state[data-state=open]');
  await two.waitForSelector('#state[data-state=open]');
  await say(one, 'Ada', 'Is anybody here?');
  await has(two, 'Is anybody here?');
  await say(two, 'Ben', 'I am, on the train.');
  await has(one, 'I am, on the train.');

  proxy.target = 1;
  proxy.cut();
  await two.waitForSelector('#state[data-state=waiting]');
  await say(one, 'Ada', 'The tunnel, I suppose.', 'Dinner at eight, then.');
  await has(one, 'Dinner at eight, then.');
  await say(two, 'Ben', 'Back again.');
  proxy.target = Number(new URL(relay).port);
  await has(two, 'While you were away');
  await has(two, 'Dinner at eight, then.');
  await has(one, 'Back again.');

  enter();
  await lines.find((line) => line.includes('is back'), 'the relay is back');
  await has(two, 'Messages may be missing here');
  await has(one, 'Messages may be missing here');
  await say(one, 'Ada', 'A new relay, the same chat.');
  await has(two, 'A new relay, the same chat.');
  const shown = await two.$$eval('#messages li', (all) => all.map(({ textContent }) => textContent));
  t.deepEqual(shown, [
    'AdaIs anybody here?',
    'BenI am, on the train.',
    'While you were away',
    'AdaThe tunnel, I suppose.',
    'AdaDinner at eight, then.',
    'BenBack again.',
    'Messages may be missing here (unknown_epoch)',
    'AdaA new relay, the same chat.',
  ]);
  await two.waitForSelector('#state[data-state=open]');
  if (PICTURE !== undefined) await two.screenshot({ path: PICTURE });
});
