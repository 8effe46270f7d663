import test, { type ExecutionContext } from 'ava';
import { type Answer, ask, connectRaw } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';

const wanted = 'https://chat.example.com';
const other = 'https://chat.example.net';
const preflight = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type',
};

const open = (
  t: ExecutionContext,
  pinghub: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<TestRelay> => startTestRelay(t, { ...more, doors: { pinghub, pusu: {}, wspubsub: {} } });

const asked = (relay: TestRelay, method: string, headers: Readonly<Record<string, string>>, path = '/t') =>
  ask(relay.port('pinghub'), path, { method, headers, ...(method === 'POST' ? { body: 'x' } : {}) });

const allowed = ({ headers }: Answer) => headers['access-control-allow-origin'];

test('a preflight is 204 with all that a page may ask for', async (t) => {
  const relay = await open(t, { origin: wanted });
  const { status, headers, body } = await asked(relay, 'OPTIONS', { origin: wanted, ...preflight });
  t.is(status, 204);
  t.is(body, '');
  t.like(headers, {
    'access-control-allow-origin': wanted,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'Authorization, Content-Type, Last-Event-ID, Cache-Control',
    'access-control-max-age': '7200',
    vary: 'Origin',
  });
  t.is(headers['content-length'], undefined, 'RFC 9110, section 8.6');
  t.is(headers['access-control-allow-private-network'], undefined);
  t.is(headers['access-control-allow-credentials'], undefined);
  const near = { 'access-control-request-private-network': 'true' };
  t.is(
    (await asked(relay, 'OPTIONS', { origin: wanted, ...preflight, ...near })).headers[
      'access-control-allow-private-network'
    ],
    'true',
  );
});

test('a preflight of another origin is 403 and counted, and one where any origin may come is *', async (t) => {
  const strict = await open(t, { origin: wanted });
  const refused = await asked(strict, 'OPTIONS', { origin: other, ...preflight });
  t.deepEqual([refused.status, allowed(refused), refused.headers['vary']], [403, undefined, 'Origin']);
  t.is(strict.relay.refusals.origin, 1);
  t.truthy(strict.log.all.find(({ msg, why }) => msg === 'not admitted' && why === 'origin'));
  const any = await asked(await open(t, {}), 'OPTIONS', { origin: other, ...preflight });
  t.deepEqual([any.status, allowed(any), any.headers['vary']], [204, '*', undefined]);
});

test('a preflight brings no credential, and needs none', async (t) => {
  const relay = await open(t, { origin: wanted }, { authenticator: 'MyAuthenticator' });
  t.is((await asked(relay, 'OPTIONS', { origin: wanted, ...preflight })).status, 204);
});

test('doors that only upgrade have nothing for pages of other origins to ask', async (t) => {
  const relay = await open(t, {});
  for (const [door, path] of [
    ['pusu', '/'],
    ['wspubsub', '/ws/sub/d/t'],
  ] as const) {
    const answer = await ask(relay.port(door), path, {
      method: 'OPTIONS',
      headers: { origin: wanted, ...preflight },
    });
    t.deepEqual([answer.status, allowed(answer)], [405, undefined], door);
  }
});

test('an answer that is no refusal may be read by a page of a listed origin', async (t) => {
  const relay = await open(t, { origin: [wanted, 'https://*.example.org'] });
  for (const origin of [wanted, 'https://a.example.org']) {
    const posted = await asked(relay, 'POST', { origin });
    t.deepEqual([posted.status, allowed(posted), posted.headers['vary']], [200, origin, 'Origin']);
    const stream = await connectRaw(t, relay.port('pinghub'));
    stream.send(`GET /t HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nAccept: text/event-stream\r\n\r\n`);
    const head = await stream.until('\r\n\r\n');
    t.true(head.includes(`\r\nAccess-Control-Allow-Origin: ${origin}\r\n`), head);
    t.regex(head, /\r\nVary: Origin\r\n/);
  }
  const page = await asked(relay, 'GET', { origin: other });
  t.deepEqual([page.status, allowed(page), page.headers['vary']], [200, undefined, 'Origin']);
});

test('every refusal but that of the origin may be read by a page of a listed origin', async (t) => {
  const relay = await open(
    t,
    { origin: wanted },
    {
      authenticator: 'PasswordAuthenticator',
      passwords: { good: ['t'] },
      limits: { message: '1KiB', failed_authorisations: 2, exempt: [] },
    },
  );
  const origin = wanted;
  const statuses = new Map<number, Answer>();
  const note = (answer: Answer) => statuses.set(answer.status, answer);
  note(await asked(relay, 'POST', { origin }));
  note(await asked(relay, 'POST', { origin, authorization: 'Bearer good' }, '/u'));
  note(await asked(relay, 'DELETE', { origin }));
  note(await asked(relay, 'POST', { origin }, '/%ff'));
  note(await asked(relay, 'POST', { origin, expect: 'more' }));
  note(
    await ask(relay.port('pinghub'), '/t', {
      method: 'POST',
      headers: { origin, authorization: 'Bearer good' },
      body: 'x'.repeat(1025),
    }),
  );
  for (let n = 0; n < 3; n++) note(await asked(relay, 'POST', { origin, authorization: 'Bearer bad' }));
  t.deepEqual([...statuses.keys()].toSorted(), [400, 401, 403, 405, 413, 417, 429]);
  for (const [status, answer] of statuses)
    t.deepEqual([allowed(answer), answer.headers['vary']], [wanted, 'Origin'], `${status}`);
});

test('the origins of apps without a host of their own can be listed', async (t) => {
  const relay = await open(t, { origin: ['null', 'file://', 'capacitor://localhost'] });
  for (const origin of ['null', 'file://', 'capacitor://localhost']) {
    const posted = await asked(relay, 'POST', { origin });
    t.deepEqual([posted.status, allowed(posted)], [200, origin]);
  }
  t.is((await asked(relay, 'POST', { origin: 'https://evil.example' })).status, 403);
});
