import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Accounting } from '../src/topic/accounting.ts';
import { packageRoot } from './support/relay-process.ts';

const pages = readdirSync(join(packageRoot, 'doc'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('doc', name));

/** Files that a page names in code, but for those with a part in capitals that is to be filled in. */
function named(page: string): string[] {
  const text = readFileSync(join(packageRoot, page), 'utf8');
  return [...text.matchAll(/`([\w./-]+\/[\w.-]+\.(?:ts|json|md))`/g)]
    .map(([, path = '']) => path)
    .filter((path) => !/[A-Z]{4}/.test(path));
}

for (const page of [...pages, 'README.md'])
  test(`every file that ${page} names is there`, (t) => {
    const missing = named(page).filter(
      (path) => !['', 'src', 'src/cluster'].some((above) => existsSync(join(packageRoot, above, path))),
    );
    t.deepEqual(missing, []);
  });

test('doc/observability.md says of each reason why messages were dropped or lost, and of none that is not', (t) => {
  const doc = readFileSync(join(packageRoot, 'doc/observability.md'), 'utf8');
  const reasons = (metric: string) => {
    const [, table = ''] = doc.split(`| \`${metric}{reason}\` | why |\n|---|---|\n`);
    const [rows = ''] = table.split('\n\n');
    return [...rows.matchAll(/^\| `(\w+)` \|/gm)].map(([, reason]) => reason);
  };
  const { dropped, lost } = new Accounting();
  t.deepEqual(reasons('dropped_total'), Object.keys(dropped));
  t.deepEqual(reasons('lost_total'), Object.keys(lost));
});
