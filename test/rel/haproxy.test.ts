import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/arrivals.ts';
import { freePorts } from '../support/cluster.ts';
import { post } from '../support/raw-client.ts';
import { startTestRelay, type TestRelay } from '../support/relay.ts';
import { packageRoot, temporaryFolder } from '../support/relay-process.ts';
import { connectWs } from '../support/ws-client.ts';

/** Debian has it where only root looks for commands. */
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
const recipes = ['haproxy', 'compose'] as const;
const read = (folder: (typeof recipes)[number]) =>
  readFileSync(join(packageRoot, 'rel', folder, 'haproxy.cfg'), 'utf8');
const isThere = spawnSync('haproxy', ['-v'], { env }).status === 0;
const haproxy = isThere ? test : test.skip;
if (!isThere)
  test.skip('haproxy is not installed (Debian: apt-get install haproxy): its recipes are not tried', () => {});

/** Runs HAProxy with the recipe, its addresses replaced, until the test is over. */
async function startHaproxy(t: ExecutionContext, [one, two]: readonly [TestRelay, TestRelay]) {
  const [pusu, pinghub] = (await freePorts(2)) as [number, number];
  let text = read('haproxy')
    // Descriptors for more are not everywhere.
    .replace('maxconn 100000', 'maxconn 1000')
    .replace('bind :55000', `bind 127.0.0.1:${pusu}`)
    .replace('bind :8081', `bind 127.0.0.1:${pinghub}`)
    // Looks come soon, and an answer may take as long as a busy machine needs.
    .replaceAll('inter 5s', 'inter 200ms')
    .replace('timeout check 4s', 'timeout check 30s');
  for (const [index, relay] of [one, two].entries()) {
    const server = `server relay-${index + 1} `;
    for (const door of ['pusu', 'pinghub'] as const) {
      const port = door === 'pusu' ? 55000 : 8081;
      text = text.replace(
        `${server}10.0.0.${index + 1}:${port}`,
        `${server}127.0.0.1:${relay.port(door)} port ${relay.port('admin')}`,
      );
    }
  }
  t.notRegex(text, /10\.0\.0\./);
  const file = join(temporaryFolder(t), 'haproxy.cfg');
  writeFileSync(file, text.replaceAll('check port 55002', 'check'));
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'], env });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(() => {
    child.kill('SIGKILL');
    return gone;
  });
  return { pusu, pinghub };
}

haproxy('the recipes are configurations of HAProxy', (t) => {
  for (const recipe of recipes) {
    const file = join(temporaryFolder(t), 'haproxy.cfg');
    // The names of containers are known in their network alone.
    writeFileSync(file, read(recipe).replaceAll(/relay-\d:(\d+)/g, '127.0.0.1:$1'));
    const { status, stderr } = spawnSync('haproxy', ['-c', '-f', file], { env, encoding: 'utf8' });
    t.is(status, 0, stderr);
  }
});

haproxy(
  'clients are spread over the relays that are ready, and counted by their own addresses; one that stops loses nobody new',
  async (t) => {
    const settings = {
      doors: { pusu: { trusted_proxies: ['127.0.0.1'] }, pinghub: { trusted_proxies: ['127.0.0.1'] } },
      limits: { drain_delay: '60s' },
    };
    const relays = [await startTestRelay(t, settings), await startTestRelay(t, settings)] as const;
    const ports = await startHaproxy(t, relays);
    const isUp = async () =>
      (await post(ports.pinghub, '/x', 'x').catch(() => ({ status: 0 }))).status === 200;
    await eventually(isUp, 'HAProxy has found the relays');
    const counts = () =>
      relays.map(
        ({ relay }) =>
          [...relay.system.processes.values()].filter(
            ({ behaviour }) => behaviour.name === 'connection-handler',
          ).length,
      );
    await eventually(() => counts().every((count) => count === 0), 'nobody is left');
    for (let i = 0; i < 6; i++) {
      const client = await connectWs(t, ports.pusu);
      t.is(await client.next(), '{"type":"hello"}');
    }
    t.deepEqual(counts(), [3, 3]);
    const stream = await fetch(`http://127.0.0.1:${ports.pinghub}/news`, {
      headers: { Accept: 'text/event-stream' },
    });
    t.is(stream.status, 200);
    await stream.body?.cancel();

    // It is not ready from now on, and accepts as before.
    relays[0].relay.stop();
    // The one with fewer clients would be chosen, if it were ready.
    await eventually(async () => {
      await (await connectWs(t, ports.pusu)).next();
      const [first = 0, second = 0] = counts();
      return second > first + 3;
    }, 'new clients go to the other relay');
    // Told again, a relay does not wait for its delay.
    for (const { relay } of relays) relay.stop();
  },
);
