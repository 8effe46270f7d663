import test from 'ava';
import { grantOf } from '../../src/authenticator/authorisation.ts';
import { allows, isEmpty } from '../../src/authenticator/permissions.ts';
import { type PluginRequest, pluginAuthenticator, pluginOf } from '../../src/authenticator/plugin.ts';
import { authenticatorContract } from '../contract/authenticator-contract.ts';
import { permissionsFor, question } from './asker.ts';

const plugin = (getPermissions: (authorization: string, request: PluginRequest) => unknown) =>
  pluginAuthenticator('mine.js', { getPermissions });

const known = { 'user.*': { read: true }, chat: 'rw', drop: { read: false, write: true } };
const grants = [
  {
    authorization: 'word',
    read: ['user.1', 'chat'],
    write: ['chat', 'drop'],
    neither: ['user', 'chat.1', '*', '__proto__'],
  },
];

authenticatorContract('a plugin', {
  make: () => plugin((authorization) => (authorization === 'word' ? known : {})),
  grants,
});

authenticatorContract('a plugin that takes its time and gives a map', {
  make: () => plugin(async (authorization) => new Map(authorization === 'word' ? Object.entries(known) : [])),
  grants,
});

authenticatorContract('a plugin that opens something to who gives no credential', {
  make: () => plugin((authorization) => (authorization === '' || authorization === 'word' ? known : {})),
  grants: [...grants, { ...grants[0], authorization: '' }],
});

test('the request is the client’s, its headers by their names in lower case', async (t) => {
  const seen: PluginRequest[] = [];
  const authenticator = plugin((_authorization, request) => {
    seen.push(request);
    return {};
  });
  const headers = [
    ['Cookie', 'a=1'],
    ['X-A', '1'],
    ['x-a', '2'],
    ['__proto__', 'x'],
  ] as const;
  const request = { method: 'POST', target: '/a?b=c', headers };
  await authenticator.authorise({ ...question('word'), request });
  const [asked] = seen;
  t.is(asked?.method, 'POST');
  t.is(asked?.url, '/a?b=c');
  t.is(asked?.door, 'pusu');
  t.is(asked?.address, '127.0.0.1');
  t.deepEqual(Object.entries(asked?.headers ?? {}), [
    ['cookie', 'a=1'],
    ['x-a', '1, 2'],
    ['__proto__', 'x'],
  ]);
});

test('every object has names; only what it was given counts', async (t) => {
  const permissions = await permissionsFor(
    plugin(() => JSON.parse('{"__proto__": "r"}')),
    'x',
  );
  t.true(allows(permissions, 'read', '__proto__'));
  t.true(
    isEmpty(
      await permissionsFor(
        plugin(() => ({})),
        'x',
      ),
    ),
  );
});

for (const [what, answer] of [
  ['nothing', undefined],
  ['null', null],
  ['true', true],
  ['a text', 'rw'],
  ['a list', [['a', 'r']]],
  ['another word', { a: 'read' }],
  ['a right that is no boolean', { a: { read: 'yes' } }],
  ['a pattern with its * in the middle', { 'a*b': 'r' }],
  ['an empty pattern', { '': 'r' }],
  ['a map with keys that are no texts', new Map([[1, 'r']])],
  ['null for a pattern', { a: null }],
] as const) {
  test(`${what} is no answer`, async (t) => {
    await t.throwsAsync(async () => plugin(() => answer).authorise(question('x')));
  });
}

test('a throw is no answer, at once or later', async (t) => {
  const message = 'no';
  const fail = () => {
    throw new Error(message);
  };
  await t.throwsAsync(async () => plugin(fail).authorise(question('x')), { message });
  await t.throwsAsync(async () => plugin(async () => fail()).authorise(question('x')), { message });
});

test('a plugin that can tell of changes is watched', (t) => {
  let tell = () => {};
  let ended = 0;
  const watched = pluginAuthenticator('mine.js', {
    getPermissions: () => ({}),
    watch(changed) {
      tell = changed;
      return () => ended++;
    },
  });
  let told = 0;
  const end = watched.watch?.(() => told++);
  tell();
  end?.();
  t.deepEqual([told, ended], [1, 1]);
  t.is(plugin(() => ({})).watch, undefined);
});

test('a module is a plugin when it exports getPermissions', (t) => {
  const getPermissions = () => ({});
  t.is(typeof pluginOf({ getPermissions }), 'object');
  t.is(pluginOf({}), 'a module that exports a function getPermissions');
  t.is(pluginOf({ default: { getPermissions } }), 'a module that exports a function getPermissions');
  t.is(pluginOf({ getPermissions: {} }), 'a module that exports a function getPermissions');
  t.is(pluginOf({ getPermissions, watch: 1 }), 'a module whose export watch is a function');
  t.true(isEmpty(grantOf(plugin(getPermissions).anonymous).permissions));
});
