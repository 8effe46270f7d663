import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { newOrigin, openBrowser, openPage } from '../support/browser.ts';
import { faultyProxy } from '../support/faulty-proxy.ts';
import { listenIn, sees } from '../support/listening-page.ts';
import { hasIPv6, hasNginx, startNginx } from '../support/nginx.ts';
import { quiescence } from '../support/otp.ts';
import { ask, post } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const nginx = hasNginx() ? test : test.skip;
if (!hasNginx())
  test.skip('nginx is not installed (Debian: apt-get install nginx): its recipes are not tried', () => {});

const trusted = { trusted_proxies: ['127.0.0.1'] };

async function twoRelays(t: ExecutionContext): Promise<[TestRelay, TestRelay]> {
  const start = () => startTestRelay(t, { doors: { pinghub: trusted } });
  return [await start(), await start()];
}

const portsOf = ([one, two]: readonly [TestRelay, TestRelay]): [number, number] => [
  one.port('pinghub'),
  two.port('pinghub'),
];

/** Which relay has the topic. */
const holders = (relays: readonly TestRelay[], topic: string): number[] =>
  relays.flatMap((relay, index) => (relay.relay.topics.find('main', topic) === undefined ? [] : [index]));

nginx('hashing puts each path on one relay, however it is spelt, and uses both', async (t) => {
  const relays = await twoRelays(t);
  const port = await startNginx(t, 'hash.conf', portsOf(relays));
  const used = new Set<number>();
  for (let n = 0; n < 16; n++) {
    const topic = `pinghub/chan ${n}`;
    const first = await connectWs(t, port, `/pinghub/chan%20${n}`);
    await connectWs(t, port, `/pinghub/chan%20${n}?access_token=${n}`);
    await connectWs(t, port, `/pinghub/%63han%20${n}`);
    const at = holders(relays, topic);
    t.is(at.length, 1, topic);
    used.add(at[0] as number);
    t.is((await post(port, `/pinghub/chan%20${n}`, `for ${n}`)).status, 200);
    t.is(await first.next(), `for ${n}`);
  }
  t.is(used.size, 2);
});

nginx('a path goes through as the client has written it', async (t) => {
  const relays = await twoRelays(t);
  const port = await startNginx(t, 'hash.conf', portsOf(relays));
  for (const [path, topic] of [
    ['/pinghub//a', 'pinghub//a'],
    ['/pinghub/a%2Fb', 'pinghub/a/b'],
    ['/pinghub/caf%C3%A9', 'pinghub/café'],
  ] as const) {
    await connectWs(t, port, path);
    t.is(holders(relays, topic).length, 1, path);
  }
});

nginx('a session through nginx: messages of all kinds, pings, and close codes both ways', async (t) => {
  const relays = await twoRelays(t);
  const port = await startNginx(t, 'hash.conf', portsOf(relays));
  const client = await connectWs(t, port, '/pinghub/t', { headers: { 'x-forwarded-for': '192.0.2.1' } });
  const pong = new Promise((resolve) => client.webSocket.once('pong', (data) => resolve(String(data))));
  client.webSocket.ping('are you there');
  t.is(await pong, 'are you there');
  client.send('', 'é', Buffer.from('binary'), 'x'.repeat(64 * 1024));
  t.deepEqual(await client.take(4), ['', 'é', 'binary', 'x'.repeat(64 * 1024)]);
  client.webSocket.close(4001, 'my own');
  t.deepEqual(await client.next(), { code: 4001, reason: 'my own' });
  const line = await Promise.race(relays.map((one) => one.closed()));
  // Both who have called are on loopback, which is trusted here: the first in the list is the client.
  t.like(line, { code: 4001, address: '192.0.2.1' });

  const wrong = await connectWs(t, port, '/pinghub/t');
  wrong.send(Buffer.from([0xff]));
  t.deepEqual(await wrong.next(), { code: 1007, reason: 'invalid UTF-8' });

  const last = await connectWs(t, port, '/pinghub/t');
  for (const { relay: one } of relays) one.stop();
  t.deepEqual(await last.next(), { code: 1001, reason: 'going away' });
});

nginx("the relay's pings go through, and so do the pongs", async (t) => {
  const clock = new VirtualClock();
  const limits = { ping: '20s', pong: '10s' };
  const relay = await startTestRelay(t, { doors: { pusu: {} }, limits }, 1000, { clock });
  const port = await startNginx(t, 'hash.conf', [relay.port('pusu'), relay.port('pusu')]);
  const client = await connectWs(t, port, '/pinghub');
  for (let n = 0; n < 3; n++) {
    for (let half = 0; half < 2; half++) {
      clock.advance(10_000);
      await quiescence(relay.relay.system);
    }
    await client.pings.next();
    // An answer to what is sent behind its pong: the relay has got that in time.
    const pong = new Promise((resolve) => client.webSocket.once('pong', resolve));
    client.webSocket.ping();
    await pong;
  }
  client.send('{"type":"subscribe","channel":"c"}');
  t.deepEqual(await client.take(2), ['{"type":"hello"}', '{"type":"subscribe_ok","channel":"c"}']);
});

