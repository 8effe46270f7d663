import test from 'ava';
import { pageScript } from '../../../src/door/pinghub/page-script.ts';
import { openPage } from './fake-browser.ts';

const href = 'http://host:8081/a%20b?access_token=x#part';

function connected() {
  const page = openPage(href);
  page.socket().opens();
  return page;
}

test('the page connects to its own address', (t) => {
  t.is(openPage(href).socket().url, 'ws://host:8081/a%20b?access_token=x');
  t.is(openPage('https://host/http').socket().url, 'wss://host/http');
});

test('it says that it is connecting, then connected, and lets send only then', (t) => {
  const page = openPage(href);
  t.is(page.state().dataset.state, 'waiting');
  t.true(page.element('send').disabled);
  page.socket().opens();
  t.is(page.state().textContent, 'Connected');
  t.false(page.element('send').disabled);
});

test('messages are shown as text, keepalives are not', (t) => {
  const page = connected();
  page.socket().says('<b>hi</b>');
  page.socket().says('');
  page.socket().says('there');
  t.deepEqual(page.shown(), ['<b>hi</b>', 'there']);
});

test('the last 500 messages are kept', (t) => {
  const page = connected();
  for (let message = 1; message <= 501; message++) page.socket().says(`${message}`);
  t.is(page.shown().length, 500);
  t.is(page.shown()[0], '2');
  t.is(page.shown().at(-1), '501');
});

test('Enter sends and empties the field, Shift+Enter does not', (t) => {
  const page = connected();
  page.element('text').value = 'hi';
  page.press('Enter', true);
  t.deepEqual(page.socket().sent, []);
  page.press('Enter');
  t.deepEqual(page.socket().sent, ['hi']);
  t.is(page.element('text').value, '');
});

test('an empty text is not sent, and what is written while disconnected stays', (t) => {
  const page = connected();
  page.press('Enter');
  t.deepEqual(page.socket().sent, []);
  page.socket().drops();
  page.element('text').value = 'later';
  page.element('form').requestSubmit();
  t.is(page.element('text').value, 'later');
});

test('a dropped connection is named, and made again', (t) => {
  const page = connected();
  page.socket().drops(1013, 'slow');
  t.is(page.state().dataset.state, 'closed');
  t.is(page.state().textContent, 'Disconnected (1013 slow). Reconnecting in 0.5 s');
  page.passes(499);
  t.is(page.sockets.length, 1);
  page.passes(1);
  t.is(page.sockets.length, 2);
  page.socket().opens();
  t.is(page.state().textContent, 'Connected');
});

test('the wait doubles from half a second to four seconds', (t) => {
  const page = openPage(href);
  for (const wait of [500, 1000, 2000, 4000, 4000]) {
    const before = page.sockets.length;
    page.socket().drops();
    page.passes(wait - 1);
    t.is(page.sockets.length, before, `${wait}`);
    page.passes(1);
    t.is(page.sockets.length, before + 1, `${wait}`);
  }
});

test('only a connection that lasted makes the wait short again', (t) => {
  const page = openPage(href);
  page.socket().drops();
  page.passes(500);
  page.socket().opens();
  page.passes(4999);
  page.socket().drops();
  t.regex(page.state().textContent, /in 1\.0 s/);
  page.passes(1000);
  page.socket().opens();
  page.passes(5000);
  page.socket().drops();
  t.regex(page.state().textContent, /in 0\.5 s/);
});

test('a keepalive that is not answered within ten seconds is a dropped connection', (t) => {
  const page = connected();
  page.passes(25_000);
  t.deepEqual(page.socket().sent, ['']);
  page.socket().says('');
  page.passes(25_000);
  t.is(page.sockets.length, 1);
  page.passes(9_999);
  t.is(page.state().textContent, 'Connected');
  page.passes(1);
  t.regex(page.state().textContent, /^Disconnected \(no answer\)/);
});

test('a socket that was given up does not speak any more', (t) => {
  const page = connected();
  const old = page.socket();
  page.fire('offline');
  t.regex(page.state().textContent, /^Disconnected \(offline\)/);
  page.fire('online');
  t.is(page.sockets.length, 2);
  old.says('late');
  old.drops();
  t.deepEqual(page.shown(), []);
  t.is(page.state().dataset.state, 'waiting');
  page.passes(20_000);
  t.is(page.sockets.length, 2);
});

test('nothing in the script ends the element that holds it', (t) => {
  t.notRegex(pageScript, /<\/|<!--/);
});
