import { once } from 'node:events';
import { createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { Reloaded } from '../../src/view/relay-view.ts';
import { selfSigned } from '../support/certificate.ts';
import { freePorts } from '../support/cluster.ts';
import { ask } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay, testConfig } from '../support/relay.ts';
import { connectWs, refusedWs } from '../support/ws-client.ts';

type Settings = Parameters<typeof testConfig>[0];

const reload = (relay: TestRelay, settings: Settings): Promise<Reloaded> =>
  relay.relay.reload(() => ({ ok: true, config: testConfig(settings) }));

const passwords = { authenticator: 'PasswordAuthenticator', passwords: { 'abcd-efgh': ['*'] } };

/** A port that somebody else has. */
async function takenPort(t: ExecutionContext): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => void server.close());
  await once(server, 'listening');
  return (server.address() as { readonly port: number }).port;
}

test('a reload that fails opens no guard, and the file from before finds all as it was', async (t) => {
  const taken = await takenPort(t);
  const at = (metrics: number | null, more: object) => ({
    doors: { pusu: {}, pinghub: { metrics_port: metrics } },
    ...more,
  });
  const relay = await startTestRelay(t, at(null, passwords));
  const port = relay.port('pinghub');
  const failed = await reload(relay, at(taken, { authenticator: 'None' }));
  t.like(failed, { ok: false, applied: [] });
  t.is((await refusedWs(t, port, '/a')).status, 401);
  await connectWs(t, port, '/a?access_token=abcd-efgh');
  t.like(await reload(relay, at(null, passwords)), { ok: true, applied: [] });
  t.is((await refusedWs(t, port, '/a')).status, 401);
  t.like(await reload(relay, at(null, { authenticator: 'None' })), { ok: true, applied: ['authenticator'] });
  await connectWs(t, port, '/a');
});

test('a reload that fails changes no limit, no certificate, no other door, no admin port and no level', async (t) => {
  const taken = await takenPort(t);
  const [admin = 0, opened = 0] = await freePorts(2);
  const { cert, key } = selfSigned(t);
  const relay = await startTestRelay(t, { doors: { pusu: {}, pinghub: {} } });
  const [pusu, pinghub, first] = ['pusu', 'pinghub', 'admin'].map((door) => relay.port(door)) as [
    number,
    number,
    number,
  ];
  const failed = await reload(relay, {
    doors: {
      pusu: { tls: { cert, key } },
      pinghub: { port: taken },
      wspubsub: { port: opened, apikeys: { list: [{ domain: 'd', key: 'key' }] } },
    },
    admin: { host: '127.0.0.1', port: admin, names: ['relay.internal'] },
    limits: { topic_length: 3 },
    log: { level: 'debug' },
  });
  t.deepEqual(failed, {
    ok: false,
    errors: [
      `doors.pinghub: cannot listen on 127.0.0.1:${taken}: the address is in use; it stays where it is`,
    ],
    applied: [],
    reread: [],
    needsRestart: [],
  });
  await connectWs(t, pusu);
  t.is((await ask(pinghub, '/longlong', { method: 'POST', body: 'x' })).status, 200);
  t.is((await ask(first, '/health/live')).status, 200);
  t.is((await ask(first, '/health/live', { headers: { host: 'relay.internal' } })).status, 421);
  for (const port of [admin, opened]) await t.throwsAsync(ask(port, '/'), { message: /ECONNREFUSED/ });
  t.false(relay.log.all.some(({ msg }) => msg === 'level' || msg === 'draining'));
  t.like(await reload(relay, { doors: { pusu: {}, pinghub: {} } }), { ok: true, applied: [] });
});

test('a door that cannot open leaves those open that would have closed, and all faults are named', async (t) => {
  const [door, admin] = [await takenPort(t), await takenPort(t)];
  const relay = await startTestRelay(t, { doors: { pinghub: { metrics_port: null } } });
  const failed = await reload(relay, {
    doors: { pusu: { port: door } },
    admin: { host: '127.0.0.1', port: admin },
  });
  t.deepEqual(failed.errors, [
    `doors.pusu: cannot listen on 127.0.0.1:${door}: the address is in use`,
    `admin: cannot listen on 127.0.0.1:${admin}: the address is in use; it stays where it is`,
  ]);
  await connectWs(t, relay.port('pinghub'), '/a');
});

test('a door opens at the port of one that closes, and two doors exchange their ports', async (t) => {
  const [one = 0, two = 0] = await freePorts(2);
  const relay = await startTestRelay(t, { doors: { pinghub: { port: one, metrics_port: null } } });
  t.deepEqual((await reload(relay, { doors: { pusu: { port: one } } })).errors, []);
  const both = (pusu: number, pinghub: number) => ({
    doors: { pusu: { port: pusu }, pinghub: { port: pinghub, metrics_port: null } },
  });
  t.deepEqual((await reload(relay, both(one, two))).errors, []);
  const client = await connectWs(t, one);
  await client.next();
  t.deepEqual((await reload(relay, both(two, one))).errors, []);
  t.deepEqual(await client.next(), { code: 1001, reason: 'going away' });
  t.is((await ask(one, '/a', { method: 'POST', body: 'x' })).status, 200);
  t.is((await ask(two, '/a', { method: 'POST', body: 'x' })).status, 405);
});

test('nobody is let in at a new place by the guards of before', async (t) => {
  const [from = 0, to = 0] = await freePorts(2);
  const taken = await takenPort(t);
  const relay = await startTestRelay(t, { doors: { pinghub: { port: from, metrics_port: null } } });
  let knocking = true;
  t.teardown(() => {
    knocking = false;
  });
  const answers: number[] = [];
  const knocks = (async () => {
    while (knocking)
      await ask(to, '/a', { method: 'POST', body: 'x' }).then(
        ({ status }) => answers.push(status),
        () => undefined,
      );
  })();
  const moved = (metrics: number | null) => ({
    doors: { pinghub: { port: to, metrics_port: metrics } },
    ...passwords,
  });
  for (let i = 0; i < 5; i++) t.false((await reload(relay, moved(taken))).ok);
  t.deepEqual(answers, []);
  t.true((await reload(relay, moved(null))).ok);
  await ask(to, '/a', { method: 'POST', body: 'x' });
  knocking = false;
  await knocks;
  t.deepEqual([...new Set(answers)], [401]);
});
