import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ask, parseMetrics } from '../support/admin.ts';
import { freePorts } from '../support/cluster.ts';
import { startTestRelay } from '../support/relay.ts';
import { packageRoot } from '../support/relay-process.ts';

const dashboard = readFileSync(join(packageRoot, 'rel/grafana/fanfare.json'), 'utf8');
const asked = new Set(
  [...JSON.stringify(JSON.parse(dashboard)).matchAll(/(?:fanfare|process)_[a-z_]+/g)].map(([name]) =>
    name.replace(/_bucket$/, ''),
  ),
);

/** The families of a relay that has a link to be shown. */
async function families(t: ExecutionContext): Promise<Set<string>> {
  const [own = 0, other = 0] = await freePorts(2);
  const relay = await startTestRelay(t, {
    doors: { pinghub: {} },
    network: { host: '127.0.0.1', port: own, secret: 'a secret for tests only' },
    relays: [`127.0.0.1:${own}`, `127.0.0.1:${other}`],
  });
  const { body } = await ask(relay.port('admin'), '/metrics');
  parseMetrics(body);
  return new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? ''));
}

test('the dashboard asks for metrics that there are, and shows every one of them', async (t) => {
  const known = await families(t);
  t.deepEqual([...asked].filter((name) => !known.has(name)).sort(), []);
  t.deepEqual([...known].filter((name) => !asked.has(name)).sort(), []);
});
