import { join } from 'node:path';
import test from 'ava';
import { configFile, packageRoot, runRelay } from '../support/relay-process.ts';
import { connectWs } from '../support/ws-client.ts';

const CONFIG = `
doors:
  pinghub: { host: 127.0.0.1, port: 0, metrics_port: 0 }
network: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
log: { format: json }
`;

test('crashes beyond the intensity of the root end the process with an exit code that is not 0', async (t) => {
  const faults = join(packageRoot, 'test', 'support', 'faulty-listeners.mjs');
  const relay = runRelay(t, ['--config', configFile(t, CONFIG)], { NODE_OPTIONS: `--import=${faults}` });
  await relay.log.find(({ msg }) => msg === 'ready');
  const client = await connectWs(t, await relay.port('pinghub'), '/t');
  relay.signal('SIGUSR2');
  const { code } = await relay.exited;
  t.is(code, 1);
  await client.got.find((one) => typeof one === 'object' && 'code' in one);
  const gaveUp = relay.log.all.filter(
    ({ msg, context }) => msg === 'supervisor report' && context === 'shutdown',
  );
  t.deepEqual(gaveUp.map((report) => String(report['supervisor']).replace(/<.*/, '')).sort(), [
    'acceptor',
    'root',
  ]);
});
