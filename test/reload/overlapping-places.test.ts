import { once } from 'node:events';
import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { Reloaded } from '../../src/view/relay-view.ts';
import { freePorts } from '../support/cluster.ts';
import { ask } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { connectWs } from '../support/ws-client.ts';

/** Two sockets cannot listen side by side at one port, when one of them is at all addresses of the machine. */
const PLACES = [
  ['127.0.0.1', '0.0.0.0'],
  ['0.0.0.0', '127.0.0.1'],
  ['127.0.0.1', '::'],
] as const;

type Settings = Parameters<typeof testConfig>[0];

const reload = (relay: TestRelay, settings: Settings): Promise<Reloaded> =>
  relay.relay.reload(() => ({ ok: true, config: testConfig(settings) }));

/** Somebody else at this port of another address of the machine. */
async function occupy(t: ExecutionContext, port: number): Promise<void> {
  const other = createServer().listen(port, '127.0.0.2');
  t.teardown(() => void other.close());
  await once(other, 'listening');
}

const places = (relay: TestRelay, door: string): unknown[] =>
  relay.log.all
    .filter(({ msg, door: of }) => msg === 'listening' && of === door)
    .map(({ host, port }) => `${host} ${port}`);

for (const [from, to] of PLACES) {
  test(`a door moves from ${from} to ${to} at the same ports, and who is connected stays`, async (t) => {
    const [port = 0, metrics = 0] = await freePorts(2);
    const at = (host: string) => ({ doors: { pinghub: { host, port, metrics_port: metrics } } });
    const relay = await startTestRelay(t, at(from));
    const one = await connectWs(t, port, '/news');
    t.like(await reload(relay, at(to)), { ok: true, errors: [], applied: ['doors.pinghub.host'] });
    t.is((await ask(port, '/news', { method: 'POST', body: 'x' })).status, 200);
    t.is(await one.next(), 'x');
    t.deepEqual(places(relay, 'pinghub'), [`${from} ${port}`, `${to} ${port}`]);
    t.deepEqual(places(relay, 'pinghub-metrics'), [`${from} ${metrics}`, `${to} ${metrics}`]);
    one.send('y');
    t.is(await one.next(), 'y');
  });

  test(`the admin port moves from ${from} to ${to} at the same port`, async (t) => {
    const [port = 0] = await freePorts(1);
    const at = (host: string) => ({ doors: { pusu: {} }, admin: { host, port } });
    const relay = await startTestRelay(t, at(from));
    t.like(await reload(relay, at(to)), { ok: true, errors: [], applied: ['admin.host'] });
    t.is((await ask(port, '/health/live')).status, 200);
    t.deepEqual(places(relay, 'admin'), [`${from} ${port}`, `${to} ${port}`]);
  });
}

test('what cannot move at the same port goes back to where it was, and who is connected stays', async (t) => {
  const [port = 0, metrics = 0, admin = 0] = await freePorts(3);
  for (const each of [port, metrics, admin]) await occupy(t, each);
  const at = (host: string) => ({
    doors: { pinghub: { host, port, metrics_port: metrics } },
    admin: { host, port: admin },
  });
  const relay = await startTestRelay(t, at('127.0.0.1'));
  const one = await connectWs(t, port, '/news');
  const { errors, applied } = await reload(relay, at('0.0.0.0'));
  t.deepEqual(applied, []);
  const inUse = (at: number) => `cannot listen on 0.0.0.0:${at}: the address is in use; it stays where it is`;
  t.deepEqual(errors.toSorted(), [
    `admin: ${inUse(admin)}`,
    `doors.pinghub: ${inUse(port)}; ${inUse(metrics)}`,
  ]);
  t.is((await ask(port, '/news', { method: 'POST', body: 'x' })).status, 200);
  t.is(await one.next(), 'x');
  t.is((await ask(admin, '/health/live')).status, 200);
  t.deepEqual(places(relay, 'pinghub-metrics'), [`127.0.0.1 ${metrics}`, `127.0.0.1 ${metrics}`]);
});
