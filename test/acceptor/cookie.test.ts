import test from 'ava';
import { cookieMayCount, cookieValue } from '../../src/acceptor/cookie.ts';

test('the cookie of a name is found among others, without quotes, decoded once', (t) => {
  const value = (header: string) => cookieValue('sid', ['Host', 'x', 'Cookie', header]);
  t.is(value('sid=a.b.c'), 'a.b.c');
  t.is(value('a=b; sid=x=y;c=d'), 'x=y');
  t.is(value(' sid = "quoted" '), 'quoted');
  t.is(value('sid=a%20b%2525'), 'a b%25');
  t.is(value('sid=first; sid=second'), 'first', 'that of the longest path');
  for (const header of ['', 'sid', 'sid=', 'sid=%zz', 'xsid=a', 'SID=a', 'a=sid=b'])
    t.is(value(header), undefined, header);
  t.is(cookieValue('sid', ['Host', 'x']), undefined);
  t.is(cookieValue('sid', ['Cookie', 'a=b', 'cookie', 'sid=c']), 'c', 'in a line of its own');
});

const from = (origin: string, host = 'relay.example:8081', ...more: readonly string[]) => [
  'Host',
  host,
  'Origin',
  origin,
  ...more,
];
const any = { listed: false, tls: false };

test('without a list of origins a cookie counts for pages of the same origin alone', (t) => {
  t.true(cookieMayCount(from('http://relay.example:8081'), any));
  t.true(cookieMayCount(from('https://relay.example', 'relay.example'), any), 'a proxy speaks TLS');
  t.true(cookieMayCount(from('https://relay.example', 'Relay.example:443'), { listed: false, tls: true }));
  for (const origin of [
    'http://relay.example',
    'http://evil.example:8081',
    'http://x.relay.example:8081',
    'null',
    '',
  ])
    t.false(cookieMayCount(from(origin), any), origin);
  t.false(cookieMayCount(from('http://relay.example', 'relay.example'), { listed: false, tls: true }));
  t.false(cookieMayCount(['Origin', 'http://relay.example'], any), 'no host');
});

test('with a list it counts for those who are listed, but not for origins that many pages share', (t) => {
  const listed = { listed: true, tls: false };
  t.true(cookieMayCount(from('https://chat.example'), listed));
  for (const origin of ['null', 'file://']) t.false(cookieMayCount(from(origin), listed));
  t.false(cookieMayCount([...from('https://a.example'), 'Origin', 'https://b.example'], listed));
});

test('a request without an origin is no page of another site, unless its browser says so', (t) => {
  for (const where of [any, { listed: true, tls: true }]) {
    t.true(cookieMayCount(['Host', 'x'], where));
    for (const site of ['same-origin', 'none']) t.true(cookieMayCount(['Sec-Fetch-Site', site], where));
    for (const site of ['cross-site', 'same-site']) t.false(cookieMayCount(['Sec-Fetch-Site', site], where));
  }
});
