import test from 'ava';
import { credentialOf } from '../../src/door/credential.ts';
import { doorRequest } from './door-request.ts';

function ofHeader(authorization: string): string | null {
  return credentialOf(doorRequest({ headers: { authorization } }));
}

function ofTarget(target: string): string | null {
  return credentialOf(doorRequest({ target }));
}

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

test('a request without a credential has none', (t) => {
  t.is(credentialOf(doorRequest({ target: '/a?b=c' })), null);
});

test('a bearer token is the credential, whatever the case of the scheme', (t) => {
  t.is(ofHeader('Bearer abc.def-_~+/=='), 'abc.def-_~+/==');
  t.is(ofHeader('bEARER  x '), 'x');
});

test('the password of a basic authorization is the credential', (t) => {
  t.is(ofHeader(basic('user:secret')), 'secret');
  t.is(ofHeader(basic(':se:cret')), 'se:cret');
  t.is(ofHeader(basic('user:pässword')), 'pässword');
  t.is(ofHeader(basic('user:')), '');
});

test('an authorization that cannot be read is none', (t) => {
  const unreadable = [
    '',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a, Bearer b',
    'Digest x',
    'Basic',
    'Basic !!',
  ];
  for (const authorization of [...unreadable, basic('no colon'), `${basic('a:b')}, ${basic('c:d')}`]) {
    t.is(ofHeader(authorization), null, authorization);
  }
});

test('access_token in the query is the credential, decoded', (t) => {
  t.is(ofTarget('/a?access_token=abc'), 'abc');
  t.is(ofTarget('/a?x=y&access_token=a%2Bb%C3%A9&z'), 'a+bé');
  t.is(ofTarget('/a?access_token=a+b'), 'a b');
  t.is(ofTarget('/a?access%5Ftoken=abc'), 'abc');
  t.is(ofTarget('/a?access_token=a=b'), 'a=b');
});

test('the first access_token counts', (t) => {
  t.is(ofTarget('/a?access_token=a&access_token=b'), 'a');
});

test('an access_token that is empty or malformed is none', (t) => {
  for (const query of [
    'access_token=',
    'access_token',
    'access_token=%zz',
    'access_token=%ff',
    'xaccess_token=a',
  ]) {
    t.is(ofTarget(`/a?${query}`), null, query);
  }
});

test('the header goes before the query', (t) => {
  const headers = { authorization: 'Bearer a' };
  t.is(credentialOf(doorRequest({ target: '/?access_token=b', headers })), 'a');
});

test('an authorization of a scheme that is not ours leaves the query to count', (t) => {
  const headers = { authorization: 'Digest a' };
  t.is(credentialOf(doorRequest({ target: '/?access_token=b', headers })), 'b');
});
