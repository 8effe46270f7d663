import test from 'ava';
import { targetOf } from '../../src/http/request-target.ts';

const of = (url: string, host = 'own') => targetOf({ url, headers: { host } });

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
    t.deepEqual(of(url), { target: url, host: 'own' }, url);
});

test('of an absolute one the path and query are the target, and its host is the host', (t) => {
  t.deepEqual(of('http://a/news'), { target: '/news', host: 'a' });
  t.deepEqual(of('HTTPS://A:8443/news?x=http://b/'), { target: '/news?x=http://b/', host: 'A:8443' });
  t.deepEqual(of('http://[::1]:80//a%2Fb'), { target: '//a%2Fb', host: '[::1]:80' });
  t.deepEqual(of('http://a'), { target: '/', host: 'a' });
  t.deepEqual(of('http://a?b'), { target: '/?b', host: 'a' });
});

test('a name with its user is none', (t) => {
  t.deepEqual(of('http://user@a/news'), { target: 'http://user@a/news', host: 'own' });
});
