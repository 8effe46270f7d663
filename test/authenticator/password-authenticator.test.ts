import test from 'ava';
import { grantOf } from '../../src/authenticator/authorisation.ts';
import type { Answer } from '../../src/authenticator/contract.ts';
import { type Password, passwordAuthenticator } from '../../src/authenticator/password-authenticator.ts';
import { everything, isEmpty, readAndWrite, readEverything } from '../../src/authenticator/permissions.ts';
import { sha256 } from '../../src/secret/secret.ts';
import { authenticatorContract } from '../contract/authenticator-contract.ts';
import { printed, question } from './asker.ts';

function password(text: string, ...channels: string[]): Password {
  return { sha256: sha256(text), channels };
}

const passwords = [
  password('open sesame', '*'),
  password('user', 'user.*', 'chat', '__proto__'),
  password('ключ 🔑', 'a'),
  password('useless'),
];

const grants = [
  { authorization: 'open sesame', read: ['a', 'user.1'], write: ['a', '__proto__'] },
  {
    authorization: 'user',
    read: ['user.', 'user.1', 'chat', '__proto__'],
    write: ['user.', 'user.1', 'chat', '__proto__'],
  },
  { authorization: 'ключ 🔑', read: ['a'], write: ['a'] },
];

authenticatorContract('PasswordAuthenticator', {
  make: () => passwordAuthenticator(passwords, false),
  grants: [...grants, { authorization: 'user', neither: ['user', 'chat.1', 'cha', 'constructor', ''] }],
});

authenticatorContract('PasswordAuthenticator that lets all read', {
  make: () => passwordAuthenticator(passwords, true),
  grants: [...grants, { authorization: 'user', read: ['other', 'chat.1'] }],
});

const ask = (passwords: readonly Password[], readByDefault: boolean, authorization: string) =>
  grantOf(passwordAuthenticator(passwords, readByDefault).authorise(question(authorization)) as Answer)
    .permissions;

test('a wrong password grants nothing, one without channels grants nothing, no passwords grant nothing', (t) => {
  t.true(isEmpty(ask(passwords, false, 'wrong')));
  t.true(isEmpty(ask(passwords, false, 'useless')));
  t.true(isEmpty(ask([], false, '')));
});

test('a wrong password may read everything where everybody may', (t) => {
  t.deepEqual(ask(passwords, true, 'wrong'), readEverything);
  t.deepEqual(ask([], true, ''), readEverything);
  t.deepEqual(ask(passwords, true, 'open sesame'), everything);
});

test('the hash of a password is not that password', (t) => {
  t.true(isEmpty(ask(passwords, false, sha256('user').toString('hex'))));
  t.true(isEmpty(ask(passwords, false, `sha256:${sha256('user').toString('hex')}`)));
});

test('every entry of a password counts, the last one too', (t) => {
  const twice = [password('x', 'a'), password('y', 'b'), password('x', 'c')];
  const exact = new Map([
    ['a', readAndWrite],
    ['c', readAndWrite],
  ]);
  t.deepEqual(ask(twice, false, 'x').exact, exact);
});

test('a pattern with its * elsewhere than at the end is refused when the authenticator is made', (t) => {
  for (const pattern of ['a*b', '*a', '**', ''])
    t.throws(() => passwordAuthenticator([password('x', pattern)], false), { instanceOf: RangeError });
});

test('printing the authenticator shows no hash', (t) => {
  t.notRegex(printed(passwordAuthenticator(passwords, false)), /Buffer|Uint8Array|sha256/);
});
