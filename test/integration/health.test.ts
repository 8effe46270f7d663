import test, { type ExecutionContext } from 'ava';
import { exit } from '../../src/otp/signal.ts';
import { findProcess, resume, suspend } from '../../src/otp/sys.ts';
import { ask } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { quiescence } from '../support/otp.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

interface Ready {
  readonly ready: boolean;
  readonly edges: readonly { readonly edge: string; readonly ok: boolean; readonly why: string | null }[];
}

/** A relay whose time stands still: no probe of it is late because the machine is. */
async function stillRelay(
  t: ExecutionContext,
  settings: Parameters<typeof startTestRelay>[1],
): Promise<TestRelay & { readonly clock: VirtualClock }> {
  const clock = new VirtualClock();
  return { ...(await startTestRelay(t, settings, 1000, { clock })), clock };
}

test('a relay that works is ready at every door and partition, by all the names of the question', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {}, wspubsub: {}, pinghub: {} } });
  const port = relay.port('admin');
  t.deepEqual(JSON.parse((await ask(port, '/health/live')).body), { live: true });
  for (const path of ['/health/ready', '/healthz', '/health']) {
    const { status, body } = await ask(port, path);
    const { ready, edges } = JSON.parse(body) as Ready;
    t.is(status, 200);
    t.true(ready);
    t.deepEqual(
      edges.map(({ edge }) => edge),
      [
        'door pusu',
        'door wspubsub',
        'door pinghub',
        ...Array.from({ length: 8 }, (_, i) => `topics.${i}.router`),
      ],
    );
    t.true(edges.every(({ ok }) => ok));
  }
  t.is((await ask(port, '/nothing')).status, 404);
  t.is((await ask(port, '/metrics', { method: 'DELETE' })).status, 405);
});

test('a suspended router makes the relay not ready after 900 ms, and is named; resumed, it is ready again', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {}, pinghub: {} } });
  const port = relay.port('admin');
  const { system } = relay.relay;
  const router = findProcess(relay.relay.system, 'topics.3.router');
  if (router === undefined) throw new Error('no router');
  suspend(router);
  let answered = false;
  const asked = ask(port, '/health/ready').finally(() => {
    answered = true;
  });
  const probing = () => [...system.processes.values()].some(({ behaviour }) => behaviour.name === 'canary');
  await eventually(probing, 'it is probed');
  await quiescence(system);
  relay.clock.advance(899);
  t.is((await ask(port, '/health/live')).status, 200);
  t.false(answered);
  relay.clock.advance(1);
  const red = await asked;
  t.is(red.status, 503);
  const { ready, edges } = JSON.parse(red.body) as Ready;
  t.false(ready);
  const faulty = edges.filter(({ ok }) => !ok);
  t.true(faulty.length >= 1);
  t.true(faulty.some(({ edge }) => edge === 'topics.3.router'));
  for (const { why } of faulty) t.is(why, 'no answer from topics.3.router in 900 ms (it is suspended)');
  t.is((await ask(port, '/health/live')).status, 200, 'it lives all the same');
  resume(router);
  t.is((await ask(port, '/health/ready')).status, 200);
});

test('a suspended listener makes its door not ready, and no other', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {}, pinghub: {} } });
  const listener = findProcess(relay.relay.system, 'listener.pusu');
  if (listener === undefined) throw new Error('no listener');
  suspend(listener);
  const { edges } = JSON.parse((await ask(relay.port('admin'), '/health')).body) as Ready;
  t.deepEqual(
    edges.filter(({ ok }) => !ok).map(({ edge, why }) => [edge, why]),
    [['door pusu', 'listener.pusu does not run (it is suspended)']],
  );
  resume(listener);
});

test('probes leave no topic, no message and no delivery in what is counted', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {} } });
  t.is((await ask(relay.port('admin'), '/health')).status, 200);
  t.is([...relay.relay.topics.all()].length, 0);
  const { messages, attempts, delivered } = relay.accounting;
  t.deepEqual({ messages, attempts, delivered }, { messages: 0, attempts: 0, delivered: 0 });
});

test("who asks by a name that is not the relay's own, or from a page of another origin, learns nothing", async (t) => {
  const relay = await startTestRelay(t, {
    doors: { pusu: {} },
    admin: { host: '127.0.0.1', port: 0, names: ['relay.internal'] },
  });
  const port = relay.port('admin');
  const status = async (headers: Record<string, string>) => (await ask(port, '/metrics', { headers })).status;
  t.is(await status({ host: `evil.example:${port}` }), 421);
  t.is(await status({ host: 'relay.internal' }), 200);
  t.is(await status({ origin: 'http://evil.example' }), 403);
  t.is(await status({ origin: `http://127.0.0.1:${port}` }), 200);
  t.is(await status({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }), 403);
});

test('the admin port comes back when its listener crashes, and the clients notice nothing', async (t) => {
  const relay = await stillRelay(t, { doors: { pusu: {} } });
  const listener = findProcess(relay.relay.system, 'admin.listener');
  const door = findProcess(relay.relay.system, 'listener.pusu');
  if (listener === undefined) throw new Error('no listener');
  exit(listener, 'kill');
  await relay.log.count((line) => line.msg === 'listening' && line['door'] === 'admin', 2);
  const again = relay.log.all.filter((line) => line['door'] === 'admin').at(-1);
  t.is((await ask(again?.['port'] as number, '/health')).status, 200);
  t.true(findProcess(relay.relay.system, 'listener.pusu') === door);
});

test('it can be switched off', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} }, admin: false });
  t.throws(() => relay.port('admin'));
  t.false(relay.relay.system.names.has('admin.listener'));
  t.true(relay.relay.system.names.has('admin.watchdog'));
});
