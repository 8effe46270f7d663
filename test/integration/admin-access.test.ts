import test from 'ava';
import { ask } from '../support/admin.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { startTestRelay, testConfig } from '../support/relay.ts';

const at = { host: '127.0.0.1', port: 0 };
const TOKEN = 'a token of sixteen characters';
const basic = (user: string, token: string) => `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;

test('the first page of the admin port links to all that it has, and to nothing that is switched off', async (t) => {
  const all = await startTestRelay(t, { doors: {} }, 10, { version: '9.9' });
  const { status, headers, body } = await ask(all.port('admin'), '/');
  t.is(status, 200);
  t.regex(String(headers['content-type']), /^text\/html/);
  t.regex(body, /test/);
  t.regex(body, /9\.9/);
  const links = (text: string) => [...text.matchAll(/href="([^"]*)"/g)].map(([, link]) => link);
  t.deepEqual(links(body), ['observer', 'metrics', 'health/ready', 'health/live']);
  for (const link of links(body)) t.is((await ask(all.port('admin'), `/${link}`)).status, 200, link);
  t.is((await ask(all.port('admin'), '/', { method: 'HEAD' })).body, '');
  const few = await startTestRelay(t, { doors: {}, admin: { ...at, observer: false, metrics: false } });
  t.deepEqual(links((await ask(few.port('admin'), '/')).body), ['health/ready', 'health/live']);
});

test('paths are switched off one by one, and on again by a reload of the admin port', async (t) => {
  const parts = {
    observer: ['/observer', '/observer/feed', '/observer/trace?pid=1'],
    metrics: ['/metrics'],
    health: ['/health', '/healthz', '/health/live', '/health/ready'],
  } as const;
  for (const off of ['observer', 'metrics', 'health'] as const) {
    const relay = await startTestRelay(t, { doors: {}, admin: { ...at, [off]: false } });
    const port = relay.port('admin');
    for (const path of parts[off]) {
      const { status, body } = await ask(port, path);
      t.is(status, 404, path);
      t.deepEqual(JSON.parse(body), { error: `admin.${off} is off` });
    }
    const others = (['observer', 'metrics', 'health'] as const).filter((one) => one !== off);
    for (const other of others) t.is((await ask(port, parts[other][0])).status, 200);
    const act = { method: 'POST', body: '{"action":"kill","pid":1}' };
    t.is((await ask(port, '/observer/actions', act)).status, off === 'observer' ? 404 : 403);
    const config = testConfig({ doors: {}, admin: at });
    t.true((await relay.relay.reload(() => ({ ok: true, config }))).ok);
    t.is((await ask(port, parts[off][0])).status, 200, 'after a reload');
  }
});

test('with a token the page wants it, as a password or as a bearer token, and metrics and health do not', async (t) => {
  const admin = { ...at, token: TOKEN, observer_actions: true };
  const relay = await startTestRelay(t, { doors: {}, admin });
  const port = relay.port('admin');
  const get = (path: string, authorization?: string, method = 'GET') =>
    ask(port, path, { method, headers: authorization === undefined ? {} : { authorization } });
  for (const path of ['/observer', '/observer/trace?pid=1', '/observer/feed']) {
    for (const wrong of [
      undefined,
      '',
      'Bearer',
      `Bearer ${TOKEN}x`,
      basic('alice', ''),
      `Basic ${TOKEN}`,
      TOKEN,
    ]) {
      const { status, headers } = await get(path, wrong);
      t.is(status, 401, `${path} ${wrong}`);
      t.regex(String(headers['www-authenticate']), /^Basic realm="fanfare test", charset="UTF-8"$/);
    }
  }
  t.is((await get('/observer', basic('alice', TOKEN))).status, 200);
  t.is((await get('/observer', basic('', TOKEN))).status, 200);
  t.is((await get('/observer', `bearer ${TOKEN}`)).status, 200);
  t.is((await get('/observer/feed', `Bearer ${TOKEN}`, 'HEAD')).status, 200);
  for (const path of ['/', '/metrics', '/health/ready']) t.is((await get(path)).status, 200, path);

  const act = (authorization?: string) =>
    ask(port, '/observer/actions', {
      method: 'POST',
      body: '{"action":"suspend","pid":1}',
      headers: authorization === undefined ? {} : { authorization },
    });
  t.is((await act()).status, 401);
  t.is((await act(basic('alice', TOKEN))).status, 409);
  const written = relay.log.all.filter(({ msg }) => msg === 'audit');
  t.deepEqual(
    written.map(({ who, outcome }) => `${String(who)}: ${String(outcome).split(':')[0]}`),
    ['127.0.0.1: refused', '127.0.0.1: refused', 'alice at 127.0.0.1: refused'],
  );
  t.like(written, [
    { what: 'a wrong token' },
    { what: 'an action without a token' },
    { what: 'suspend <1>' },
  ]);
  const { body } = await ask(port, '/metrics');
  t.regex(
    body,
    /^fanfare_admin_token_refusals_total 7$/m,
    'a request without a token only asks for the challenge',
  );
  t.false(JSON.stringify(relay.log.all).includes(TOKEN));
});

test('a browser that has been given the token shows the page, its feed and what it does; one that has not shows nothing', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} }, admin: { ...at, token: TOKEN } });
  const browser = await openBrowser(t);
  const url = `http://127.0.0.1:${relay.port('admin')}/observer`;
  const httpCredentials = { username: 'alice', password: TOKEN };
  const { page, complaints } = await openPage(t, browser, url, { httpCredentials });
  await page.waitForSelector('#state[data-state=ready]');
  await page.click('tbody tr');
  await page.waitForSelector('aside h3');
  t.deepEqual(complaints, []);
  const context = await browser.newContext();
  t.teardown(() => context.close());
  const stranger = await context.newPage();
  const answer = await stranger.goto(url).catch(() => null);
  t.true(answer === null || answer.status() === 401);
  t.is(await stranger.locator('#state').count(), 0);
});
