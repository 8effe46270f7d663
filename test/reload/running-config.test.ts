import test from 'ava';
import { changedKeys, withKeys } from '../../src/reload/running-config.ts';
import { Hidden } from '../../src/secret/hidden.ts';

const before = {
  node: 'a',
  limits: { pending: 1, writeStall: 2 },
  doors: { pusu: null, wspubsub: { port: 1, apiKeys: [{ domain: 'd' }] } },
  authenticator: { name: 'None' },
};

test('a change is named as it is written in a file, and without its value', (t) => {
  const after = {
    ...before,
    limits: { pending: 1, writeStall: 3 },
    doors: { pusu: { port: 5 }, wspubsub: { port: 1, apiKeys: [] } },
    authenticator: { name: 'PasswordAuthenticator', passwords: [] },
  };
  const changes = changedKeys(before, after);
  t.deepEqual(
    changes.map(({ key }) => key),
    ['limits.write_stall', 'doors.pusu', 'doors.wspubsub.apikeys', 'authenticator'],
  );
  t.deepEqual(withKeys<object>(before, after, changes), after);
});

test('what is the same is no change, and only what is asked for is taken over', (t) => {
  t.deepEqual(changedKeys(before, structuredClone(before)), []);
  const after = { ...structuredClone(before), node: 'b', limits: { pending: 9, writeStall: 9 } };
  const some = changedKeys(before, after).filter(({ key }) => key === 'limits.pending');
  t.deepEqual(withKeys<object>(before, after, some), { ...before, limits: { pending: 9, writeStall: 2 } });
  t.is(before.limits.pending, 1);
});

test('a secret that has changed is a change, however deep it is, and the same one is none', (t) => {
  const config = (secret: string) => ({
    network: { secret: new Hidden(Buffer.from(secret)) },
    cluster: { token: new Hidden(secret) },
    apiKeys: { store: 'postgres', url: new Hidden(secret), recheck: 1 },
  });
  t.deepEqual(changedKeys(config('a'), config('a')), []);
  t.deepEqual(
    changedKeys(config('a'), config('b')).map(({ key }) => key),
    ['network.secret', 'cluster.token', 'apikeys'],
  );
  t.deepEqual(
    changedKeys({ cluster: { token: null } }, { cluster: { token: new Hidden('a') } }).map(({ key }) => key),
    ['cluster.token'],
  );
});
