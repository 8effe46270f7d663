import test from 'ava';
import { ask, parseMetrics } from '../support/admin.ts';
import { eventually } from '../support/arrivals.ts';
import { connectRaw, post } from '../support/raw-client.ts';
import { startTestRelay } from '../support/relay.ts';
import { configFile, runRelay } from '../support/relay-process.ts';

/** Open files that a relay may have, and clients that want more. */
const FILES = 200;
const CLIENTS = 300;

const doors = 'doors: { pinghub: { host: 127.0.0.1, port: 0, metrics_port: null } }\n';
const limits = 'connections_per_address: 0, connection_rate_per_address: 0';

test('connections beyond the limit on open files are closed, said and counted, and nothing crashes', async (t) => {
  const file = configFile(t, `${doors}limits: { connections: 1000, ${limits} }\n`);
  const limited = ['bash', '-c', `ulimit -n ${FILES} && exec "$@"`, '-'];
  const relay = runRelay(t, ['--config', file], {}, limited);
  await relay.log.find(({ msg }) => msg === 'ready');
  t.like(
    relay.log.all.find(({ msg }) => msg === 'limits.connections is more than the limit on open files leaves'),
    { level: 40, connections: 1000, openFiles: FILES },
  );
  const [port, admin] = [await relay.port('pinghub'), await relay.port('admin')];
  const stream = 'GET /t HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n';
  let closed = 0;
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const client = await connectRaw(t, port).catch(() => undefined);
      client?.socket.on('close', () => closed++);
      client?.send(stream);
      return client;
    }),
  );
  const open = () => clients.filter((client) => client?.received().includes('200 OK')).length;
  await eventually(() => open() + closed >= CLIENTS, 'each is in, or closed');
  t.true(open() > 50 && open() < FILES, `${open()} are in`);
  const said = relay.log.all.filter(({ msg }) =>
    msg.startsWith('connections are closed: the limit on open files'),
  );
  t.is(said.length, 1, 'once, not for each of them');
  t.like(said[0], { level: 40, door: 'pinghub', openFiles: FILES });

  const metrics = parseMetrics((await ask(admin, '/metrics')).body);
  t.is(metrics.get('fanfare_refusals_total')?.get('{door="pinghub",reason="files"}'), closed);
  t.is((await ask(admin, '/health/ready')).status, 200);
  t.deepEqual(
    relay.log.all.filter(({ msg }) => msg.endsWith('report')),
    [],
  );
  for (const client of clients) client?.socket.destroy();
  await eventually(
    async () => (await post(port, '/t', 'x').catch(() => undefined))?.status === 200,
    'it serves',
  );
});

test('a limit of connections that open files do not allow is warned of, and one that they do is not', async (t) => {
  const openFiles = 1024;
  const text = 'limits.connections is more than the limit on open files leaves';
  for (const [connections, warned] of [
    [992, false],
    [993, true],
    [0, true],
  ] as const) {
    const settings = { doors: { pusu: {} }, limits: { connections } };
    const relay = await startTestRelay(t, settings, 800, { openFiles });
    t.is(
      relay.log.all.some(({ msg }) => msg === text),
      warned,
      `${connections}`,
    );
  }
});
