import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { type Pid, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { findProcess } from '../../src/otp/sys.ts';
import { ask } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { freePorts } from '../support/cluster.ts';
import { startTestRelay } from '../support/relay.ts';
import { configFile, runRelay } from '../support/relay-process.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const HOSTILE = '<img src=x onerror=document.title="run">';

test('the observer page shows what goes on, and names that clients make up are text', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const browser = await openBrowser(t);
  const clients = await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      connectWs(t, relay.port('pinghub'), i < 3 ? `/${encodeURI(HOSTILE)}` : `/room/${i}`),
    ),
  );
  const at = `http://127.0.0.1:${relay.port('admin')}/observer`;
  const { page, complaints } = await openPage(t, browser, at);
  await page.waitForSelector('#state[data-state=ready]');
  t.is(await page.textContent('#node'), 'test');
  await page.waitForSelector('td >> text=topics.0.router');

  await page.click('#tab-topics');
  await page.waitForSelector('#range:text-is("1–50 of 58")');
  t.is(await page.locator('tbody tr').count(), 50);
  await page.click('#on');
  await page.waitForSelector('#range:text-is("51–58 of 58")');
  await page.fill('#filter', 'onerror');
  await page.waitForSelector('#range:text-is("1–1 of 1")');
  t.true((await page.textContent('tbody tr'))?.includes(HOSTILE));
  t.is(await page.locator('tbody img').count(), 0);

  await page.click('tbody tr');
  await page.waitForSelector('aside h3');
  t.is(await page.textContent('aside h3'), `topic:main:${HOSTILE}`);
  // It looks at what comes from some moment after the click on.
  const sending = setInterval(() => clients[0]?.send('a secret message'), 10);
  t.teardown(() => clearInterval(sending));
  await page.click('aside button:has-text("Trace")');
  await page.waitForSelector('.said:text-matches("^\\\\d+ messages? in 3 seconds:$")');
  clearInterval(sending);
  const shown = (await page.textContent('aside')) ?? '';
  t.regex(shown, /publish/);
  t.false(shown.includes('a secret message'));

  await page.fill('#filter', '');
  await page.click('#tab-connections');
  await page.waitForSelector('#range:text-is("1–50 of 60")');
  await page.fill('#filter', '203.0.113.7');
  await page.waitForSelector('.empty:text-is("Nothing here matches “203.0.113.7”.")');
  t.is(await page.locator('aside button:has-text("Kill")').count(), 0, 'it only looks');
  t.not(await page.title(), 'run');
  t.deepEqual(complaints, []);
});

test('the time line of the page tells what has changed, the newest first, and finds it', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  for (let i = 0; i < 3; i++) await (await connectWs(t, relay.port('pinghub'), '/weather')).leave();
  for (let i = 0; i < 3; i++) await relay.closed();
  await relay.relay.node.reload('alice');
  const browser = await openBrowser(t);
  const at = `http://127.0.0.1:${relay.port('admin')}/observer`;
  const { page, complaints } = await openPage(t, browser, at);
  await page.click('#tab-timeline');
  await page.waitForSelector('tbody tr:has-text("reload"):has-text("alice"):has-text("refused: ")');
  const closes = await page.locator('tbody tr:has-text("1005 closed by client")').allTextContents();
  // Where a minute ends in between they are in two rows.
  const counts = closes.map((text) => Number(/close\s*pinghub\s*(\d+)\s*1005/.exec(text)?.[1]));
  t.is(
    counts.reduce((sum, count) => sum + count, 0),
    3,
  );
  await page.fill('#filter', 'ready');
  await page.waitForSelector('#range:text-is("1–1 of 1")');
  t.deepEqual(complaints, []);
});

