import { spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { findProcess, suspend } from '../../src/otp/sys.ts';
import { freePorts } from '../support/cluster.ts';
import { startTestRelay } from '../support/relay.ts';
import { packageRoot } from '../support/relay-process.ts';

function health(...args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string }> {
  const child = spawn(join(packageRoot, 'rel', 'bin', 'fanfare-health'), args, {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out: out.trim() }));
  });
}

test('a relay that is ready is healthy; what is not ready is named', async (t) => {
  const relay = await startTestRelay(t, { doors: { pusu: {} } });
  const port = String(relay.port('admin'));
  t.deepEqual(await health(port), { code: 0, out: 'ready' });
  const router = findProcess(relay.relay.system, 'topics.3.router');
  if (router !== undefined) suspend(router);
  const { code, out } = await health(port);
  t.is(code, 1);
  t.regex(out, /^503 .*topics\.3\.router/);
});

test('a port where nobody listens, or nobody answers, is not healthy', async (t) => {
  const [nobody] = (await freePorts(1)) as [number];
  t.deepEqual(await health(String(nobody)), { code: 1, out: `nobody listens at 127.0.0.1:${nobody}` });
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  t.deepEqual(await health(String(port)), { code: 1, out: 'no answer in 4 s' });
});
