import test from 'ava';
import { openBrowser, openPage } from '../support/browser.ts';
import { freePorts, SECRET } from '../support/cluster.ts';
import { startTestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

test('the slowest client is the first of the list, and its detail says why it is slow and what comes of it', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pinghub: {} },
    limits: { pending: '64MiB', write_stall: '10m' },
  });
  const port = relay.port('pinghub');
  await connectWs(t, port, '/room/other');
  const slow = await connectWs(t, port, '/room/slow');
  slow.webSocket.pause();
  const publisher = await connectWs(t, port, '/room/slow');
  const message = 'x'.repeat(60_000);
  for (let count = 0; count < 400; count++) publisher.send(message);
  const at = `http://127.0.0.1:${relay.port('admin')}/observer#tab=connections`;
  const { page, complaints } = await openPage(t, await openBrowser(t), at);
  await page.waitForSelector('tbody tr:first-child .tag:text-is("stalled")');
  await page.waitForSelector('#counts .warn:text-matches("^1 slow client$")');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.trouble:text-matches("^It does not read: [1-9][0-9.]* [KM]iB wait for it")');
  const trouble = String(await page.textContent('.trouble'));
  t.regex(trouble, /it has taken nothing for \d+ s\. Nobody waits for it\./);
  t.regex(
    trouble,
    /closed after 600 s of that \(limits\.write_stall\), or with more than 64 MiB \(limits\.pending\)\.$/,
  );
  const facts = String(await page.textContent('aside dl'));
  t.regex(
    facts,
    /Statestalled.*Whoanonymous.*Topics1.*Waiting\d.*Bytes taken[1-9].*Out per second.*Round trip/,
  );
  await page.click('aside .links button:text-is("room/slow")');
  await page.waitForSelector('#tab-topics[aria-selected=true]');
  await page.waitForSelector('#range:text-is("1–1 of 1")');
  await page.click('tbody tr');
  await page.click('aside .links button:text-is("Its members")');
  await page.waitForSelector('#range:text-is("1–2 of 2")');
  t.deepEqual(complaints, []);
});

test('on a phone the list comes first, the detail lies over it, and nothing is wider than the page or too small to be touched', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  for (let index = 0; index < 60; index++)
    await connectWs(t, relay.port('pinghub'), `/a/long/name/of/a/room/${index}`);
  const at = `http://127.0.0.1:${relay.port('admin')}/observer#tab=topics`;
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
  const { page, complaints } = await openPage(t, await openBrowser(t), at, phone);
  await page.waitForSelector('#range:text-is("1–50 of 60")');
  const top = async (selector: string) => (await page.locator(selector).boundingBox())?.y ?? Number.NaN;
  t.true((await top('main')) < (await top('#counts')));
  t.true((await top('#counts')) < (await top('#tiles')));
  t.true((await top('tbody tr:first-child')) < 844 / 2);
  const small = () =>
    page.evaluate<string[]>(
      `[...document.querySelectorAll('button, a, input')].filter((one) => one.checkVisibility({ checkVisibilityCSS: true }))
        .filter((one) => { const { width, height } = one.getBoundingClientRect(); return width < 40 || height < 40; })
        .map((one) => one.outerHTML)`,
    );
  const widths = () => page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]');
  t.deepEqual(await small(), []);
  t.deepEqual(await widths(), [390, 390]);
  await page.tap('tbody tr');
  await page.waitForSelector('aside h3');
  const box = await page.locator('aside').boundingBox();
  t.is((box?.y ?? 0) + (box?.height ?? 0), 844, 'it ends where the screen does');
  t.deepEqual(await small(), []);
  t.deepEqual(await widths(), [390, 390]);
  await page.goBack();
  await page.waitForSelector('aside', { state: 'hidden' });
  await page.tap('#tab-tree');
  await page.waitForSelector('tbody .fold');
  t.deepEqual(await small(), []);
  t.deepEqual(await widths(), [390, 390]);
  t.deepEqual(complaints, []);
});

test('on a phone the columns that decide come first: what happened, how a client is and what waits, why a relay lags', async (t) => {
  const [nobody] = await freePorts(1);
  const relay = await startTestRelay(t, {
    relays: [`127.0.0.1:${nobody}`],
    network: { host: '127.0.0.1', port: 0, secret: SECRET },
    doors: { pinghub: {} },
  });
  await connectWs(t, relay.port('pinghub'), '/room');
  const at = `http://127.0.0.1:${relay.port('admin')}/observer#tab=timeline`;
  const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
  const { page, complaints } = await openPage(t, await openBrowser(t), at, phone);
  // The heads that lie within the screen as a whole.
  const seen = async () => {
    await page.waitForSelector('tbody tr');
    return page.evaluate<string[]>(
      "[...document.querySelectorAll('th')].filter((one) => one.getBoundingClientRect().right <= innerWidth).map((one) => one.textContent)",
    );
  };
  t.deepEqual((await seen()).slice(0, 2), ['When', 'What']);
  await page.tap('#tab-connections');
  await page.waitForSelector('tbody .tag:text-is("open")');
  t.deepEqual((await seen()).slice(0, 3), ['Address', 'State', 'Waiting']);
  await page.tap('#tab-relays');
  const reason = await page.waitForSelector('tbody .more:text-matches("ECONNREFUSED")');
  const { x = 0, width = Number.NaN, y: below = 0 } = (await reason.boundingBox()) ?? {};
  t.true(x + width <= 390, 'the whole reason lies within the screen');
  const tag = await page.locator('tbody .tag:text-is("down")').boundingBox();
  t.true(below >= (tag?.y ?? Number.NaN) + (tag?.height ?? Number.NaN) - 1, 'on a line of its own');
  const cut = () =>
    page.evaluate<string[]>(
      "[...document.querySelectorAll('.scale span')].filter((one) => one.scrollWidth > one.clientWidth && one.clientWidth > 0).map((one) => one.textContent)",
    );
  await page.evaluate("document.querySelector('.scale span').textContent = 'max 123 456, cut at 12 345'");
  t.deepEqual(await cut(), []);
  await page.setViewportSize({ width: 1200, height: 844 });
  await page.tap('#tab-timeline');
  await page.waitForSelector('th button:text-is("What")');
  t.deepEqual(await seen(), ['When', 'Kind', 'Of', 'Times', 'What']);
  t.deepEqual(complaints, []);
});
