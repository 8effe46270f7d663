import test from 'ava';
import {
  CrossOrigin,
  type CrossOriginOptions,
  cookieMayCount,
  normalOrigin,
  originRule,
} from '../../src/acceptor/origin.ts';

test('a default port is the same as none', (t) => {
  t.is(normalOrigin('https://a.example'), normalOrigin('https://a.example:443'));
  t.is(normalOrigin('http://a.example'), normalOrigin('http://a.example:80'));
  t.not(normalOrigin('http://a.example'), normalOrigin('http://a.example:443'));
  t.is(normalOrigin('https://a.example:0443'), normalOrigin('https://a.example'));
});

test('scheme, host and port tell origins apart', (t) => {
  const origins = [
    'https://a.example',
    'http://a.example',
    'https://b.example',
    'https://a.example:8443',
    'https://[::1]',
  ];
  t.is(new Set(origins.map(normalOrigin)).size, origins.length);
});

test('the case of scheme and host does not matter', (t) => {
  t.is(normalOrigin('HTTPS://A.Example'), normalOrigin('https://a.example'));
});

test('what is not one origin is none', (t) => {
  const odd = [
    '',
    'null',
    'a.example',
    'https://',
    'https://a.example/',
    'https://a.example/path',
    'https://u@a.example',
  ];
  const lists = [
    'https://a.example, https://a.example',
    'https://a.example https://a.example',
    'https://a.example,b',
  ];
  for (const text of [
    ...odd,
    ...lists,
    'https://a.example:x',
    'https://a.example:',
    'https://a.example:123456',
  ]) {
    t.is(normalOrigin(text), null, text);
  }
});

const from = (...origins: readonly string[]) => [
  'Host',
  'x',
  ...origins.flatMap((origin) => ['Origin', origin]),
];

test('a request without an origin passes, one with two never does', (t) => {
  const a = 'https://a.example';
  for (const rule of [originRule(null), originRule([a]), originRule([])]) {
    t.true(rule(from()));
    t.false(rule(from(a, a)));
    t.false(rule(['ORIGIN', a, 'Host', 'x', 'origin', a]));
  }
});

test('any origin passes where none is wanted', (t) => {
  for (const origin of ['https://a.example', 'null', 'x', '']) t.true(originRule(null)(from(origin)), origin);
  for (const origin of ['https://a.example', 'null', 'x', '']) t.false(originRule([])(from(origin)), origin);
});

test('an origin of the list passes, in whichever spelling', (t) => {
  const rule = originRule(['https://a.example', 'http://b.example:8080']);
  for (const good of [
    'https://a.example',
    'https://a.example:443',
    'HTTPS://A.Example',
    'http://b.example:8080',
  ]) {
    t.true(rule(from(good)), good);
  }
  for (const bad of [
    'http://a.example',
    'https://a.example:8443',
    'https://b.example:8080',
    'http://b.example',
    'https://x.a.example',
    'https://a.example.net',
    'https://a.example/',
    'https://a.example, https://a.example',
    'null',
    '',
  ]) {
    t.false(rule(from(bad)), bad);
  }
});

test('a pattern is every host below a domain, and not the domain itself', (t) => {
  const rule = originRule(['https://*.example.com', 'http://*.test:8080']);
  for (const good of [
    'https://a.example.com',
    'https://a.b.example.com',
    'https://A.EXAMPLE.com:443',
    'http://x.test:8080',
  ]) {
    t.true(rule(from(good)), good);
  }
  for (const bad of [
    'https://example.com',
    'https://.example.com',
    'https://badexample.com',
    'http://a.example.com',
    'https://a.example.com:8443',
    'https://a.example.com.evil.net',
    'https://a.example.com/',
    'http://x.test',
    'http://test:8080',
  ]) {
    t.false(rule(from(bad)), bad);
  }
});

test('the origins of apps pass where they are listed as they are, and nothing that looks like them', (t) => {
  const rule = originRule(['null', 'file://']);
  for (const good of ['null', 'file://']) t.true(rule(from(good)), good);
  for (const bad of ['NULL', 'file:///', 'file://host', 'https://null', '']) t.false(rule(from(bad)), bad);
  t.false(rule(from('null', 'null')));
  t.false(originRule(['https://a.example'])(from('file://')));
});

const fromHost = (origin: string, host = 'relay.example:8081', ...more: readonly string[]) => [
  'Host',
  host,
  'Origin',
  origin,
  ...more,
];
const any = { listed: false, tls: false };

