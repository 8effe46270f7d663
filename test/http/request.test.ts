import test from 'ava';
import { asksForWebSocket, countOf, hasBody, hasToken, targetOf, valuesOf } from '../../src/http/request.ts';

function of(url: string, host = 'own') {
  const { path, query, ...where } = targetOf({ url, headers: { host } });
  return { ...where, parts: query === '' ? path : `${path}?${query}` };
}

test('a target in origin form stays as it is', (t) => {
  for (const url of [
    '/',
    '/a?b',
    '//a',
    '/http://b/c',
    '*',
    'a',
    'http:/a',
    'http://',
    'http:///a',
    'ws://a/b',
  ])
    t.deepEqual(of(url), { target: url, host: 'own', parts: url }, url);
});

test('of an absolute one the path and query are the target, and its host is the host', (t) => {
  t.deepEqual(of('http://a/news'), { target: '/news', host: 'a', parts: '/news' });
  t.deepEqual(of('HTTPS://A:8443/news?x=http://b/'), {
    target: '/news?x=http://b/',
    host: 'A:8443',
    parts: '/news?x=http://b/',
  });
  t.deepEqual(of('http://[::1]:80//a%2Fb'), { target: '//a%2Fb', host: '[::1]:80', parts: '//a%2Fb' });
  t.deepEqual(of('http://a'), { target: '/', host: 'a', parts: '/' });
  t.deepEqual(of('http://a?b'), { target: '/?b', host: 'a', parts: '/?b' });
});

test('a name with its user is none', (t) => {
  t.deepEqual(of('http://user@a/news'), {
    target: 'http://user@a/news',
    host: 'own',
    parts: 'http://user@a/news',
  });
});

test('a WebSocket is asked for by a GET that names it in Upgrade, and upgrade in Connection', (t) => {
  const asks = (upgrade: string, method = 'GET', connection = 'Upgrade') =>
    asksForWebSocket({ method, headers: { upgrade, connection } });
  for (const upgrade of ['websocket', 'WebSocket', 'h2c, websocket', 'websocket,TLS/1.2', ' , websocket'])
    t.true(asks(upgrade), upgrade);
  for (const upgrade of ['h2c', 'websockets', 'websocket/13', 'web socket', ''])
    t.false(asks(upgrade), upgrade);
  t.true(asks('websocket', 'GET', 'keep-alive, UPGRADE'));
  for (const method of ['POST', 'HEAD', 'OPTIONS', 'get']) t.false(asks('websocket', method), method);
  t.false(asks('websocket', 'GET', 'keep-alive'));
  t.false(asksForWebSocket({ method: 'GET', headers: { connection: 'upgrade' } }));
});

test('a body is one of a length above 0, or in chunks', (t) => {
  for (const length of ['0', '00', undefined])
    t.false(hasBody({ headers: length === undefined ? {} : { 'content-length': length } }), length);
  for (const length of ['1', '10', '01']) t.true(hasBody({ headers: { 'content-length': length } }), length);
  t.true(hasBody({ headers: { 'transfer-encoding': 'chunked' } }));
});

test('a word of a list is found whole, in any case', (t) => {
  t.true(hasToken('a, B ,c', 'b'));
  t.false(hasToken('ab', 'a'));
  t.false(hasToken(undefined, 'a'));
});

test('all values of a header that is repeated are read, and counted, whatever its case', (t) => {
  const raw = ['Via', 'a', 'X', 'b', 'VIA', 'c, d'];
  t.is(valuesOf(raw, 'via'), 'a, c, d');
  t.is(valuesOf(raw, 'vi'), undefined);
  t.is(valuesOf(['Via', ''], 'via'), '');
  t.deepEqual([countOf(raw, 'via'), countOf(raw, 'x'), countOf(raw, 'y')], [2, 1, 0]);
});
