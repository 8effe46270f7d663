import test from 'ava';
import { normalOrigin, originRule } from '../../src/acceptor/origin.ts';

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