nginx('events are passed on as they come', async (t) => {
  const relays = await twoRelays(t);
  const port = await startNginx(t, 'hash.conf', portsOf(relays));
  const response = await fetch(`http://127.0.0.1:${port}/pinghub/t`, {
    headers: { accept: 'text/event-stream' },
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  t.teardown(() => reader.cancel());
  await post(port, '/pinghub/t', 'one');
  let events = '';
  while (!events.endsWith('data: one\n\n'))
    events += Buffer.from((await reader.read()).value ?? Buffer.from('the end')).toString();
  t.regex(events, /^:\nretry: \d+\n\ndata: one\n\n$/);
});

nginx('what a stream has missed is asked for and sent through nginx', async (t) => {
  const settings = { doors: { pinghub: trusted }, topics: [{ pattern: 'pinghub/*', history: true }] };
  const relays = [await startTestRelay(t, settings), await startTestRelay(t, settings)] as const;
  const port = await startNginx(t, 'hash.conf', portsOf(relays));
  const listen = async (last: string, until: string) => {
    const headers = { accept: 'text/event-stream', 'last-event-id': last };
    const response = await fetch(`http://127.0.0.1:${port}/pinghub/t`, { headers });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let events = '';
    while (!events.includes(until))
      events += Buffer.from((await reader.read()).value ?? Buffer.from('the end')).toString();
    await reader.cancel();
    return events.replace(/^:\nretry: \d+\n\n/, '');
  };
  const [, epoch = ''] = /^id: (\w+):0\n\n$/.exec(await listen('', ':0\n\n')) ?? [];
  for (const message of ['one', 'two']) await post(port, '/pinghub/t', message);
  t.is(
    await listen(`${epoch}:0`, 'two\n\n'),
    `id: ${epoch}:0\n\nid: ${epoch}:1\ndata: one\n\nid: ${epoch}:2\ndata: two\n\n`,
  );
});

for (const recipe of ['hash.conf', 'auth.conf'])
  nginx(
    `${recipe}: while no relay answers, an EventSource comes back, and everything else is a 502`,
    async (t) => {
      const service = await authService(t);
      const proxy = await faultyProxy(t);
      // Nothing listens at port 1.
      proxy.target = 1;
      const port = await startNginx(t, recipe, [proxy.port, proxy.port], service.port);
      const { page } = await openPage(t, await openBrowser(t), await newOrigin(t));
      await listenIn(page, `http://127.0.0.1:${port}/pinghub/204/t`);
      await sees(page, 'open');
      t.is((await ask(port, '/pinghub/204/t')).status, 502);
      t.is((await post(port, '/pinghub/204/t', 'x')).status, 502);
      const relay = await startTestRelay(t, { doors: { pinghub: trusted } });
      proxy.target = relay.port('pinghub');
      await eventually(
        () => relay.relay.topics.find('main', 'pinghub/204/t') !== undefined,
        'the page listens',
      );
      await post(port, '/pinghub/204/t', 'there again');
      await sees(page, 'there again');
    },
  );

/** A service that answers as the path says: `/pinghub/STATUS/…`. */
async function authService(t: ExecutionContext): Promise<{ port: number; asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    asked.push(request);
    const uri = String(request.headers['x-original-uri']);
    const status = /^\/pinghub\/(\d{3})/.exec(uri)?.[1];
    if (status === '000') return;
    const rewrite = uri.startsWith('/pinghub/me') ? { 'X-Rewrite': '/pinghub/user/157/chan' } : {};
    response.writeHead(Number(status ?? 204), rewrite).end();
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}

for (const recipe of ['hash.conf', 'auth.conf'])
  nginx(`${recipe}: of what clients offer to upgrade to, WebSockets alone go on`, async (t) => {
    const service = await authService(t);
    const port = await startNginx(t, recipe, [service.port, service.port], service.port);
    for (const [offered, passed] of [
      ['h2c', undefined],
      ['TLS/1.2', undefined],
      ['websockets', undefined],
      ['websocket', 'websocket'],
      ['h2c, WebSocket', 'websocket'],
    ] as const) {
      await ask(port, '/pinghub/204', { headers: { Connection: 'Upgrade', Upgrade: offered } });
      const got = service.asked.at(-1)?.headers;
      t.is(got?.upgrade, passed, offered);
      t.is(got?.connection, passed === undefined ? undefined : 'upgrade', offered);
    }
  });

nginx('204 lets a client in, and the service has seen its request', async (t) => {
  const relays = await twoRelays(t);
  const service = await authService(t);
  const port = await startNginx(t, 'auth.conf', portsOf(relays), service.port);
  const headers = { cookie: 'a=b', 'x-original-uri': '/forged', 'x-original-method': 'FORGED' };
  const client = await connectWs(t, port, '/pinghub/t?q=1', { headers });
  t.like(service.asked[0]?.headers, {
    cookie: 'a=b',
    'x-original-uri': '/pinghub/t?q=1',
    'x-original-method': 'GET',
    upgrade: undefined,
  });
  t.is(service.asked[0]?.url, '/internal-auth/');
  t.is((await post(port, '/pinghub/t', 'posted')).status, 200);
  t.like(service.asked[1]?.headers, { 'x-original-method': 'POST', 'content-length': undefined });
  t.is(await client.next(), 'posted');
});

nginx('X-Rewrite gives a client another channel, on the relay where that one is', async (t) => {
  const relays = await twoRelays(t);
  const service = await authService(t);
  const port = await startNginx(t, 'auth.conf', portsOf(relays), service.port);
  const clients = [];
  for (const path of ['/pinghub/me/chan', '/pinghub/user/157/chan', '/pinghub/me/other?x', '/pinghub/me']) {
    clients.push(await connectWs(t, port, path));
  }
  t.is(holders(relays, 'pinghub/user/157/chan').length, 1);
  t.deepEqual(holders(relays, 'pinghub/me/chan'), []);
  t.is((await post(port, '/pinghub/me/chan', 'hello')).status, 200);
  for (const client of clients) t.is(await client.next(), 'hello');
});

nginx('403 forbids, and every other answer is a 500: 200, 401, a redirect, none', async (t) => {
  const relays = await twoRelays(t);
  const service = await authService(t);
  const port = await startNginx(t, 'auth.conf', portsOf(relays), service.port);
  const forbidden = await refusedWs(t, port, '/pinghub/403');
  t.deepEqual([forbidden.status, forbidden.body], [403, 'Forbidden\n']);
  t.is((await post(port, '/pinghub/403', 'x')).status, 403);
  for (const status of [200, 201, 302, 401, 404, 500, 503]) {
    t.is((await refusedWs(t, port, `/pinghub/${status}`)).status, 500, `${status}`);
    t.is((await post(port, `/pinghub/${status}`, 'x')).status, 500, `${status}`);
  }
  t.is((await refusedWs(t, port, '/pinghub/000')).status, 500, 'no answer in time');
  const nobody = await startNginx(t, 'auth.conf', portsOf(relays));
  t.is((await refusedWs(t, nobody, '/pinghub/t')).status, 500, 'nobody there');
  t.is((await ask(port, '/__auth')).status, 404, 'clients cannot ask the service themselves');
  t.is(
    relays.reduce((sum, relay) => sum + [...relay.relay.topics.all()].length, 0),
    0,
  );
});

nginx('the service is told the address of the client, and a client cannot tell another one', async (t) => {
  const relays = await twoRelays(t);
  const service = await authService(t);
  const port = await startNginx(t, 'auth.conf', portsOf(relays), service.port);
  const forged = { 'x-real-ip': '192.0.2.1', 'x-forwarded-for': '192.0.2.2' };
  await connectWs(t, port, '/pinghub/t', { headers: forged });
  t.like(service.asked[0]?.headers, {
    'x-real-ip': '127.0.0.1',
    'x-forwarded-for': '192.0.2.2, 127.0.0.1',
  });
});

nginx('what browsers ask before a page of another origin may ask is not for the service', async (t) => {
  const relays = await twoRelays(t);
  const service = await authService(t);
  const port = await startNginx(t, 'auth.conf', portsOf(relays), service.port);
  const headers = { origin: 'https://chat.example.com', 'access-control-request-method': 'POST' };
  const answer = await ask(port, '/pinghub/403', { method: 'OPTIONS', headers });
  t.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [204, '*']);
  t.is(service.asked.length, 0);
});

(hasIPv6() ? nginx : test.skip)('both recipes listen on IPv6 too', async (t) => {
  const relays = await twoRelays(t);
  const service = await authService(t);
  for (const recipe of ['hash.conf', 'auth.conf']) {
    const port = await startNginx(t, recipe, portsOf(relays), service.port);
    const answer = await fetch(`http://[::1]:${port}/pinghub/t`, { method: 'POST', body: 'x' });
    t.is(answer.status, 200, recipe);
  }
});
