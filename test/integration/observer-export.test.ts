import { createReadStream } from 'node:fs';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { shownTabs } from '../../src/observer/tabs.ts';
import { ask } from '../support/admin.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { startTestRelay } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

test('the page exports all of a list, with its filter and in its order, as CSV and as JSON', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  for (let index = 0; index < 60; index++)
    await connectWs(t, relay.port('pinghub'), `/room/${String(index).padStart(2, '0')}`);
  await connectWs(t, relay.port('pinghub'), '/hall');
  const at = `http://127.0.0.1:${relay.port('admin')}/observer#tab=topics&by=topic&dir=desc&filter=room`;
  const { page, complaints } = await openPage(t, await openBrowser(t), at);
  await page.waitForSelector('#range:text-is("1–50 of 60")');
  const exported = async (format: 'csv' | 'json') => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`#${format}`)]);
    t.regex(download.suggestedFilename(), new RegExp(`^test-topics-\\d{4}-\\d\\d-\\d\\d\\.${format}$`));
    return text(createReadStream(await download.path()));
  };
  const [head = '', ...lines] = (await exported('csv')).trimEnd().split('\r\n');
  t.true(head.startsWith('topic,members,'));
  t.is(lines.length, 60);
  t.true(lines[0]?.startsWith('topic:main:room/59,1,'));
  t.true(lines[59]?.startsWith('topic:main:room/00,1,'));
  const rows = JSON.parse(await exported('json')) as { readonly topic: string }[];
  t.is(rows.length, 60);
  t.is(rows[0]?.topic, 'topic:main:room/59');
  t.deepEqual(complaints, []);
});

test('every tab has an export, and what is asked for wrongly is an error that says how', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const client = await connectWs(t, relay.port('pinghub'), encodeURI('/=1+1'));
  const port = relay.port('admin');
  const exported = (query: string) => ask(port, `/observer/export?${query}`);
  for (const tab of Object.keys(shownTabs)) {
    const { status, headers, body } = await exported(`tab=${tab}&format=json`);
    t.is(status, 200, tab);
    t.true(Array.isArray(JSON.parse(body)), tab);
    t.is(headers['x-content-type-options'], 'nosniff');
    t.is(
      (await exported(`tab=${tab}&format=csv`)).headers['content-type'],
      'text/csv; charset=utf-8; header=present',
    );
  }
  await client.leave();
  await relay.closed();
  t.regex((await exported('tab=gone&format=csv')).body, /,'=1\+1,/, 'a name is no formula');
  t.like(await exported('tab=topics'), { status: 400, body: '{"error":"format is csv or json"}\n' });
  t.is((await exported('tab=topics&format=xml')).status, 400);
  t.is((await exported('format=csv')).status, 400);
  t.is((await exported('tab=__proto__&format=csv')).status, 400);
  t.is((await ask(port, '/observer/export?tab=topics&format=csv', { method: 'POST' })).status, 405);
  t.is((await ask(port, '/observer/export?tab=topics&format=csv', { method: 'HEAD' })).body, '');
});

test('an export wants the token, is none for pages of others, and is off with the page', async (t) => {
  const path = '/observer/export?tab=connections&format=json';
  const token = 'a token for tests only';
  const guarded = await startTestRelay(t, {
    doors: { pinghub: {} },
    admin: { host: '127.0.0.1', port: 0, token },
  });
  const port = guarded.port('admin');
  t.is((await ask(port, path)).status, 401);
  t.is((await ask(port, path, { headers: { authorization: `Bearer ${token}` } })).status, 200);
  const headers = {
    authorization: `Bearer ${token}`,
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'no-cors',
  };
  t.is((await ask(port, path, { headers })).status, 403);
  t.is((await ask(port, path, { headers: { ...headers, host: 'evil.example' } })).status, 421);
  const off = await startTestRelay(t, {
    doors: { pinghub: {} },
    admin: { host: '127.0.0.1', port: 0, observer: false },
  });
  t.is((await ask(off.port('admin'), path)).status, 404);
});

test('exports come one after the other, one that is given up lets the next one begin, and too many are refused', async (t) => {
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const port = relay.port('admin');
  const path = '/observer/export?tab=processes&format=csv';
  const begin = () => get({ host: '127.0.0.1', port, path, agent: false });
  const given = Array.from({ length: 4 }, begin);
  for (const request of given) request.on('error', () => undefined).on('response', () => request.destroy());
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(port, path)));
  t.true(answers.every(({ status }) => status === 200 || status === 503));
  for (const { status, body } of answers) {
    if (status === 503) t.is(body, 'Error: too many exports.\n');
    else t.regex(body, /^ref,title,/);
  }
  t.true(answers.some(({ status }) => status === 200));
  t.is((await ask(port, path)).status, 200, 'the next one is answered');
});