test('the page tells why a client was closed that is gone, and finds it by its address, its topic, its reason', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {}, wspubsub: {} } });
  const browser = await openBrowser(t);
  const one = await connectWs(t, relay.port('pinghub'), '/weather');
  await one.leave();
  const { conn } = await relay.closed();
  const other = await connectWs(t, relay.port('pinghub'), '/sport');
  await other.leave();
  await relay.closed();
  t.is((await refusedWs(t, relay.port('wspubsub'), '/nothing')).status, 404);
  const { page, complaints } = await openPage(t, browser, `http://127.0.0.1:${relay.port('admin')}/observer`);
  await page.waitForSelector('#state[data-state=ready]');
  await page.click('#tab-gone');
  await page.waitForSelector('#range:text-is("1–3 of 3")');
  t.regex((await page.textContent('tbody tr:first-child')) ?? '', /wspubsub.*refused 404/);
  for (const [filter, count] of [
    ['127.0.0.1', 3],
    ['404', 1],
    ['closed by', 2],
    ['weather', 1],
  ] as const) {
    await page.fill('#filter', filter);
    await page.waitForSelector(`#range:text-is("1–${count} of ${count}")`);
  }
  await page.click('tbody tr');
  await page.waitForSelector('.said:has-text("This client is gone: the client sent a close frame.")');
  const facts = (await page.textContent('aside dl')) ?? '';
  t.true(facts.includes(`<${conn}>`) && facts.includes('weather') && facts.includes('closed by client'));
  t.deepEqual(complaints, []);
});

test('charts move, and a relay that is gone is said to be', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const browser = await openBrowser(t);
  const client = await connectWs(t, relay.port('pinghub'), '/a');
  const { page } = await openPage(t, browser, `http://127.0.0.1:${relay.port('admin')}/observer`);
  await page.waitForSelector('#state[data-state=ready]');
  const sending = setInterval(() => client.send('x'), 20);
  t.teardown(() => clearInterval(sending));
  const tile = page.locator('.tile').first();
  const moves = async () => Number.parseFloat((await tile.locator('.now').textContent()) ?? '') > 1;
  await eventually(moves, 'messages are shown');
  const line = tile.locator('.line').first();
  await eventually(async () => ((await line.getAttribute('d')) ?? '').length > 20, 'a line is drawn');
  const sampler = findProcess(relay.relay.system, 'admin.sampler');
  t.not(sampler, undefined);
  clearInterval(sending);
  relay.relay.stop();
  await relay.relay.ended;
  await page.waitForSelector('#state:text-matches("^As of .*\\\\d.* · not reachable, trying again$")');
  t.is(await page.getAttribute('body', 'class'), 'lost');
});

test('a relay that stands still is said to be as of when it was heard last, and comes back by itself', async (t) => {
  const relay = runRelay(t, [
    '--config',
    configFile(t, 'doors: { pinghub: { port: 0, metrics_port: null } }'),
  ]);
  const at = `http://127.0.0.1:${await relay.port('admin')}/observer`;
  const { page, complaints } = await openPage(t, await openBrowser(t), at);
  await page.waitForSelector('#state[data-state=ready]');
  relay.signal('SIGSTOP');
  t.teardown(() => relay.signal('SIGCONT'));
  await page.waitForSelector('#state:text-matches("^As of .* · not reachable, trying again$")');
  t.is(await page.getAttribute('body', 'class'), 'lost');
  relay.signal('SIGCONT');
  await page.waitForSelector('#state[data-state=ready]:text-is("Ready")');
  await page.waitForSelector('body:not(.lost)');
  t.deepEqual(complaints, []);
});

test('the page finds a relay that was started anew, and its list is as it was', async (t) => {
  const [port = 0] = await freePorts(1);
  const settings = { doors: { pinghub: {} }, admin: { host: '127.0.0.1', port } };
  const before = await startTestRelay(t, settings);
  const { page } = await openPage(t, await openBrowser(t), `http://127.0.0.1:${port}/observer#tab=topics`);
  await page.waitForSelector('.empty');
  before.relay.stop();
  await before.relay.ended;
  await page.waitForSelector('#state[data-state=lost]');
  const after = await startTestRelay(t, settings);
  await connectWs(t, after.port('pinghub'), '/room');
  await page.waitForSelector('#state[data-state=ready]');
  await page.waitForSelector('tbody tr:has-text("room")');
  t.is(await page.getAttribute('body', 'class'), '');
});

