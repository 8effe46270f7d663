import test from 'ava';
import { readyTo } from '../../src/otp/prepared.ts';
import { changedKeys, type Reloadable, RunningConfig, withKeys } from '../../src/reload/running-config.ts';
import { Hidden } from '../../src/secret/hidden.ts';
import { accepted } from '../config/support.ts';

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

const part = (keys: readonly string[], more: Partial<Reloadable> = {}): Reloadable => ({
  keys,
  prepare: () => readyTo(() => undefined),
  ...more,
});

test('a part gets the changed keys that it takes; what no part takes needs a restart until it is as it was', (t) => {
  const running = new RunningConfig(accepted('node: a'));
  const parts = [part(['limits', 'doors'], { except: ['doors.*.realm'] }), part(['limits.drain'])];
  const wanted = accepted('node: b\ndoors: { pusu: { realm: r, port: 1 } }\nlimits: { drain: 1s }');
  for (const round of [1, 2]) {
    const plan = running.plan(wanted, parts);
    const keys = plan.steps.map((step) => step.keys);
    t.deepEqual(keys, round === 1 ? [['doors.pusu.port', 'limits.drain'], ['limits.drain']] : []);
    t.deepEqual(running.finish(plan, []).needsRestart, ['node', 'doors.pusu.realm']);
  }
  t.deepEqual(running.plan(accepted('node: a\nlimits: { drain: 1s }'), parts).needsRestart, []);
});

test('a part takes nothing together with a key that it cannot follow', (t) => {
  const running = new RunningConfig(accepted(''));
  const parts = [part(['relays'], { unless: ['cluster.backplane'] })];
  const relays = 'relays: [a.example.com, b.example.com]';
  const nats = `${relays}\ncluster: { backplane: nats, servers: [n.example.com] }`;
  t.deepEqual(running.plan(accepted(nats), parts).steps, []);
  t.deepEqual(
    running.plan(accepted(relays), parts).steps.map(({ keys }) => keys),
    [['relays']],
  );
});

test('after a fault nothing has been applied, and all of it is a change again', (t) => {
  const running = new RunningConfig(accepted(''));
  const parts = [part(['limits.drain']), part(['limits.pending'])];
  const wanted = accepted('limits: { drain: 1s, pending: 2MiB }');
  const keys = () => running.plan(wanted, parts).steps.map((step) => step.keys);
  const result = running.finish(running.plan(wanted, parts), ['limits.pending: no']);
  t.deepEqual([result.ok, result.errors, result.applied], [false, ['limits.pending: no'], []]);
  t.deepEqual(keys(), [['limits.drain'], ['limits.pending']]);
  t.true(running.finish(running.plan(wanted, parts), []).ok);
  t.deepEqual(keys(), []);
});

test('after a reload each key has the value that counts, and what waits for a restart its old one', (t) => {
  const row = (key: string, value: string, from = 'relay.yaml:1') => ({ key, value, from });
  const before = [row('node', 'a'), row('limits.drain', '1s'), row('limits.pong', 'null', 'default')];
  const after = [row('node', 'b'), row('limits.drain', '2s'), row('limits.pong', 'null', 'default')];
  const running = new RunningConfig(accepted('node: a\nlimits: { drain: 1s }'), before);
  const wanted = accepted('node: b\nlimits: { drain: 2s }');
  const part = {
    keys: ['limits'],
    prepare: () => ({ faults: null, commit: () => undefined, undo: () => [] }),
  };
  running.finish(running.plan(wanted, [part], after), ['a port cannot be had']);
  t.deepEqual(running.effective, before);
  running.finish(running.plan(wanted, [part], after), []);
  t.deepEqual(running.effective, [
    row('node', 'a'),
    row('limits.drain', '2s'),
    row('limits.pong', 'null', 'default'),
  ]);
});
