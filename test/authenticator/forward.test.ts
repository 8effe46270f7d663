import test, { type ExecutionContext } from 'ava';
import { grantOf } from '../../src/authenticator/authorisation.ts';
import type { Access, Question } from '../../src/authenticator/contract.ts';
import { type ForwardOptions, forwardAuthenticator } from '../../src/authenticator/forward.ts';
import { allows, isEmpty, type Right } from '../../src/authenticator/permissions.ts';
import { authenticatorContract } from '../contract/authenticator-contract.ts';
import { type Answer, type BackEnd, startBackEnd, status } from '../support/back-end.ts';

type Headers = readonly (readonly [string, string])[];

function access(more: Partial<Access> = {}): Access {
  return {
    topic: 'a/b',
    right: 'read',
    rights: { read: true, write: false },
    method: 'GET',
    target: '/a%2Fb?x=1',
    topicAt: (path) => (path.startsWith('/') ? decodeURIComponent(path.slice(1)) : null),
    ...more,
  };
}

function asking(headers: Headers = [], more: Partial<Question> = {}): Question {
  const request = { method: 'GET', target: '/a%2Fb?x=1', headers };
  return { authorization: '', door: 'pinghub', address: '192.0.2.1', request, access: access(), ...more };
}

function ofBackEnd({ url }: BackEnd, more: Partial<ForwardOptions> = {}) {
  return forwardAuthenticator({ url: `${url}check?own`, timeout: 30_000, cache: 0, ...more });
}

async function setup(t: ExecutionContext, answer: Answer, more: Partial<ForwardOptions> = {}) {
  const backEnd = await startBackEnd(t, answer);
  return { backEnd, forward: ofBackEnd(backEnd, more) };
}

authenticatorContract('Forward', {
  make: async (t) => {
    const { forward } = await setup(t, (request, response) => {
      const { authorization, 'x-original-uri': uri, 'x-original-method': method } = request.headers;
      const may = authorization === 'word' && (uri === '/open' || (uri === '/read' && method === 'GET'));
      response.writeHead(may ? 204 : 403).end();
    });
    return forward;
  },
  grants: [
    { authorization: 'word', read: ['open', 'read'], write: ['open'], neither: ['other', '*', '', 'open/'] },
  ],
});

test('the server gets the client’s headers, the target as it came, the method and the address', async (t) => {
  const { backEnd, forward } = await setup(t, status(204));
  const headers: Headers = [
    ['User-Agent', 'browser'],
    ['Cookie', 'a=1'],
    ['X-Twice', '1'],
    ['X-Twice', '2'],
    ['Authorization', 'Bearer own'],
  ];
  await forward.authorise(asking(headers));
  const asked = await backEnd.asked.next();
  t.is(asked.method, 'GET');
  t.is(asked.url, '/check?own');
  const { host, connection, ...rest } = asked.headers;
  t.is(host, `127.0.0.1:${backEnd.port}`);
  t.is(connection, 'keep-alive');
  t.deepEqual(rest, {
    'user-agent': 'browser',
    cookie: 'a=1',
    'x-twice': '1, 2',
    authorization: 'Bearer own',
    'x-original-uri': '/a%2Fb?x=1',
    'x-original-method': 'GET',
    'x-forwarded-for': '192.0.2.1',
  });
});

test('what proxies say of a client no client can say of itself', async (t) => {
  const { backEnd, forward } = await setup(t, status(204));
  const lies = [
    'X-Original-URI',
    'x-original-method',
    'X_Original_URI',
    'X-Original-URL',
    'X-Rewrite',
    'X-Rewrite-URL',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'x_forwarded_user',
    'Forwarded',
    'X-Real-IP',
  ];
  await forward.authorise(asking(lies.map((name) => [name, 'a lie'])));
  const { rawHeaders } = await backEnd.asked.next();
  t.false(rawHeaders.includes('a lie'));
  t.is(rawHeaders.filter((one) => one.toLowerCase() === 'x-original-uri').length, 1);
});

test('a credential that the client gave later takes the place of the header', async (t) => {
  const { backEnd, forward } = await setup(t, status(204));
  await forward.authorise(asking([['Authorization', 'old']], { authorization: 'new' }));
  t.is((await backEnd.asked.next()).headers.authorization, 'new');
  for (const odd of ['a\r\nX-Original-URI: /', '\0', 'ü'])
    t.true(isEmpty(grantOf(await forward.authorise(asking([], { authorization: odd }))).permissions));
  t.is(backEnd.asked.all.length, 1);
});

