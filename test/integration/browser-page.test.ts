import test from 'ava';
import { openBrowser, openPage } from '../support/browser.ts';
import { freePorts } from '../support/cluster.ts';
import { configFile, runRelay, temporaryFolder } from '../support/relay-process.ts';

const config = (folder: string, port: number) => `node: page-${port}
var_dir: ${folder}
doors:
  pinghub: { host: 127.0.0.1, port: ${port}, metrics_port: null }
network: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
`;

test('the page of a path talks in a browser, and finds the relay again when it is back', async (t) => {
  const folder = temporaryFolder(t);
  const [port = 0] = await freePorts(1);
  const first = runRelay(t, ['--config', configFile(t, config(folder, port))]);
  await first.log.find((line) => line.msg === 'ready', 'ready');
  const browser = await openBrowser(t);
  const at = `http://127.0.0.1:${port}/chat`;
  const { page } = await openPage(t, browser, at);
  await page.waitForSelector('#state[data-state=open]');

  const posted = await fetch(at, { method: 'POST', body: 'hello from a <b>shell</b>' });
  t.true(posted.ok);
  await page.waitForSelector('#messages li');
  t.is(await page.textContent('#messages li span'), 'hello from a <b>shell</b>');

  const second = await openPage(t, browser, at);
  await second.page.waitForSelector('#state[data-state=open]');
  await page.fill('#text', 'from the page');
  await page.keyboard.press('Enter');
  await second.page.waitForSelector('#messages li');
  t.is(await second.page.textContent('#messages li span'), 'from the page');

  first.signal('SIGKILL');
  await first.exited;
  await page.waitForSelector('#state[data-state=closed]');
  t.true(await page.isDisabled('#send'));
  const again = runRelay(t, ['--config', configFile(t, config(folder, port))]);
  await again.log.find((line) => line.msg === 'ready', 'ready');
  await page.waitForSelector('#state[data-state=open]');
  t.false(await page.isDisabled('#send'));
});
