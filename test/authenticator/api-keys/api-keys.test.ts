import test from 'ava';
import { apiKeys } from '../../../src/authenticator/api-keys/api-keys.ts';
import { allows, everything, isEmpty, type Permissions } from '../../../src/authenticator/permissions.ts';
import { sha256 } from '../../../src/secret/secret.ts';
import { authenticatorContract } from '../../contract/authenticator-contract.ts';
import { question } from '../asker.ts';

const keys = [
  { domain: 'example.com', sha256: sha256('0a3c1d6e-key') },
  { domain: '*', sha256: sha256('star') },
  { domain: 'a*', sha256: sha256('letters') },
  { domain: '__proto__', sha256: sha256('proto') },
];

authenticatorContract('ApiKeys', {
  make: () => apiKeys(keys),
  grants: [
    {
      authorization: '0a3c1d6e-key',
      write: ['example.com/', 'example.com/a', 'example.com/a*'],
      neither: ['example.com', 'example.org/a', 'example.comx/a', '*/a', 'a/example.com/'],
    },
    { authorization: 'star', write: ['*/topic'], neither: ['example.com/topic', 'a*/topic', 'a'] },
    { authorization: 'letters', write: ['a*/b'], neither: ['a/b', 'ab/c', 'a*'] },
    { authorization: 'proto', write: ['__proto__/a'], neither: ['__proto__', 'toString'] },
  ],
});

const ask = (authorization: string) => apiKeys(keys).authorise(question(authorization)) as Permissions;

test('an API key publishes and does not read', (t) => {
  t.true(allows(ask('star'), 'write', '*/a'));
  t.false(allows(ask('star'), 'read', '*/a'));
});

test('an unknown key, the hash of a key, a key in capitals and no key at all are refused', (t) => {
  for (const wrong of ['?', sha256('star').toString('hex'), 'STAR', '']) t.true(isEmpty(ask(wrong)));
});

test('without keys nobody gets in', (t) => {
  const answer = apiKeys([]).authorise(question('x')) as Permissions;
  t.true(isEmpty(answer));
  t.notDeepEqual(answer, everything);
});
