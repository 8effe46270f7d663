import { inspect } from 'node:util';
import test from 'ava';
import { accepted, refused } from './support.ts';

const storeOf = (text: string) => accepted(text).doors.wspubsub?.apiKeys;

test('without a store of its own, the door has that of the relay, and the relay the file beside its own', (t) => {
  t.deepEqual(storeOf('doors: { wspubsub: true }'), { store: 'file', file: 'apikeys.yaml' });
  t.deepEqual(storeOf('apikeys: { file: /keys.yaml }\ndoors: { wspubsub: true }'), {
    store: 'file',
    file: '/keys.yaml',
  });
  const own = 'apikeys: { file: /keys.yaml }\ndoors: { wspubsub: { apikeys: { file: own/keys.yaml } } }';
  t.deepEqual(storeOf(own), { store: 'file', file: 'own/keys.yaml' });
  t.deepEqual(accepted(own).apiKeys, { store: 'file', file: '/keys.yaml' });
});

test('a list that is empty is no store', (t) => {
  t.is(storeOf('apikeys: { list: [] }\ndoors: { wspubsub: { apikeys: { list: [] } } }')?.store, 'file');
  t.is(storeOf('apikeys: { list: [{ domain: a, key: b }] }\ndoors: { wspubsub: true }')?.store, 'list');
});

test('a database is looked at again every minute, unless the door or the relay says otherwise', (t) => {
  const recheckOf = (text: string) => {
    const store = storeOf(text);
    return store?.store === 'postgres' ? store.recheck : null;
  };
  const url = 'postgres: "postgres://u:p@h/d"';
  t.is(recheckOf(`apikeys: { ${url} }\ndoors: { wspubsub: true }`), 60_000);
  t.is(recheckOf(`apikeys: { ${url}, recheck: 5s }\ndoors: { wspubsub: true }`), 5000);
  t.is(recheckOf(`apikeys: { ${url}, recheck: 5s }\ndoors: { wspubsub: { apikeys: { recheck: 0 } } }`), 0);
  t.is(recheckOf(`doors: { wspubsub: { apikeys: { ${url}, recheck: 1s } } }`), 1000);
});

test('the URL of a database is checked, and shown to nobody', (t) => {
  const set = (url: string) => `apikeys: { postgres: ${JSON.stringify(url)} }`;
  for (const good of [
    'postgres://localhost/keys',
    'postgresql://u:p%40ss@[::1]:5432/keys?sslmode=verify-full&sslrootcert=/ca.pem',
    'postgres:///keys?host=/run/postgresql',
    'postgres://u@/keys?host=%2Frun%2Fpostgresql',
  ]) {
    const { apiKeys } = accepted(set(good));
    t.is(apiKeys.store === 'postgres' && apiKeys.url.reveal(), good);
    t.false(inspect(apiKeys, { depth: 9, showHidden: true }).includes(good));
    t.false(JSON.stringify(apiKeys).includes(good));
  }
  for (const bad of [
    '',
    'localhost',
    'mysql://hunter2@h/d',
    'postgres://hunter2%zz@h/d',
    'postgres://a b/',
  ]) {
    t.deepEqual(refused(set(bad)), [
      'relay.yaml:1:22 apikeys.postgres: a URL such as postgres://host:5432/database, with user:password@ before the host, or null',
    ]);
  }
});

test('of several stores in one place, none can be meant', (t) => {
  t.deepEqual(refused('apikeys: { file: a, postgres: "postgres://h/d" }'), [
    'relay.yaml:1:31 apikeys.postgres: one store of keys; apikeys.file is another',
  ]);
  t.deepEqual(refused('doors: { wspubsub: { apikeys: { file: a, list: [{ domain: a, key: b }] } } }'), [
    'relay.yaml:1:39 doors.wspubsub.apikeys.file: one store of keys; doors.wspubsub.apikeys.list is another',
  ]);
  t.truthy(
    accepted('apikeys: { file: a }\ndoors: { wspubsub: { apikeys: { postgres: "postgres://h/d" } } }'),
  );
});
