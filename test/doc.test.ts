import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
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
