import test, { type ExecutionContext } from 'ava';
import { processName, whereis } from '../../src/otp/registry.ts';
import { exit } from '../../src/otp/signal.ts';
import { eventually } from '../support/arrivals.ts';
import { freePorts } from '../support/cluster.ts';
import { ask } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

type Settings = Parameters<typeof testConfig>[0];

async function reload(t: ExecutionContext, relay: TestRelay, settings: Settings): Promise<void> {
  const { errors } = await relay.relay.reload(() => ({ ok: true, config: testConfig(settings) }));
  t.deepEqual(errors, []);
}

/** Kills a child of the root, and waits until it and all that stand below it are there again. */
async function restarted({ relay: { system } }: TestRelay, name: string): Promise<void> {
  const find = (one: string) => whereis(system, processName<never>(one));
  const [old, reloading] = [find(name), find('reload')];
  if (old === undefined || reloading === undefined) throw new Error(`there is no ${name}`);
  exit(old, 'kill');
  await eventually(async () => {
    const now = find('reload');
    return now !== undefined && now !== reloading && find(name) !== undefined;
  }, `${name} is there again`);
}

const refusesConnections = { message: /ECONNREFUSED/ };

test('after a restart of the acceptor a door that a reload closed is closed, and an opened one is open', async (t) => {
  const [closed = 0, opened = 0] = await freePorts(2);
  const pinghub = { port: closed, metrics_port: null };
  const relay = await startTestRelay(t, { doors: { pusu: {}, pinghub } });
  await reload(t, relay, { doors: { pusu: {}, wspubsub: { port: opened } } });
  await restarted(relay, 'acceptor');
  await connectWs(t, relay.port('pusu'));
  t.is((await refusedWs(t, opened, '/ws/sub/d/a')).status, 404, 'of a topic that nobody owns');
  await t.throwsAsync(connectWs(t, closed, '/a'), refusesConnections);
});

test('after a restart of the acceptor a door that a reload moved is at its new place alone', async (t) => {
  const [from = 0, to = 0, last = 0] = await freePorts(3);
  const at = (port: number) => ({ doors: { pinghub: { port, metrics_port: null } } });
  const relay = await startTestRelay(t, at(from));
  await reload(t, relay, at(to));
  await restarted(relay, 'acceptor');
  await connectWs(t, to, '/a');
  await t.throwsAsync(connectWs(t, from, '/a'), refusesConnections);
  await reload(t, relay, at(last));
  await connectWs(t, last, '/a');
  await t.throwsAsync(connectWs(t, to, '/a'), refusesConnections);
});

test('after a restart of the authenticators those of the last reload judge', async (t) => {
  const doors = { pinghub: { metrics_port: null } };
  const relay = await startTestRelay(t, { doors });
  const passwords = { 'abcd-efgh': ['*'] };
  await reload(t, relay, { doors, authenticator: 'PasswordAuthenticator', passwords });
  await restarted(relay, 'authenticators');
  await connectWs(t, relay.port('pinghub'), '/a?access_token=abcd-efgh');
  t.is((await refusedWs(t, relay.port('pinghub'), '/a')).status, 401);
});

test('after a restart of the acceptor the admin port is where a reload has put it, or nowhere', async (t) => {
  const [from = 0, to = 0] = await freePorts(2);
  const at = (port: number) => ({ doors: { pusu: {} }, admin: { host: '127.0.0.1', port } });
  const relay = await startTestRelay(t, at(from));
  await reload(t, relay, at(to));
  await restarted(relay, 'acceptor');
  t.is((await ask(to, '/health/live')).status, 200);
  await t.throwsAsync(ask(from, '/health/live'));
  await reload(t, relay, { doors: { pusu: {} }, admin: false });
  await restarted(relay, 'acceptor');
  await t.throwsAsync(ask(to, '/health/live'));
});
