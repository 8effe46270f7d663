import test, { type ExecutionContext } from 'ava';
import type { Page } from 'playwright-core';
import { eventually } from '../support/arrivals.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

/** A page that shows the connections of a relay with so many clients, each in a topic of its own. */
async function withClients(t: ExecutionContext, count: number, hash = '#tab=connections') {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  for (let index = 0; index < count; index++)
    await connectWs(t, relay.port('pinghub'), `/room/${String(index).padStart(2, '0')}`);
  const opened = await openPage(t, await openBrowser(t), addressOf(relay) + hash);
  await opened.page.waitForSelector('#state[data-state=ready]');
  return { relay, ...opened };
}

function addressOf(relay: TestRelay): string {
  return `http://127.0.0.1:${relay.port('admin')}/observer`;
}

/** What is in the address behind the `#`. */
function inAddress(page: Page): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(new URL(page.url()).hash.slice(1)));
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>("document.activeElement?.textContent ?? ''");
}

/** Waits until the relay has pushed a list anew. */
async function nextList(page: Page): Promise<void> {
  await page.evaluate("document.querySelector('tbody td:last-child').textContent = 'old'");
  const cell = page.locator('tbody td:last-child').first();
  await eventually(async () => (await cell.textContent()) !== 'old', 'the list is pushed anew');
}