test('the links of a relay are listed, and one that is down says why', async (t) => {
  const [own = 0, other = 0] = await freePorts(2);
  const relay = await startTestRelay(t, {
    doors: { pinghub: { metrics_port: null } },
    network: { host: '127.0.0.1', port: own, secret: 'a secret for tests only' },
    relays: [`127.0.0.1:${own}`, `127.0.0.1:${other}`],
  });
  const browser = await openBrowser(t);
  const at = `http://127.0.0.1:${relay.port('admin')}/observer#tab=links`;
  const { page, complaints } = await openPage(t, browser, at);
  await page.waitForSelector('tbody .tag.bad:text-is("down")');
  await page.waitForSelector('tbody tr:has-text("ECONNREFUSED")');
  // The relay itself is one until it has met itself.
  await page.waitForSelector('#tab-links span:text-is("1")');
  await eventually(async () => (await page.locator('tbody tr').count()) === 1, 'the relay itself is none');
  await page.waitForSelector('#counts .bad:text-matches("^[12] links? down$")');
  t.deepEqual(complaints, []);
});

test('all relays are listed, the own one first and marked, and one that is down says why', async (t) => {
  const [own = 0, other = 0] = await freePorts(2);
  const relay = await startTestRelay(t, {
    node: 'z',
    doors: { pinghub: { metrics_port: null } },
    network: { host: '127.0.0.1', port: own, secret: 'a secret for tests only' },
    relays: [`127.0.0.1:${other}`],
  });
  await connectWs(t, relay.port('pinghub'), '/a');
  const browser = await openBrowser(t);
  const at = `http://127.0.0.1:${relay.port('admin')}/observer#tab=relays`;
  const { page, complaints } = await openPage(t, browser, at);
  await page.waitForSelector('#tab-relays span:text-is("2")');
  await page.waitForSelector(
    'tbody tr:nth-child(1):has-text("z"):has(.tag:text-is("this relay")) .tag:text-is("ready")',
  );
  await page.waitForSelector('tbody tr:nth-child(1) td:nth-child(5) :text-is("1")');
  const down = 'tbody tr:nth-child(2):has(.tag.bad:text-is("down"))';
  await page.waitForSelector(`${down}:has-text("ECONNREFUSED")`);
  await page.waitForSelector(`${down} [title="Never heard"]:has-text("127.0.0.1:${other}")`);
  await page.waitForSelector(`${down} td:nth-child(5) :text-is("\u2013")`);
  await page.click('th button:text-is("State")');
  await page.waitForSelector('tbody tr:nth-child(1) .tag.bad:text-is("down")');
  t.deepEqual(complaints, []);
});

test('with observer_actions a client can be disconnected and a process suspended from the page', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pinghub: { metrics_port: null } },
    admin: { host: '127.0.0.1', port: 0, observer_actions: true },
  });
  const browser = await openBrowser(t);
  const client = await connectWs(t, relay.port('pinghub'), '/a');
  const { page, complaints } = await openPage(
    t,
    browser,
    `http://127.0.0.1:${relay.port('admin')}/observer#tab=connections`,
    { colorScheme: 'dark' },
  );
  await page.click('tbody tr');
  page.on('dialog', (dialog) => void dialog.accept());
  await page.click('aside button:has-text("Disconnect")');
  t.deepEqual(await client.next(), { code: 1001, reason: 'disconnected by the operator' });
  const { what, outcome } = await relay.log.find(({ msg }) => msg === 'audit');
  t.regex(`${String(what)}: ${String(outcome)}`, /^disconnect <\d+>: .+/);
  await page.waitForSelector('.said:text-is("This client is gone: an operator disconnected it.")');
  const listener = findProcess(relay.relay.system, 'listener.pinghub');
  if (listener === undefined) throw new Error('no listener');
  await page.click('#tab-processes');
  await page.fill('#filter', 'listener.pinghub');
  await page.click('tbody tr:has-text("listener.pinghub")');
  await page.waitForSelector('aside h3:has-text("listener.pinghub")');
  await page.click('aside button:has-text("Suspend")');
  await page.waitForSelector('tbody .tag.warn');
  await page.click('aside button:has-text("Resume")');
  await eventually(() => !(listener as unknown as { suspended: boolean }).suspended, 'it goes on');
  t.deepEqual(complaints, []);
});

