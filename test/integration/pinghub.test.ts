import test, { type ExecutionContext } from 'ava';
import { quietAccount } from '../support/promises.ts';
import { ask, connectRaw, post, rawExchange } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const open = (t: ExecutionContext, door: Readonly<Record<string, unknown>> = {}, settings = {}) =>
  startTestRelay(t, { doors: { pinghub: door }, ...settings });

const connect = (t: ExecutionContext, relay: TestRelay, path = '/t') =>
  connectWs(t, relay.port('pinghub'), path);

/** Subscribes as curl would: with the path as it stands, which WebSocket clients normalise. */
async function stream(t: ExecutionContext, relay: TestRelay, path: string, version = '1.1') {
  const raw = await connectRaw(t, relay.port('pinghub'));
  raw.send(`GET ${path} HTTP/${version}\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n`);
  return { raw, head: await raw.until('\r\n\r\n') };
}

test('a message goes to all subscribers of the path, the sender included, as text', async (t) => {
  const relay = await open(t);
  const sender = await connect(t, relay);
  const other = await connect(t, relay);
  const elsewhere = await connect(t, relay, '/T');
  sender.send('text é😀', Buffer.from('binary é'), 'last');
  for (const one of [sender, other]) t.deepEqual(await one.take(3), ['text é😀', 'binary é', 'last']);
  elsewhere.send('marker');
  t.is(await elsewhere.next(), 'marker');
});

test('an empty message is echoed to the sender alone', async (t) => {
  const relay = await open(t);
  const sender = await connect(t, relay);
  const other = await connect(t, relay);
  sender.send('', Buffer.alloc(0), 'marker');
  t.deepEqual([...(await sender.take(3))].sort(), ['', '', 'marker']);
  t.is(await other.next(), 'marker');
  t.is(relay.accounting.messages, 1);
});

test('what is not UTF-8 closes with 1007, as text and as binary, and reaches nobody', async (t) => {
  const relay = await open(t);
  const other = await connect(t, relay);
  const bytes = Buffer.from([0x61, 0xc3, 0x28]);
  const asText = await connect(t, relay);
  asText.sendAsText(bytes);
  t.like(await asText.next(), { code: 1007 });
  t.like(await relay.closed(), { door: 'pinghub', code: 1007 });
  const asBinary = await connect(t, relay);
  asBinary.send(bytes, 'not handled any more');
  t.deepEqual(await asBinary.next(), { code: 1007, reason: 'invalid UTF-8' });
  t.like(await relay.closed(), { door: 'pinghub', code: 1007 });
  other.send('marker');
  t.is(await other.next(), 'marker');
});

test('a message of limits.message passes, one byte more closes with 1009', async (t) => {
  const relay = await open(t);
  const one = await connect(t, relay);
  const longest = 'x'.repeat(64 * 1024);
  one.send(longest);
  t.is(await one.next(), longest);
  one.send(`${longest}x`);
  t.like(await one.next(), { code: 1009 });
});

test('a POST publishes its body, and is 200 OK with subscribers and without', async (t) => {
  const relay = await open(t);
  const port = relay.port('pinghub');
  t.like(await post(port, '/t', 'unheard'), { status: 200, body: 'OK\n' });
  t.is(relay.accounting.lost.unheard, 1);
  const one = await connect(t, relay);
  t.like(await post(port, '/t?query=ignored', 'posted é'), { status: 200, body: 'OK\n' });
  t.is(await one.next(), 'posted é');
  t.like(await post(port, '/t', ''), { status: 200, body: 'OK\n' });
  t.like(await post(port, '/t', 'marker'), { status: 200, body: 'OK\n' });
  t.is(await one.next(), 'marker');
});

test('a POST is answered when its message is published: the next one comes after it', async (t) => {
  const relay = await open(t);
  const one = await connect(t, relay);
  const bodies = Array.from({ length: 20 }, (_, i) => `post ${i}`);
  for (const body of bodies) await post(relay.port('pinghub'), '/t', body);
  t.deepEqual(await one.take(bodies.length), bodies);
});

test('a POST in chunks, and one that waits to be told to continue', async (t) => {
  const relay = await open(t);
  const one = await connect(t, relay);
  const head = 'POST /t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
  const chunks = '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n';
  t.regex(
    await rawExchange(t, relay.port('pinghub'), `${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`),
    /^HTTP\/1\.1 200 /,
  );
  t.is(await one.next(), 'hello world');
  const raw = await connectRaw(t, relay.port('pinghub'));
  raw.send(`${head}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n`);
  await raw.until('100 Continue');
  raw.send('ok');
  t.regex(await raw.end(), /HTTP\/1\.1 200 OK/);
  t.is(await one.next(), 'ok');
});

