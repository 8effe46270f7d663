import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { families } from '../support/metric-families.ts';
import { packageRoot } from '../support/relay-process.ts';

const file = join(packageRoot, 'rel/prometheus/alerts.yml');
const { groups } = parse(readFileSync(file, 'utf8')) as {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly annotations: Runbook;
    }[];
  }[];
};
const rules = groups.flatMap((group) => group.rules);

interface Runbook {
  readonly runbook: string;
}

test('alerts ask for metrics that there are', async (t) => {
  const known = await families(t);
  for (const { alert, expr } of rules)
    for (const [name] of expr.matchAll(/\b(?:fanfare|process)_[a-z_]+/g))
      t.true(known.has(name), `${alert}: ${name}`);
  t.true(rules.length > 10);
});

test('each alert has its line of what to do, and no line is of an alert that is gone', (t) => {
  const doc = readFileSync(join(packageRoot, 'doc/observability.md'), 'utf8');
  const lines = [...doc.matchAll(/^\| <a id="(\w+)"><\/a>`(\w+)` \| .+ \| .+ \|$/gm)];
  t.deepEqual(
    lines.map(([, , name]) => name),
    rules.map(({ alert }) => alert),
  );
  for (const [, id = '', name = ''] of lines) t.is(id, name.toLowerCase());
  for (const { alert, annotations } of rules)
    t.is(annotations.runbook, `doc/observability.md#${alert.toLowerCase()}`);
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
if (!hasPromtool)
  test.skip('promtool is not installed (Debian: apt-get install prometheus): alerts are not tried', () => {});

(hasPromtool ? test : test.skip)('each alert fires when it should, and none in a rolling restart', (t) => {
  const cases = join(packageRoot, 'test/metrics/alerts.yml');
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', cases], { encoding: 'utf8' });
  t.is(status, 0, stdout + stderr);
});
