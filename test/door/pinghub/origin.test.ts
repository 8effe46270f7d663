import test from 'ava';
import { normalOrigin } from '../../../src/door/pinghub/origin.ts';

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
