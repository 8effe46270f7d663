import test from 'ava';
import { authenticatorFrom } from '../../src/authenticator/authenticator-from.ts';
import { allows, everything, none, readEverything } from '../../src/authenticator/permissions.ts';
import { sha256 } from '../../src/authenticator/secret.ts';
import { permissionsFor, question } from './asker.ts';

test('the configured name chooses the authenticator', async (t) => {
  t.deepEqual(authenticatorFrom({ name: 'None' }).anonymous, everything);
  t.deepEqual(await authenticatorFrom({ name: 'MyAuthenticator' }).authorise(question('x')), none);
  for (const name of ['None', 'MyAuthenticator'] as const) t.is(authenticatorFrom({ name }).name, name);
});

test('PasswordAuthenticator gets its passwords and its default', async (t) => {
  const passwords = [{ sha256: sha256('word'), channels: ['a'] }];
  const config = { name: 'PasswordAuthenticator', passwords, allowReadByDefault: true } as const;
  const authenticator = authenticatorFrom(config);
  t.is(authenticator.name, 'PasswordAuthenticator');
  t.deepEqual(authenticator.anonymous, readEverything);
  t.true(allows(await permissionsFor(authenticator, 'word'), 'write', 'a'));
  t.deepEqual(authenticatorFrom({ ...config, allowReadByDefault: false }).anonymous, none);
});
