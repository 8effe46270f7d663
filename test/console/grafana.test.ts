import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ask, parseMetrics } from '../support/admin.ts';
import { startTestRelay } from '../support/relay.ts';
import { packageRoot } from '../support/relay-process.ts';

test('the dashboard asks for metrics that there are', async (t) => {
  const text = readFileSync(join(packageRoot, 'rel/grafana/fanfare.json'), 'utf8');
  const asked = new Set(
    [...JSON.stringify(JSON.parse(text)).matchAll(/fanfare_[a-z_]+/g)].map(([name]) => name),
  );
  const relay = await startTestRelay(t, { doors: { pinghub: {} } });
  const { body } = await ask(relay.port('admin'), '/metrics');
  const known = new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  parseMetrics(body);
  for (const name of asked) t.true(known.has(name.replace(/_bucket$/, '')), name);
  t.true(asked.size > 20);
});