test('without a list of origins a cookie counts for pages of the same origin alone', (t) => {
  t.true(cookieMayCount(fromHost('http://relay.example:8081'), any));
  t.true(cookieMayCount(fromHost('https://relay.example', 'relay.example'), any), 'a proxy speaks TLS');
  t.true(
    cookieMayCount(fromHost('https://relay.example', 'Relay.example:443'), { listed: false, tls: true }),
  );
  for (const origin of [
    'http://relay.example',
    'http://evil.example:8081',
    'http://x.relay.example:8081',
    'null',
    '',
  ])
    t.false(cookieMayCount(fromHost(origin), any), origin);
  t.false(cookieMayCount(fromHost('http://relay.example', 'relay.example'), { listed: false, tls: true }));
  t.false(cookieMayCount(['Origin', 'http://relay.example'], any), 'no host');
});

test('with a list it counts for those who are listed, but not for origins that many pages share', (t) => {
  const listed = { listed: true, tls: false };
  t.true(cookieMayCount(fromHost('https://chat.example'), listed));
  for (const origin of ['null', 'file://']) t.false(cookieMayCount(fromHost(origin), listed));
  t.false(cookieMayCount([...fromHost('https://a.example'), 'Origin', 'https://b.example'], listed));
});

test('a request without an origin is no page of another site, unless its browser says so', (t) => {
  for (const where of [any, { listed: true, tls: true }]) {
    t.true(cookieMayCount(['Host', 'x'], where));
    for (const site of ['same-origin', 'none']) t.true(cookieMayCount(['Sec-Fetch-Site', site], where));
    for (const site of ['cross-site', 'same-site']) t.false(cookieMayCount(['Sec-Fetch-Site', site], where));
  }
});

const wanted = 'https://chat.example.com';
const offer = { methods: 'GET, POST', headers: 'Authorization' };
const rule = (allowed: readonly string[] | null, more: Partial<CrossOriginOptions> = {}) =>
  new CrossOrigin({ allowed, offer, credentials: false, ...more });
const askedFrom = (origin: string, ...more: readonly string[]) => ['Host', 'x', 'Origin', origin, ...more];
const none = ['Host', 'x'];

test('where any origin may come every answer says *, whoever asks, and does not vary', (t) => {
  for (const headers of [none, askedFrom(wanted), askedFrom('null')])
    t.deepEqual(rule(null).headersFor(headers), {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Expose-Headers': 'Retry-After',
    });
});

test('with a list an answer names the origin as it came, and every answer varies', (t) => {
  const listed = rule([wanted, 'https://*.example.org', 'null', 'file://']);
  for (const origin of [
    wanted,
    `${wanted}:443`,
    'HTTPS://Chat.Example.COM',
    'https://a.example.org',
    'null',
    'file://',
  ])
    t.like(listed.headersFor(askedFrom(origin)), { Vary: 'Origin', 'Access-Control-Allow-Origin': origin });
  for (const headers of [
    none,
    askedFrom('https://evil.example'),
    askedFrom(''),
    askedFrom(wanted, 'Origin', wanted),
  ])
    t.deepEqual(listed.headersFor(headers), { Vary: 'Origin' });
  t.deepEqual(rule([]).headersFor(askedFrom(wanted)), { Vary: 'Origin' });
});

test('credentials go with a listed origin alone: neither with * nor with an origin that many pages share', (t) => {
  const key = 'Access-Control-Allow-Credentials';
  const credentials = true;
  const listed = rule([wanted, 'null', 'file://'], { credentials });
  t.is(listed.headersFor(askedFrom(wanted))[key], 'true');
  for (const origin of ['null', 'file://', 'https://evil.example'])
    t.is(listed.headersFor(askedFrom(origin))[key], undefined);
  t.is(rule(null, { credentials }).headersFor(askedFrom(wanted))[key], undefined);
  t.is(rule([wanted]).headersFor(askedFrom(wanted))[key], undefined);
});

test('a preflight is told what may be asked for, and of private networks where it asks', (t) => {
  const listed = rule([wanted]);
  t.deepEqual(listed.preflight(askedFrom(wanted)), {
    type: 'reply',
    status: 204,
    headers: {
      'Access-Control-Allow-Methods': 'GET, POST',
      'Access-Control-Allow-Headers': 'Authorization',
      'Access-Control-Max-Age': '7200',
    },
    body: '',
  });
  const asking = listed.preflight(askedFrom(wanted, 'Access-Control-Request-Private-Network', 'true'));
  t.is(asking.headers['Access-Control-Allow-Private-Network'], 'true');
});
