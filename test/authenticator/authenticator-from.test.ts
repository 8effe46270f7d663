import test from 'ava';
import { authenticatorFrom } from '../../src/authenticator/authenticator-from.ts';
import { allows, everything, none, readEverything } from '../../src/authenticator/permissions.ts';
import type { AuthenticatorConfig } from '../../src/config/authenticators.ts';
import { sha256 } from '../../src/secret/secret.ts';
import { authenticatorContract } from '../contract/authenticator-contract.ts';
import { testConfig } from '../support/relay.ts';
import { storeLog } from './api-keys/store-log.ts';
import { permissionsFor, question } from './asker.ts';

const from = (config: AuthenticatorConfig) => authenticatorFrom(config, 1000, new Map(), storeLog().log);

test('the configured name chooses the authenticator', async (t) => {
  t.deepEqual(from({ name: 'None' }).anonymous, everything);
  t.deepEqual(await from({ name: 'MyAuthenticator' }).authorise(question('x')), none);
  for (const name of ['None', 'MyAuthenticator'] as const) t.is(from({ name }).name, name);
});

test('PasswordAuthenticator gets its passwords and its default', async (t) => {
  const passwords = [{ sha256: sha256('word'), channels: ['a'] }];
  const config = { name: 'PasswordAuthenticator', passwords, allowReadByDefault: true } as const;
  const authenticator = from(config);
  t.is(authenticator.name, 'PasswordAuthenticator');
  t.deepEqual(authenticator.anonymous, readEverything);
  t.true(allows(await permissionsFor(authenticator, 'word'), 'write', 'a'));
  t.deepEqual(from({ ...config, allowReadByDefault: false }).anonymous, none);
});

test('JWT, Forward and a plugin are made of their settings', (t) => {
  const jwt = {
    name: 'JWT',
    keys: [],
    jwks: null,
    algorithms: [],
    audience: null,
    issuer: null,
    leeway: 0,
    grace: 0,
    recheck: 0,
  } as const;
  t.is(from(jwt).watch, undefined);
  t.is(typeof from({ ...jwt, jwks: { file: '/nowhere' } }).watch, 'function');
  const forward = { name: 'Forward', url: 'http://localhost', cache: 0, recheck: 0, recheckRate: 0 } as const;
  t.is(from(forward).needs, 'topic');
  t.is(from(forward).recheck, undefined);
  t.deepEqual(from({ ...forward, recheck: 10 }).recheck, { every: 10, rate: Number.POSITIVE_INFINITY });
  t.deepEqual(from({ ...forward, recheck: 10, recheckRate: 7 }).recheck, { every: 10, rate: 7 });
  const at = { file: 'relay.yaml', line: 1, column: 1 };
  const plugin = { name: 'Plugin', file: '/p/mine.js', at, key: 'authenticator' } as const;
  t.throws(() => from(plugin));
  const plugins = new Map([['/p/mine.js', { getPermissions: () => ({}) }]]);
  t.is(authenticatorFrom(plugin, 1000, plugins, storeLog().log).name, '/p/mine.js');
});

const passwordShapes = {
  'a map': { word: ['a', 'user.*'], [`sha256:${sha256('other').toString('hex')}`]: ['b'] },
  'a list of maps': [{ word: ['a', 'user.*'] }, { [`sha256:${sha256('other').toString('hex')}`]: ['b'] }],
};

for (const [shape, passwords] of Object.entries(passwordShapes))
  authenticatorContract(`PasswordAuthenticator as ${shape} in the settings`, {
    make: () => from(testConfig({ authenticator: 'PasswordAuthenticator', passwords }).authenticator),
    grants: [
      { authorization: 'word', read: ['a', 'user.1'], write: ['a', 'user.1'], neither: ['b', 'user'] },
      { authorization: 'other', read: ['b'], write: ['b'], neither: ['a'] },
    ],
  });

authenticatorContract('ApiKeys by its name in the settings', {
  make: () => {
    const apikeys = { list: [{ domain: 'd', key: 'word' }] };
    return from(testConfig({ authenticator: 'ApiKeys', apikeys }).authenticator);
  },
  grants: [{ authorization: 'word', write: ['d/a', 'd/b'], neither: ['d', 'dd/a'] }],
});

authenticatorContract('None', {
  make: () => from({ name: 'None' }),
  grants: [
    { authorization: 'anything', read: ['a', '*', '__proto__'], write: ['a', 'x/y', '__proto__'] },
    { authorization: '', read: ['a'], write: ['a'] },
  ],
});

authenticatorContract('MyAuthenticator', {
  make: () => from({ name: 'MyAuthenticator' }),
  grants: [{ authorization: 'anything', neither: ['a', '*', '__proto__'] }],
});
