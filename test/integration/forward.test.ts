import test, { type ExecutionContext } from 'ava';
import { type Answer, startBackEnd, status } from '../support/back-end.ts';
import { ask, post, rawExchange } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

const authorize = (authorization: string) => JSON.stringify({ type: 'authorize', authorization });
const subscribe = (channel: string) => JSON.stringify({ type: 'subscribe', channel });
const publish = (channel: string, content: string) => JSON.stringify({ type: 'publish', channel, content });
const hello = '{"type":"hello"}';
const ok = '{"type":"authorization_ok"}';

async function setup(t: ExecutionContext, answer: Answer, more: object = {}) {
  const backEnd = await startBackEnd(t, answer);
  const relay = await startTestRelay(t, {
    authenticator: 'Forward',
    forward: { url: `${backEnd.url}check`, timeout: '20s', ...more },
    doors: {
      pusu: {},
      pinghub: {},
      wspubsub: { realm: 'main', apikeys: { list: [{ domain: 'd', key: 'k' }] } },
    },
  });
  return { backEnd, relay };
}

test('pinghub: a WebSocket, a stream and a POST are each one question about the request', async (t) => {
  const { backEnd, relay } = await setup(t, status(204));
  const port = relay.port('pinghub');
  const headers = { Cookie: 'a=1', 'X-Original-URI': '/lie' };
  const client = await connectWs(t, port, '/a%2Fb?q=1', { headers });
  const { headers: asked, url } = await backEnd.asked.next();
  t.is(url, '/check');
  t.is(asked['x-original-uri'], '/a%2Fb?q=1');
  t.is(asked['x-original-method'], 'GET');
  t.is(asked['x-forwarded-for'], '127.0.0.1');
  t.is(asked.cookie, 'a=1');
  t.is(asked.upgrade, undefined);
  t.is(asked['sec-websocket-key'], undefined);
  client.send('one');
  t.is(await client.next(), 'one');
  t.is((await post(port, '/a/b', 'two')).status, 200);
  t.is((await backEnd.asked.next()).headers['x-original-method'], 'POST');
  t.is(await client.next(), 'two');
  t.is(backEnd.asked.all.length, 2);
});

test('PuSu: authorize is answered at once; each topic and right is one question', async (t) => {
  const { backEnd, relay } = await setup(t, (request, response) => {
    const { authorization, 'x-original-uri': uri, 'x-original-method': method } = request.headers;
    const may = authorization === 'Bearer word' && (uri === '/c' || (uri === '/r%20o' && method === 'GET'));
    response.writeHead(may ? 204 : 403).end();
  });
  const client = await connectWs(t, relay.port('pusu'), '/any?path', { headers: { Cookie: 'a=1' } });
  client.send(authorize('Bearer word'), subscribe('c'), publish('c', '1'), subscribe('r o'));
  const got = await client.take(5);
  t.deepEqual(got.slice(0, 3), [hello, ok, '{"type":"subscribe_ok","channel":"c"}']);
  t.deepEqual(new Set(got.slice(3)), new Set([publish('c', '1'), '{"type":"subscribe_ok","channel":"r o"}']));
  const asked = await backEnd.asked.take(3);
  t.deepEqual(
    asked.map(
      ({ headers }) => `${headers['x-original-method']} ${headers['x-original-uri']} ${headers.cookie}`,
    ),
    ['GET /c a=1', 'POST /c a=1', 'GET /r%20o a=1'],
  );
  client.send(publish('r o', '2'));
  t.deepEqual(await client.take(2), [
    '{"type":"permission_denied"}',
    { code: 1008, reason: 'permission_denied' },
  ]);
});

test('wspubsub: subscribers are judged by their request, publishers by their key', async (t) => {
  const { backEnd, relay } = await setup(t, (request, response) => {
    response.writeHead(request.headers['x-original-uri'] === '/ws/sub/d/t' ? 204 : 403).end();
  });
  const port = relay.port('wspubsub');
  const owner = await connectWs(t, port, '/ws/pub/k/d/t');
  t.is(backEnd.asked.all.length, 0);
  const subscriber = await connectWs(t, port, '/ws/sub/d/t');
  owner.send('one');
  t.is(await subscriber.next(), 'one');
  t.is((await refusedWs(t, port, '/ws/sub/d/u')).status, 403);
});

test('X-Rewrite names the topic that is used, at each door', async (t) => {
  const { relay } = await setup(t, (request, response) => {
    const uri = String(request.headers['x-original-uri']);
    const to = uri.startsWith('/ws/') ? '/ws/sub/d/t' : '/d/t';
    response.writeHead(204, { 'X-Rewrite': to }).end();
  });
  const owner = await connectWs(t, relay.port('wspubsub'), '/ws/pub/k/d/t');
  const subscriber = await connectWs(t, relay.port('wspubsub'), '/ws/sub/x/y');
  const pinghub = await connectWs(t, relay.port('pinghub'), '/other');
  const pusu = await connectWs(t, relay.port('pusu'));
  pusu.send(subscribe('alias'));
  t.deepEqual(await pusu.take(2), [hello, '{"type":"subscribe_ok","channel":"alias"}']);
  owner.send('one');
  t.is(await subscriber.next(), 'one');
  t.is(await pinghub.next(), 'one');
  t.is(await pusu.next(), publish('d/t', 'one'));
});

