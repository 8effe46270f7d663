import type { ExecutionContext } from 'ava';
import { ask, parseMetrics } from './admin.ts';
import { freePorts } from './cluster.ts';
import { startTestRelay } from './relay.ts';

/** The names of all metrics of a relay that has a link to be shown. */
export async function families(t: ExecutionContext): Promise<Set<string>> {
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