test('204 allows what was asked for and no more', async (t) => {
  const { forward } = await setup(t, status(204));
  const { permissions, topic } = grantOf(await forward.authorise(asking()));
  t.is(topic, 'a/b');
  const opens = (right: Right, name: string) => allows(permissions, right, name);
  t.deepEqual(
    [opens('read', 'a/b'), opens('write', 'a/b'), opens('read', 'a'), opens('read', 'a/b/')],
    [true, false, false, false],
  );
  const star = access({ topic: '*', rights: { read: true, write: true } });
  const all = grantOf(await forward.authorise(asking([], { access: star }))).permissions;
  t.true(allows(all, 'write', '*'));
  t.false(allows(all, 'read', 'a'), 'a * is a topic of that name');
});

test('X-Rewrite moves the topic: that one is allowed, and the one asked for is not', async (t) => {
  const { backEnd, forward } = await setup(t, status(204, { 'X-Rewrite': '/c%20d?query' }));
  const { permissions, topic } = grantOf(await forward.authorise(asking()));
  t.is(topic, 'c d');
  t.true(allows(permissions, 'read', 'c d'));
  t.false(allows(permissions, 'read', 'a/b'));
  for (const bad of ['c', '', 'http://x/']) {
    backEnd.answer = status(204, { 'X-Rewrite': bad });
    await t.throwsAsync(async () => forward.authorise(asking()), { code: 'BAD_REWRITE' }, bad);
  }
});

test('403 forbids, and anything else is a fault', async (t) => {
  const { backEnd, forward } = await setup(t, status(403, {}, 'no'));
  t.true(isEmpty(grantOf(await forward.authorise(asking())).permissions));
  for (const code of [200, 201, 205, 301, 302, 307, 400, 401, 404, 500, 503]) {
    backEnd.answer = status(code, { Location: backEnd.url, 'X-Rewrite': '/x' });
    const before = backEnd.asked.all.length;
    await t.throwsAsync(async () => forward.authorise(asking()), { code: `HTTP_${code}` });
    t.is(backEnd.asked.all.length, before + 1, 'no redirect is followed');
  }
});

test('an answer may be so late and so large, and no more', async (t) => {
  const { backEnd, forward } = await setup(t, () => undefined);
  const hurried = ofBackEnd(backEnd, { timeout: 100 });
  await t.throwsAsync(async () => hurried.authorise(asking()), { code: 'ETIMEDOUT' });
  backEnd.answer = (_request, response) => {
    response.writeHead(403);
    const more = () => {
      while (response.write('x'.repeat(16_384)));
      response.once('drain', more);
    };
    more();
  };
  t.true(isEmpty(grantOf(await forward.authorise(asking())).permissions), 'an endless no is cut off');
  backEnd.answer = status(204, { 'X-Large': 'x'.repeat(17 * 1024) });
  await t.throwsAsync(async () => forward.authorise(asking()), { code: 'HPE_HEADER_OVERFLOW' });
  await backEnd.stop();
  await t.throwsAsync(async () => forward.authorise(asking()), { code: 'ECONNREFUSED' });
});

test('connections are kept, and one that the server has ended is no fault', async (t) => {
  const { backEnd, forward } = await setup(t, status(204));
  for (let i = 0; i < 5; i++) await forward.authorise(asking());
  t.is(backEnd.sockets.size, 1);
  // Answers, and resets the kept connection when the next request comes on it.
  let requests = 0;
  backEnd.answer = (request, response) => {
    if (++requests === 2) request.socket.resetAndDestroy();
    else response.writeHead(204).end();
  };
  for (let i = 0; i < 2; i++) t.is(grantOf(await forward.authorise(asking())).topic, 'a/b');
  t.is(requests, 3);
});

test('answers are kept only when that is asked for, and for those who ask the very same', async (t) => {
  const time = { now: 0 };
  const { backEnd, forward } = await setup(t, status(204), { cache: 1000, now: () => time.now });
  const count = async (question: Question) => {
    const before = backEnd.asked.all.length;
    await forward.authorise(question);
    return backEnd.asked.all.length - before;
  };
  const cookie: Headers = [['Cookie', 'a=1']];
  t.is(await count(asking(cookie)), 1);
  t.is(await count(asking(cookie)), 0);
  t.is(await count(asking([['Cookie', 'a=2']])), 1);
  t.is(await count(asking(cookie, { authorization: 'x' })), 1);
  t.is(await count(asking(cookie, { address: '192.0.2.2' })), 1);
  t.is(await count(asking(cookie, { access: access({ topic: 'c', target: '/c' }) })), 1);
  t.is(await count(asking(cookie, { access: access({ method: 'POST' }) })), 1);
  time.now = 999;
  t.is(await count(asking(cookie)), 0);
  time.now = 1000;
  t.is(await count(asking(cookie)), 1);
  backEnd.answer = status(500);
  for (let i = 0; i < 2; i++)
    await t.throwsAsync(async () => forward.authorise(asking([], { authorization: 'faulty' })));
  const off = ofBackEnd(backEnd);
  backEnd.answer = status(204);
  const before = backEnd.asked.all.length;
  for (let i = 0; i < 2; i++) await off.authorise(asking());
  t.is(backEnd.asked.all.length, before + 2);
});
