import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { families } from '../support/metric-families.ts';
import { packageRoot } from '../support/relay-process.ts';

const dashboard = readFileSync(join(packageRoot, 'rel/grafana/fanfare.json'), 'utf8');
const asked = new Set(
  [...JSON.stringify(JSON.parse(dashboard)).matchAll(/(?:fanfare|process)_[a-z_]+/g)].map(([name]) =>
    name.replace(/_bucket$/, ''),
  ),
);

test('the dashboard asks for metrics that there are, and shows every one of them', async (t) => {
  const known = await families(t);
  t.deepEqual([...asked].filter((name) => !known.has(name)).sort(), []);
  t.deepEqual([...known].filter((name) => !asked.has(name)).sort(), []);
});