test('a report is listed with who it is about, and what was opened of it stays open', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const [router, other] = ['topics.0.router', 'topics.1.router'].map((name) =>
    findProcess(relay.relay.system, name),
  );
  if (router === undefined || other === undefined) throw new Error('no routers');
  send(router as Pid<unknown>, null);
  const at = `http://127.0.0.1:${relay.port('admin')}/observer#tab=reports`;
  const { page, complaints } = await openPage(t, await openBrowser(t), at);
  await page.waitForSelector('.report .tag.bad:text-is("crash")');
  t.regex(String(await page.textContent('.report:has(.tag.bad)')), /topics\.0\.router <\d+>/);
  await page.waitForSelector('.report .tag.warn:text-is("child terminated")');
  await page.locator('.report:has(.tag.bad)').focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('.report details[open] pre');
  exit(other, 'kill');
  await page.waitForSelector('.report:has-text("topics.1.router")');
  t.is(await page.locator('.report details[open]').count(), 1);
  await page.fill('#filter', 'topics.1.router');
  await page.waitForSelector('.report:has-text("topics.0.router")', { state: 'detached' });
  t.not(await page.locator('.report:has-text("topics.1.router")').count(), 0);
  t.deepEqual(complaints, []);
});

test('actions are refused where they are off, and of pages of others everywhere', async (t) => {
  const off = await startTestRelay(t, { doors: { pinghub: {} } });
  const on = await startTestRelay(t, {
    doors: { pinghub: {} },
    admin: { host: '127.0.0.1', port: 0, observer_actions: true },
  });
  const body = JSON.stringify({ action: 'kill', pid: 2 });
  const act = (port: number, headers = {}) =>
    ask(port, '/observer/actions', { method: 'POST', body, headers });
  t.is((await act(off.port('admin'))).status, 403);
  t.is((await act(on.port('admin'), { origin: 'http://evil.example' })).status, 403);
  const refused = await act(on.port('admin'));
  t.is(refused.status, 409);
  t.regex(refused.body, /is a supervisor/);
  t.is(
    (await ask(on.port('admin'), '/observer/actions', { method: 'POST', body: 'x'.repeat(100) })).status,
    400,
  );
  const written = (relay: typeof on) =>
    relay.log.all.filter(({ msg }) => msg === 'audit').map(({ msg: _, ...entry }) => entry);
  const page = { by: 'page', who: '127.0.0.1' };
  t.deepEqual(written(off), [
    { ...page, what: 'kill <2>', outcome: 'refused: admin.observer_actions is off' },
  ]);
  t.like(written(on), [
    { ...page, what: 'kill <2>' },
    { ...page, what: 'what is no action' },
  ]);
  t.regex(String(written(on)[0]?.['outcome']), /^refused: .*is a supervisor/);
});

/** A proxy that has the admin port below a path, and passes on the name that it is asked by. Returns its address. */
async function proxyBelow(t: ExecutionContext, path: string, port: number): Promise<string> {
  const proxy = createServer((asked, answer) => {
    const { method, headers, url = '' } = asked;
    if (!url.startsWith(path)) {
      answer.writeHead(404).end();
      return;
    }
    const onward = request(
      { host: '127.0.0.1', port, path: url.slice(path.length - 1), method, headers },
      (answered) => {
        answer.writeHead(answered.statusCode ?? 502, answered.headers);
        answered.pipe(answer);
      },
    );
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${path}`;
}

test('the page works below a path of a proxy', async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pinghub: { metrics_port: null } },
    admin: { host: '127.0.0.1', port: 0, observer_actions: true },
  });
  const client = await connectWs(t, relay.port('pinghub'), '/a');
  const at = await proxyBelow(t, '/inner/relay/', relay.port('admin'));
  const { page, complaints } = await openPage(t, await openBrowser(t), at);
  await page.click('a[href="observer"]');
  t.is(page.url().replace(/#.*/, ''), `${at}observer`);
  await page.waitForSelector('#state[data-state=ready]');
  await page.click('#tab-connections');
  await page.click('tbody tr');
  const sending = setInterval(() => client.send('x'), 10);
  t.teardown(() => clearInterval(sending));
  await page.click('aside button:has-text("Trace")');
  await page.waitForSelector('.said:text-matches("^\\\\d+ messages? in 3 seconds:$")');
  clearInterval(sending);
  page.on('dialog', (dialog) => void dialog.accept());
  await page.click('aside button:has-text("Disconnect")');
  await page.waitForSelector('.said:text-is("This client is gone: an operator disconnected it.")');
  t.deepEqual(complaints, []);
});