test('a POST body of limits.message passes; one byte more is 413, with a length and without', async (t) => {
  const relay = await open(t, {}, { limits: { message: '1KiB' } });
  const one = await connect(t, relay);
  const port = relay.port('pinghub');
  t.is((await post(port, '/t', 'x'.repeat(1024))).status, 200);
  t.is(await one.next(), 'x'.repeat(1024));
  t.is((await post(port, '/t', 'x'.repeat(1025))).status, 413);
  const head = 'POST /t HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  t.regex(
    await rawExchange(t, port, `${head}401\r\n${'x'.repeat(1025)}\r\n`),
    /^HTTP\/1\.1 413 [\s\S]*Connection: close/,
  );
  await post(port, '/t', 'marker');
  t.is(await one.next(), 'marker');
});

test('a POST body that is not UTF-8 is 400', async (t) => {
  const relay = await open(t);
  const answer = await post(relay.port('pinghub'), '/t', Buffer.from([0xff]));
  t.is(answer.status, 400);
  t.regex(answer.body, /^Error: bad request\. /);
});

test('GET gives a page for the path, escaped, that loads nothing from elsewhere', async (t) => {
  const relay = await open(t);
  const page = await ask(relay.port('pinghub'), '/<xss>');
  t.is(page.status, 200);
  t.regex(String(page.headers['content-type']), /^text\/html; charset=utf-8/i);
  t.true(page.body.includes('&lt;xss&gt;'));
  t.false(page.body.includes('<xss>'));
  t.notRegex(page.body, /(src|href)\s*=\s*["']?(https?:)?\/\//i);
});

test('HEAD is GET without the body', async (t) => {
  const relay = await open(t);
  const get = await ask(relay.port('pinghub'), '/t');
  const head = await ask(relay.port('pinghub'), '/t', { method: 'HEAD' });
  t.is(head.status, 200);
  t.is(head.body, '');
  t.is(head.headers['content-length'], String(Buffer.byteLength(get.body)));
  t.is(head.headers['content-type'], get.headers['content-type']);
});

test('other methods are not allowed', async (t) => {
  const relay = await open(t);
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const answer = await ask(relay.port('pinghub'), '/t', { method });
    t.is(answer.status, 405, method);
    t.is(answer.headers['allow'], 'GET, HEAD, POST, OPTIONS');
  }
});

test('a path is decoded once and kept byte for byte otherwise', async (t) => {
  const relay = await open(t);
  const port = relay.port('pinghub');
  for (const [path, same] of [
    ['/a/b', '/a%2Fb'],
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/%2561', '/%25%36%31'],
    ['//', '/%2f'],
    ['/a/../b', '/a/%2e%2e/b'],
    ['/./x', '/%2E/x'],
    ['/', '/'],
    ['/a%00b', '/%61%00b'],
    ['/__proto__', '/__proto_%5F'],
    ['/t?x', '/t?y=/z'],
  ] as const) {
    const { raw, head } = await stream(t, relay, path);
    t.is((await post(port, same, 'here')).status, 200, same);
    t.is((await raw.until('data: here\n\n')).slice(head.length), 'data: here\n\n', path);
  }
  for (const [path, other] of [
    ['/1', '//1'],
    ['/2', '/2/'],
    ['/3', '/x/../3'],
    ['/4', '/./4'],
    ['/%61+5', '/a%205'],
    ['/\\6', '/6'],
    ['/7', '/%2537'],
  ] as const) {
    const { raw, head } = await stream(t, relay, path);
    await post(port, other, 'not here');
    await post(port, path, 'marker');
    const got = (await raw.until('data: marker\n\n')).slice(head.length);
    t.is(got, 'data: marker\n\n', `${path} is not ${other}`);
  }
});

test('a path that is not UTF-8, or not percent-encoded, is 400 for everybody', async (t) => {
  const relay = await open(t);
  const port = relay.port('pinghub');
  for (const path of ['/%ff', '/%c3%28', '/%zz', '/%', '/%ed%a0%80']) {
    for (const answer of [
      await ask(port, path),
      await post(port, path, 'x'),
      await refusedWs(t, port, path),
    ]) {
      t.is(answer.status, 400, path);
      t.regex(answer.body, /^Error: bad request\. \S/);
    }
  }
});

test('a path has 1 to 256 characters with its slash', async (t) => {
  const relay = await open(t);
  const port = relay.port('pinghub');
  const longest = `/${encodeURIComponent('😀'.repeat(255))}`;
  const one = await connect(t, relay, longest);
  t.is((await post(port, longest, 'x')).status, 200);
  t.is(await one.next(), 'x');
  for (const answer of [await post(port, `${longest}x`, 'x'), await refusedWs(t, port, `${longest}x`)]) {
    t.is(answer.status, 400);
    t.regex(answer.body, /^Error: bad request\. .*1-256/);
  }
});

test('a target that is no path is 400', async (t) => {
  const relay = await open(t);
  const answer = await rawExchange(
    t,
    relay.port('pinghub'),
    'GET t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  );
  t.regex(answer, /^HTTP\/1\.1 400 /);
});

test('Upgrade: WebSocket works in any case', async (t) => {
  const relay = await open(t);
  for (const word of ['WebSocket', 'WEBSOCKET', 'websocket']) {
    const raw = await connectRaw(t, relay.port('pinghub'));
    raw.send(
      `GET /t HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, UPGRADE\r\nUpgrade: ${word}\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const answer = await raw.until('\r\n\r\n');
    t.regex(answer, /^HTTP\/1\.1 101 /);
    t.true(answer.includes('s3pPLMBiTxaQ9kYGzzhZRbK+xOo='));
  }
});

const origins: readonly [configured: string, sent: string, passes: boolean][] = [
  ['https://chat.example.com', 'https://chat.example.com', true],
  ['https://chat.example.com', 'https://chat.example.com:443', true],
  ['https://chat.example.com', 'HTTPS://Chat.Example.COM', true],
  ['https://chat.example.com', 'http://chat.example.com', false],
  ['https://chat.example.com', 'https://chat.example.com:8443', false],
  ['https://chat.example.com', 'https://chat.example.com.evil.com', false],
  ['https://chat.example.com', 'https://evil.com', false],
  ['https://chat.example.com', 'null', false],
  ['https://chat.example.com', '', false],
  ['http://localhost:3000', 'http://localhost:3000', true],
  ['http://localhost:3000', 'http://localhost', false],
];

for (const [origin, sent, passes] of origins) {
  test(`origin ${origin}: ${sent || 'an empty one'} ${passes ? 'passes' : 'is 403'} at upgrade, POST and stream`, async (t) => {
    const relay = await open(t, { origin });
    const port = relay.port('pinghub');
    const headers = { Origin: sent };
    const posted = await ask(port, '/t', { method: 'POST', headers, body: 'x' });
    t.is(posted.status, passes ? 200 : 403);
    if (passes) await connectWs(t, port, '/t', { headers });
    else t.is((await refusedWs(t, port, '/t', { headers })).status, 403);
    const stream = await connectRaw(t, port);
    stream.send(`GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nOrigin: ${sent}\r\n\r\n`);
    t.regex(await stream.until('\r\n\r\n'), passes ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 403 /);
  });
}

test('who sends no Origin passes, and without the setting any Origin does', async (t) => {
  const strict = await open(t, { origin: 'https://chat.example.com' });
  await connect(t, strict);
  t.is((await post(strict.port('pinghub'), '/t', 'x')).status, 200);
  // The page says itself where it may connect from.
  t.is((await ask(strict.port('pinghub'), '/t')).status, 200);
  const open_ = await open(t);
  await connectWs(t, open_.port('pinghub'), '/t', { headers: { Origin: 'https://anywhere.example' } });
});

test('GET with Accept: text/event-stream is a subscription', async (t) => {
  const relay = await open(t);
  const { raw, head } = await stream(t, relay, '/t');
  t.regex(head, /^HTTP\/1\.1 200 OK\r\n/);
  t.regex(head, /\r\nContent-Type: text\/event-stream; charset=utf-8\r\n/i);
  t.regex(head, /\r\nCache-Control: no-store, no-transform\r\n/i);
  t.notRegex(head, /transfer-encoding|content-length/i);
  const one = await connect(t, relay);
  one.send('first', 'two\nlines\r\nand\rmore', '{"json":1}');
  const text = await raw.until('data: {"json":1}\n\n');
  const [, retry, events] = /\r\n\r\n:\nretry: (\d+)\n\n([\s\S]*)$/.exec(text) ?? [];
  t.true(Number(retry) >= 1000 && Number(retry) <= 5000);
  t.is(events, 'data: first\n\ndata: two\ndata: lines\ndata: and\ndata: more\n\ndata: {"json":1}\n\n');
  raw.socket.destroy();
  t.like(await relay.closed(), { door: 'pinghub', code: 1000, reason: 'closed by client', out: 3 });
  await quietAccount(relay);
  t.is(relay.accounting.delivered, 6);
});

for (const how of ['end', 'resetAndDestroy'] as const)
  test(`a page that leaves a stream has closed it, and is not lost (${how})`, async (t) => {
    const relay = await open(t);
    const { raw } = await stream(t, relay, '/t');
    raw.socket[how]();
    t.like(await relay.closed(), { code: 1000, reason: 'closed by client', level: 'info' });
    await connect(t, relay).then(({ webSocket }) => webSocket.terminate());
    t.like(await relay.closed(), { code: 1006, reason: 'connection lost' }, 'a WebSocket has words for it');
  });

test('a stream works in HTTP/1.0, and other clients ask for it beside other types', async (t) => {
  const relay = await open(t);
  const { raw } = await stream(t, relay, '/t', '1.0');
  await post(relay.port('pinghub'), '/t', 'x');
  t.true((await raw.until('data: x\n\n')).includes('200 OK'));
  const page = await ask(relay.port('pinghub'), '/t', { headers: { Accept: '*/*' } });
  t.regex(String(page.headers['content-type']), /^text\/html/);
});

test('with passwords: 401 without a right one, and the credential may come in three ways', async (t) => {
  const relay = await open(t, {
    authenticator: 'PasswordAuthenticator',
    passwords: { secret: ['t'], other: ['u'] },
  });
  const port = relay.port('pinghub');
  t.is((await refusedWs(t, port, '/t')).status, 401);
  t.is((await post(port, '/t', 'x')).status, 401);
  t.regex((await stream(t, relay, '/t')).head, /^HTTP\/1\.1 401 /);
  const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  for (const headers of [{ Authorization: 'Bearer secret' }, { Authorization: basic }]) {
    await connectWs(t, port, '/t', { headers });
    t.is((await ask(port, '/t', { method: 'POST', headers, body: 'x' })).status, 200);
  }
  await connectWs(t, port, '/t?access_token=secret');
  const wrong = { headers: { Authorization: 'Bearer wrong' } };
  t.is((await refusedWs(t, port, '/t', wrong)).status, 401);
  const forAnother = { headers: { Authorization: 'Bearer other' } };
  t.is((await refusedWs(t, port, '/t', forAnother)).status, 403);
  t.is((await ask(port, '/t', { method: 'POST', ...forAnother, body: 'x' })).status, 403);
});

test('who may read and not write is closed with 1008 when it sends', async (t) => {
  const relay = await open(t, { authenticator: 'PasswordAuthenticator', allow_read_by_default: true });
  const one = await connect(t, relay);
  one.send('no right');
  t.deepEqual(await one.next(), { code: 1008, reason: 'forbidden' });
  t.is((await post(relay.port('pinghub'), '/t', 'x')).status, 401);
});

test('subscribers see one order, whoever sends', async (t) => {
  const relay = await open(t);
  const all = await Promise.all(Array.from({ length: 4 }, () => connect(t, relay)));
  for (let i = 0; i < 100; i++) for (const [who, one] of all.entries()) one.send(`${who}:${i}`);
  const seen = await Promise.all(all.map((one) => one.take(400)));
  for (const other of seen) t.deepEqual(other, seen[0]);
  for (const who of all.keys()) {
    const own = (seen[0] ?? []).map(String).filter((text) => text.startsWith(`${who}:`));
    t.deepEqual(
      own,
      Array.from({ length: 100 }, (_, i) => `${who}:${i}`),
    );
  }
});

test('a channel is forgotten with its last subscriber, and has no history', async (t) => {
  const relay = await open(t);
  const one = await connect(t, relay);
  one.send('before');
  t.is(await one.next(), 'before');
  t.not(relay.relay.topics.find('main', 't'), undefined);
  await one.leave();
  await relay.closed();
  const next = await connect(t, relay);
  next.send('after');
  t.is(await next.next(), 'after');
  await next.leave();
  await relay.closed();
});