test('the list is walked through by keys, the row keeps the focus while it is refreshed, and Enter opens and closes it', async (t) => {
  const { page, complaints } = await withClients(t, 3);
  await page.waitForSelector('tbody tr:nth-child(3)');
  await page.keyboard.press('j');
  const first = await page.textContent('tbody tr:nth-child(1) td');
  t.true((await focused(page)).startsWith(String(first)));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  const second = String(await page.textContent('tbody tr:nth-child(2) td'));
  t.true((await focused(page)).startsWith(second));
  await nextList(page);
  t.true((await focused(page)).startsWith(second), 'the focus has not gone');
  t.is(await page.locator('tbody tr[tabindex="0"]').count(), 1, 'one row can be reached by Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector(`aside dd:text-is("${second}")`);
  t.is(await page.getAttribute('tr.chosen', 'aria-current'), 'true');
  await nextList(page);
  t.true(String(await page.textContent('tr.chosen')).startsWith(second), 'it stays chosen');
  await page.keyboard.press('Enter');
  await page.waitForSelector('aside', { state: 'hidden' });
  await page.keyboard.press('Enter');
  await page.waitForSelector('aside h3');
  await page.keyboard.press('Escape');
  await page.waitForSelector('aside', { state: 'hidden' });
  t.deepEqual(complaints, []);
});

test('the row in its place has the focus when the one that had it is gone', async (t) => {
  const { page, relay } = await withClients(t, 2, '#tab=connections&by=ref');
  const last = await connectWs(t, relay.port('pinghub'), '/room/last');
  await page.waitForSelector('tbody tr:nth-child(3)');
  await page.keyboard.press('j');
  await page.keyboard.press('End');
  const second = String(await page.textContent('tbody tr:nth-child(2) td'));
  await last.leave();
  await page.waitForSelector('#range:text-is("1–2 of 2")');
  t.true((await focused(page)).startsWith(second));
});

test('numbers that do not change fade, and zeroes are faint from the start', async (t) => {
  const { page } = await withClients(t, 1, '#tab=topics');
  const members = page.locator('tbody tr td:nth-child(2)');
  await members.waitFor();
  t.is(await members.getAttribute('class'), 'num');
  t.is(await page.locator('tbody td:nth-child(6) .zero').textContent(), '0');
  await page.clock.install();
  await page.clock.fastForward(60_000);
  await eventually(async () => (await members.getAttribute('class')) === 'num still', 'the number fades');
});

test('? shows the keys, and while they are shown no other key does anything', async (t) => {
  const { page, complaints } = await withClients(t, 1);
  await page.keyboard.press('?');
  await page.waitForSelector('#keys[open]');
  t.regex(String(await page.textContent('#shortcuts')), /To the filter.*The next row.*The other way round/);
  await page.keyboard.press('3');
  t.is(inAddress(page)['tab'], 'connections');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#keys', { state: 'hidden' });
  await page.keyboard.press('?');
  await page.keyboard.press('?');
  await page.waitForSelector('#keys', { state: 'hidden' });
  await page.click('#help');
  await page.click('#keys-close');
  await page.waitForSelector('#keys', { state: 'hidden' });
  t.deepEqual(complaints, []);
});

test('keys go from tab to tab, and the tabs themselves are walked through by arrows', async (t) => {
  const { page } = await withClients(t, 1);
  const tab = () => page.getAttribute('[role=tab][aria-selected=true]', 'id');
  await page.keyboard.press('1');
  t.is(await tab(), 'tab-tree');
  await page.keyboard.press(']');
  t.is(await tab(), 'tab-processes');
  await page.keyboard.press('[');
  await page.keyboard.press('[');
  t.is(await tab(), await page.getAttribute('[role=tab]:last-child', 'id'));
  await page.keyboard.press('3');
  t.is(await page.locator('[role=tab][tabindex="0"]').count(), 1);
  await page.focus('#tab-topics');
  await page.keyboard.press('ArrowRight');
  t.is(await tab(), 'tab-connections');
  t.is(await page.evaluate('document.activeElement?.id'), 'tab-connections');
  await page.keyboard.press('Home');
  t.is(await tab(), 'tab-tree');
  t.is(await page.getAttribute('[role=tabpanel]', 'aria-labelledby'), 'tab-tree');
});

test('no key is a shortcut in the filter, nor with Ctrl, Meta or Alt', async (t) => {
  const { page } = await withClients(t, 2);
  await page.waitForSelector('#range:text-is("1–2 of 2")');
  for (const key of ['Control+3', 'Meta+3', 'Alt+3', 'Control+/']) await page.keyboard.press(key);
  t.is(inAddress(page)['tab'], 'connections');
  await page.keyboard.press('/');
  t.is(await page.evaluate('document.activeElement?.id'), 'filter');
  await page.keyboard.type('room/01');
  t.is(await page.inputValue('#filter'), 'room/01');
  t.is(inAddress(page)['tab'], 'connections');
  await page.waitForSelector('#range:text-is("1–1 of 1")');
  await page.keyboard.press('Enter');
  t.true((await focused(page)).includes('pinghub'), 'Enter goes on to the list');
  await page.keyboard.press('/');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#range:text-is("1–2 of 2")');
  await page.keyboard.press('Escape');
  t.not(await page.evaluate('document.activeElement?.id'), 'filter');
});

test('a column orders the list both ways, by a click or by s and S, and says so', async (t) => {
  const { page } = await withClients(t, 60, '#tab=topics');
  await page.waitForSelector('#range:text-is("1–50 of 60")');
  const head = page.locator('th', { has: page.locator('button:text-is("Topic")') });
  await head.locator('button').click();
  await page.waitForSelector('tbody tr:first-child:has-text("room/00")');
  t.is(await head.getAttribute('aria-sort'), 'ascending');
  t.is(await page.locator('th[aria-sort]').count(), 1);
  await head.locator('button').click();
  await page.waitForSelector('tbody tr:first-child:has-text("room/59")');
  t.is(await head.getAttribute('aria-sort'), 'descending');
  t.is(await page.evaluate('document.activeElement?.textContent'), 'Topic', 'the head keeps the focus');
  await page.keyboard.press('n');
  await page.waitForSelector('#range:text-is("51–60 of 60")');
  await page.waitForSelector('tbody tr:first-child:has-text("room/09")');
  await page.keyboard.press('p');
  await page.waitForSelector('tbody tr:first-child:has-text("room/59")');
  await page.keyboard.press('S');
  await page.waitForSelector('tbody tr:first-child:has-text("room/00")');
  await page.keyboard.press('s');
  await page.waitForSelector('th[aria-sort=descending]:has-text("Members")');
});

test('branches of the tree are opened and closed by arrows, and stand in the address', async (t) => {
  const { page } = await withClients(t, 1, '#tab=tree');
  const branch = page.locator('tbody tr', { hasText: 'topics.0.servers' });
  await branch.waitFor();
  await branch.focus();
  const before = await page.locator('tbody tr').count();
  await page.locator('tbody tr', { hasText: /^▾topics\.0supervisor/ }).focus();
  await page.keyboard.press('ArrowLeft');
  await eventually(
    async () => (await page.locator('tbody tr').count()) === before - 2,
    'the branch is closed',
  );
  t.regex(inAddress(page)['toggled'] ?? '', /^\d+$/);
  await page.keyboard.press('ArrowRight');
  await eventually(async () => (await page.locator('tbody tr').count()) === before, 'the branch is open');
  t.is(inAddress(page)['toggled'], undefined);
});

test('a pasted address shows the same: tab, order, filter, page, process', async (t) => {
  const { page, relay } = await withClients(t, 60, '#tab=topics');
  await page.waitForSelector('#range:text-is("1–50 of 60")');
  await page.click('th button:text-is("Topic")');
  await page.click('th button:text-is("Topic")');
  await page.fill('#filter', 'room/');
  await page.waitForSelector('tbody tr:first-child:has-text("room/59")');
  await page.keyboard.press('Enter');
  await page.keyboard.press('n');
  await page.waitForSelector('tbody tr:first-child:has-text("room/09")');
  await page.click('tbody tr:has-text("room/07")');
  await page.waitForSelector('aside h3:text-is("topic:main:room/07")');
  const { pid, ...address } = inAddress(page);
  t.deepEqual(address, { tab: 'topics', by: 'topic', dir: 'desc', filter: 'room/', page: '2' });
  t.regex(pid ?? '', /^\d+$/);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.waitForSelector('aside h3:text-is("topic:main:room/07")');
  await other.waitForSelector('#range:text-is("51–60 of 60")');
  await other.waitForSelector('tbody tr.chosen:has-text("room/07")');
  t.is(await other.inputValue('#filter'), 'room/');
  t.is(await other.getAttribute('th:has-text("Topic")', 'aria-sort'), 'descending');
  // Pasted into a page that is open already, it counts as well; what is no address of ours is the usual.
  await other.goto(`${addressOf(relay)}#tab=connections&filter=room/03`);
  await other.waitForSelector('#range:text-is("1–1 of 1")');
  await other.goto(`${addressOf(relay)}#tab=__proto__&by=x&dir=y&page=-1&pid=z&toggled=q`);
  await other.waitForSelector('#tab-tree[aria-selected=true]');
  await other.waitForSelector('td >> text=topics.0.router');
});

test('the back button goes back over tabs and details, and not over what was typed', async (t) => {
  const { page } = await withClients(t, 2, '#tab=topics');
  await page.waitForSelector('tbody tr:nth-child(2)');
  await page.fill('#filter', 'room/01');
  await page.waitForSelector('#range:text-is("1–1 of 1")');
  await page.click('tbody tr');
  await page.waitForSelector('aside h3');
  await page.click('#tab-connections');
  await page.waitForSelector('#range:text-is("1–2 of 2")');
  await page.goBack();
  await page.waitForSelector('#tab-topics[aria-selected=true]');
  await page.waitForSelector('#range:text-is("1–1 of 1")');
  t.is(await page.inputValue('#filter'), 'room/01');
  await page.waitForSelector('aside h3:text-is("topic:main:room/01")');
  await page.goBack();
  await page.waitForSelector('aside', { state: 'hidden' });
  t.is(inAddress(page)['filter'], 'room/01');
});

test('a list that has become shorter than the page it is at shows its last page', async (t) => {
  const { page } = await withClients(t, 3, '#tab=topics&page=9');
  await page.waitForSelector('#range:text-is("1–3 of 3")');
  t.is(inAddress(page)['page'], undefined);
});
