import test from 'ava';
import { pageScript } from '../../../src/door/pinghub/page-script.ts';
import { openPage } from './fake-browser.ts';

const href = 'http://host:8081/a%20b?access_token=x#part';

/** A page that is connected and has the answer to its first probe, at a topic that keeps nothing. */
function connected(options = {}) {
  const page = openPage(href, options);
  page.socket().opens();
  page.socket().says('');
  page.socket().sent.length = 0;
  return page;
}

/** The same at a topic that keeps messages. */
function resuming() {
  const page = openPage(href);
  page.socket().opens();
  page.socket().tells({ id: 'e:7' });
  page.socket().says('');
  return page;
}

function comesBack(page: ReturnType<typeof openPage>) {
  page.socket().drops();
  page.passes(4000);
  page.socket().opens();
}

test('the page connects to its own address', (t) => {
  t.is(openPage(href).socket().url, 'ws://host:8081/a%20b?access_token=x');
  t.is(openPage('https://host/http').socket().url, 'wss://host/http');
});

test('it asks for events, and understands a relay that has none', (t) => {
  t.is(openPage(href).socket().protocol, 'pinghub.events');
  const page = connected({ old: true });
  t.is(page.socket().protocol, 'pinghub');
  page.socket().says('{"data":"as it is"}');
  t.deepEqual(page.shown(), ['{"data":"as it is"}']);
});

test('it comes back with the position that it has seen last', (t) => {
  const page = resuming();
  t.is(page.socket().url, 'ws://host:8081/a%20b?access_token=x');
  comesBack(page);
  t.is(page.socket().url, 'ws://host:8081/a%20b?access_token=x&last_event_id=e%3A7');
  page.socket().tells({ id: 'e:7' });
  page.socket().tells({ id: 'e:8', data: 'while away' });
  page.socket().says('');
  comesBack(page);
  t.is(page.socket().url, 'ws://host:8081/a%20b?access_token=x&last_event_id=e%3A8');
  t.deepEqual(page.shown(), ['while away']);
});

test('a position in its address counts until there is a newer one', (t) => {
  const page = openPage('http://host/p?last_event_id=all');
  t.is(page.socket().url, 'ws://host/p?last_event_id=all');
  page.socket().opens();
  page.socket().tells({ id: 'e:2' });
  comesBack(page);
  t.is(page.socket().url, 'ws://host/p?last_event_id=e%3A2');
});

test('it says how many messages were missed', (t) => {
  const page = resuming();
  for (const [missed, notice] of [
    [1, '1 message was missed.'],
    [3, '3 messages were missed.'],
    [null, 'Messages may have been missed.'],
  ] as const) {
    comesBack(page);
    page.socket().tells({ id: 'f:1', event: 'missed', data: missed });
    page.socket().tells({ id: 'f:2', data: 'kept' });
    page.socket().says('');
    t.deepEqual(page.shown().slice(-2), [notice, 'kept']);
    t.is(page.notices().at(-1), notice);
  }
  t.is(page.notices().length, 3);
  page.socket().tells({ id: 'f:9', event: 'missed', data: 7 });
  t.is(page.notices().at(-1), '7 messages were missed.', 'amidst a connection');
  comesBack(page);
  page.socket().tells({ id: 'f:9', event: 'missed', data: 0 });
  page.socket().says('');
  t.is(page.notices().length, 4, 'none is no news');
});

test('a gap without a position is told once', (t) => {
  const page = resuming();
  comesBack(page);
  page.socket().tells({ event: 'missed', data: null });
  page.socket().says('');
  t.deepEqual(page.shown(), ['Messages may have been missed.']);
});

test('where nothing is kept it says that messages may have been missed, before any other', (t) => {
  for (const old of [false, true]) {
    const page = connected({ old });
    comesBack(page);
    t.deepEqual(page.notices(), [], 'the relay may yet tell');
    page.socket().says(old ? 'first' : '{"data":"first"}');
    page.socket().says('');
    t.deepEqual(page.shown(), ['Messages may have been missed.', 'first']);
    comesBack(page);
    page.socket().says('');
    t.is(page.notices().length, 2, 'without a message, too');
  }
});

test('a relay that does not keep messages any more has not told what came before', (t) => {
  const page = resuming();
  comesBack(page);
  page.socket().tells({ data: 'new' });
  page.socket().says('');
  t.deepEqual(page.shown(), ['Messages may have been missed.', 'new']);
});

test('a connection that was cut before the relay has told leaves the question open; one that never opened asks none', (t) => {
  const page = openPage(href);
  page.socket().drops();
  page.passes(500);
  page.socket().opens();
  page.socket().says('');
  t.deepEqual(page.notices(), []);
  comesBack(page);
  comesBack(page);
  t.deepEqual(page.notices(), []);
  page.socket().says('');
  t.is(page.notices().length, 1);
});

test('a page that comes to the front connects at once, or looks whether its line still lives', (t) => {
  const page = connected();
  page.socket().drops();
  page.shows('hidden');
  t.is(page.sockets.length, 1);
  page.shows('visible');
  t.is(page.sockets.length, 2);
  page.passes(5000);
  t.is(page.sockets.length, 2, 'the timer of the retry is gone');
  page.socket().opens();
  page.socket().says('');
  page.socket().sent.length = 0;
  for (const wake of [
    () => page.shows('visible'),
    () => page.fire('online'),
    () => page.fire('pageshow', { persisted: true }),
  ]) {
    wake();
    t.deepEqual(page.socket().sent.splice(0), ['']);
  }
  page.fire('pageshow', { persisted: false });
  t.deepEqual(page.socket().sent, []);
  page.passes(10_000);
  t.regex(page.state().textContent, /^Disconnected \(no answer\)/);
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
  page.socket().tells({ data: '<b>hi</b>' });
  page.socket().says('');
  page.socket().tells({ data: 'there' });
  t.deepEqual(page.shown(), ['<b>hi</b>', 'there']);
});

test('the last 500 messages are kept', (t) => {
  const page = connected();
  for (let message = 1; message <= 501; message++) page.socket().tells({ data: `${message}` });
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
  old.tells({ data: 'late' });
  old.drops();
  t.deepEqual(page.shown(), []);
  t.is(page.state().dataset.state, 'waiting');
  page.passes(20_000);
  t.is(page.sockets.length, 2);
});

test('nothing in the script ends the element that holds it', (t) => {
  t.notRegex(pageScript, /<\/|<!--/);
});
