import test from 'ava';
import type { Page } from 'playwright-core';
import { newOrigin, openBrowser, openPage } from '../support/browser.ts';
import { startTestRelay } from '../support/relay.ts';

/** The subprotocol of a WebSocket that opened, or that it did not. */
const webSocket = (page: Page, port: number, path: string, protocols: string[] = []): Promise<string> =>
  page.evaluate(
    ([url, offered]) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url, offered);
        socket.onopen = () => resolve(`open ${socket.protocol}`.trim());
        socket.onerror = () => resolve('refused');
      }),
    [`ws://127.0.0.1:${port}${path}`, protocols] as const,
  );

const stream = (page: Page, port: number, withCredentials: boolean): Promise<string> =>
  page.evaluate(
    ([url, more]) =>
      new Promise<string>((resolve) => {
        const events = new EventSource(url, { withCredentials: more });
        events.onopen = () => resolve('open');
        events.onerror = () => resolve(events.readyState === EventSource.CLOSED ? 'refused' : 'comes back');
      }),
    [`http://127.0.0.1:${port}/news`, withCredentials] as const,
  );

test('a page of a listed origin opens every door with a subprotocol or a cookie; the same cookie helps no other page', async (t) => {
  const [ours, theirs] = [await newOrigin(t), await newOrigin(t)];
  const door = { origin: ours, cookie: 'sid' };
  const relay = await startTestRelay(t, {
    authenticator: 'PasswordAuthenticator',
    passwords: { 'a word%': ['*'] },
    doors: {
      pusu: door,
      pinghub: door,
      wspubsub: { ...door, realm: 'main', apikeys: { list: [{ domain: 'd', key: 'k' }] } },
    },
  });
  const browser = await openBrowser(t);
  const { page: own } = await openPage(t, browser, ours);
  const word = encodeURIComponent('a word%');
  const paths = { pusu: '/', pinghub: '/news', wspubsub: '/ws/sub/d/t' } as const;
  t.is(await webSocket(own, relay.port('wspubsub'), '/ws/pub/k/d/t', ['wspubsub']), 'open wspubsub');
  for (const [name, path] of Object.entries(paths)) {
    const port = relay.port(name);
    t.is(await webSocket(own, port, path, ['bearer', word]), 'open bearer', name);
    t.is(await webSocket(own, port, path, [name, 'bearer', word]), `open ${name}`);
    t.is(await webSocket(own, port, path, ['bearer', 'other']), 'refused');
    t.is(await webSocket(own, port, path, ['mqtt']), 'refused');
  }
  t.is(await stream(own, relay.port('pinghub'), true), 'refused', 'no cookie yet');

  await own.context().addCookies([{ name: 'sid', value: word, url: ours }]);
  for (const [name, path] of Object.entries(paths))
    t.is(await webSocket(own, relay.port(name), path), 'open', name);
  t.is(await stream(own, relay.port('pinghub'), true), 'open');
  t.is(await stream(own, relay.port('pinghub'), false), 'refused', 'a page has to want it');

  const strange = await own.context().newPage();
  await strange.goto(theirs);
  t.is((await strange.context().cookies(theirs)).length, 1, 'the browser sends it there, too');
  for (const [name, path] of Object.entries(paths))
    t.is(await webSocket(strange, relay.port(name), path), 'refused', name);
  t.is(await stream(strange, relay.port('pinghub'), true), 'refused');
});
