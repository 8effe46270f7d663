import test from 'ava';
import { noneAuthenticator, withinChannels } from '../../src/authenticator/authenticator-from.ts';
import type { Authenticator } from '../../src/authenticator/contract.ts';
import { passwordAuthenticator } from '../../src/authenticator/password-authenticator.ts';
import {
  allows,
  everything,
  isEmpty,
  none,
  onPatterns,
  type Permissions,
  readAndWrite,
} from '../../src/authenticator/permissions.ts';
import { sha256 } from '../../src/secret/secret.ts';
import { authenticatorContract } from '../contract/authenticator-contract.ts';
import { permissionsFor, question } from './asker.ts';

const passwords = [{ sha256: sha256('word'), channels: ['user.*', 'news', 'chat.room'] }];

authenticatorContract('None within channels', {
  make: () => withinChannels(noneAuthenticator, ['user.*', 'news']),
  grants: [
    { authorization: '', read: ['news', 'user.1'], write: ['news', 'user.1'], neither: ['news.1', 'a'] },
  ],
});

authenticatorContract('PasswordAuthenticator within channels', {
  make: () => withinChannels(passwordAuthenticator(passwords, false), ['user.1*', 'chat.*', 'other']),
  grants: [
    {
      authorization: 'word',
      read: ['user.1', 'user.12', 'chat.room'],
      write: ['user.1', 'user.12', 'chat.room'],
      neither: ['user.', 'user.2', 'news', 'chat.other', 'other'],
    },
  ],
});

const slow = (answer: unknown): Authenticator => ({
  name: 'Slow',
  anonymous: none,
  authorise: () => Promise.resolve(answer as Permissions),
});

test('an answer that comes later is bound too', async (t) => {
  const granted = await permissionsFor(withinChannels(slow(everything), ['a']), 'x');
  t.true(allows(granted, 'write', 'a'));
  t.false(allows(granted, 'write', 'b'));
});

test('an empty list allows nothing, and a * everything', async (t) => {
  t.true(isEmpty(await permissionsFor(withinChannels(noneAuthenticator, []), 'x')));
  t.deepEqual(await withinChannels(noneAuthenticator, ['*']).authorise(question('x')), everything);
});

test('an answer that is no permission does not become one', async (t) => {
  const odd = { ...everything, all: { read: 'no', write: 'no' } };
  await t.throwsAsync(async () => withinChannels(slow(odd), ['a']).authorise(question('x')), {
    instanceOf: TypeError,
  });
});

test('a malformed pattern is refused at once', (t) => {
  t.throws(() => withinChannels(noneAuthenticator, ['a*b']), { instanceOf: RangeError });
});

test('a grant keeps its terms, and a watch goes through', async (t) => {
  const grant = { permissions: everything, subject: 'u', expires: 5, topic: 'b' };
  let changed = () => {};
  const bound = withinChannels(
    {
      ...slow(grant),
      needs: 'topic',
      watch(tell) {
        changed = tell;
        return () => undefined;
      },
    },
    ['a'],
  );
  t.deepEqual(await bound.authorise(question('x')), {
    ...grant,
    permissions: onPatterns(['a'], readAndWrite),
  });
  t.is(bound.needs, 'topic');
  let told = 0;
  bound.watch?.(() => told++);
  changed();
  t.is(told, 1);
  t.is(withinChannels(noneAuthenticator, ['a']).watch, undefined);
});