test('403 is a 403, any other answer a 500, no answer a 503', async (t) => {
  const { backEnd, relay } = await setup(t, status(403), { timeout: '2s' });
  const port = relay.port('pinghub');
  const statuses = async () => {
    const [posted, upgraded] = [await post(port, '/a', 'x'), await refusedWs(t, port, '/a')];
    t.is(posted.status, upgraded.status);
    t.is(posted.headers['retry-after'], upgraded.headers['retry-after']);
    return [posted.status, posted.headers['retry-after']];
  };
  t.deepEqual(await statuses(), [403, undefined]);
  for (const code of [200, 302, 401, 404, 500]) {
    backEnd.answer = status(code, { Location: backEnd.url });
    t.deepEqual(await statuses(), [500, undefined], String(code));
  }
  backEnd.answer = () => undefined;
  t.deepEqual(await statuses(), [503, '1']);
  await backEnd.stop();
  t.deepEqual(await statuses(), [503, '1']);
  t.is(relay.log.all.filter(({ msg }) => msg === 'authenticator-unavailable').length, 1);
});

test('a head that is too long for the service is forbidden, and the service is not away for it', async (t) => {
  const { relay } = await setup(t, status(204));
  const port = relay.port('pinghub');
  const posting = (long: number) =>
    `POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\nX: ${'x'.repeat(long)}\r\n\r\nhi`;
  t.regex(await rawExchange(t, port, posting(15_000)), /^HTTP\/1\.1 200 /);
  // With what the relay adds it is more than Node takes.
  t.regex(await rawExchange(t, port, posting(16_330)), /^HTTP\/1\.1 403 /);
  t.false(relay.log.all.some(({ msg }) => msg.startsWith('authenticator')));
});

test('a back end that is away hurts nobody who is in, and is asked again when it is back', async (t) => {
  const { backEnd, relay } = await setup(t, status(204));
  const port = relay.port('pinghub');
  const client = await connectWs(t, port, '/a');
  await backEnd.stop();
  t.is((await post(port, '/a', 'x')).status, 503);
  client.send('still here');
  t.is(await client.next(), 'still here');
  await startBackEnd(t, status(204), backEnd.port);
  t.is((await post(port, '/a', 'back')).status, 200);
  t.is(await client.next(), 'back');
});

test('a slow back end holds up nobody but those who wait for it', async (t) => {
  const { backEnd, relay } = await setup(t, status(204), { timeout: '30s' });
  const port = relay.port('pinghub');
  const client = await connectWs(t, port, '/a');
  backEnd.answer = (request, response) => {
    if (request.headers['x-original-uri'] !== '/slow') response.writeHead(204).end();
  };
  const slow = connectWs(t, port, '/slow').catch(() => undefined);
  await backEnd.asked.find(({ headers }) => headers['x-original-uri'] === '/slow');
  client.send('one');
  t.is(await client.next(), 'one');
  t.is((await post(port, '/a', 'two')).status, 200);
  await backEnd.stop();
  await slow;
});

test('the cache is off unless it is asked for', async (t) => {
  for (const [cache, questions] of [
    ['0', 3],
    ['60s', 1],
  ] as const) {
    const { backEnd, relay } = await setup(t, status(204), { cache });
    for (let i = 0; i < 3; i++)
      t.is((await ask(relay.port('pinghub'), '/a', { method: 'POST', body: 'x' })).status, 200);
    t.is(backEnd.asked.all.length, questions);
  }
});

test('a POST may be as large as any message, and a PuSu client’s messages once it has used a topic', async (t) => {
  const { relay } = await setup(t, status(204));
  const large = 'x'.repeat(60_000);
  const listener = await connectWs(t, relay.port('pinghub'), '/a');
  t.is((await post(relay.port('pinghub'), '/a', large)).status, 200);
  t.is(await listener.next(), large);
  const client = await connectWs(t, relay.port('pusu'));
  client.send(subscribe('a'));
  await client.take(2);
  client.send(publish('a', large));
  t.is(await client.next(), publish('a', large));
  const hasty = await connectWs(t, relay.port('pusu'));
  hasty.send(publish('a', large));
  t.is(await hasty.next(), hello);
  t.deepEqual(await hasty.next(), { code: 1009, reason: 'authorize first' });
});

test('a credential that no header can carry is none, however it comes, and the service is not away for it', async (t) => {
  const { backEnd, relay } = await setup(t, ({ headers }, response) => {
    response.writeHead(headers.authorization === 'Bearer good' ? 204 : 403).end();
  });
  const doors = [
    ['pinghub', '/t'],
    ['wspubsub', '/ws/sub/d/t'],
  ] as const;
  for (const token of ['a%00b', 'a%0D%0Ab', '%7F', '%E2%82%AC', '%C3%A9', 'bad']) {
    for (const [door, path] of doors) {
      const port = relay.port(door);
      t.is((await refusedWs(t, port, path, { protocols: ['bearer', token] })).status, 403, token);
      t.is((await refusedWs(t, port, `${path}?access_token=${token}`)).status, 403, token);
    }
    const client = await connectWs(t, relay.port('pusu'), '/', { protocols: ['bearer', token] });
    client.send(authorize(decodeURIComponent(token)), subscribe('c'));
    t.deepEqual((await client.take(4)).at(-1), { code: 1008, reason: 'permission_denied' }, token);
  }
  await connectWs(t, relay.port('wspubsub'), '/ws/pub/k/d/t');
  for (const [door, path] of doors)
    await connectWs(t, relay.port(door), path, { protocols: ['bearer', 'good'] });
  t.false(relay.log.all.some(({ msg }) => msg.startsWith('authenticator')));
  t.true(
    backEnd.asked.all.every(({ headers }) => /^(Bearer (bad|good)|bad)?$/.test(headers.authorization ?? '')),
  );
});
