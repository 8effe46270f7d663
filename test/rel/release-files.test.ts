import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { packageRoot, temporaryFolder } from '../support/relay-process.ts';

const { copyFiles } = (await import(join(packageRoot, 'rel', 'release-files.js'))) as {
  copyFiles(root: string, folder: string): void;
};

const PARTS = ['config', 'doc', 'rel', 'src/door', 'client', 'README.md', 'LICENSE', 'CHANGELOG.md'];

/** A copy of what the release is made from, and the release. */
function folders(t: ExecutionContext): { readonly sources: string; readonly release: string } {
  const sources = temporaryFolder(t);
  for (const part of PARTS)
    cpSync(join(packageRoot, part), join(sources, part), {
      recursive: true,
      filter: (source) => statSync(source).isFile() || statSync(source).isDirectory(),
    });
  return { sources, release: temporaryFolder(t) };
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

test('what a relay and its user have left beside the sources is no part of a release', async (t) => {
  const { sources, release } = folders(t);
  const var_ = join(sources, 'config', 'examples', 'var', 'relay-1');
  mkdirSync(var_, { recursive: true });
  writeFileSync(join(var_, 'fanfare.pid'), '1');
  const server = createServer().listen(join(var_, 'attach.sock'));
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  for (const own of [
    'config/apikeys.yaml',
    'config/apikeys.yaml.lock',
    'config/mine.yaml',
    'config/examples/relay-mine.yaml',
    'doc/.notes.md.swp',
    'doc/mine.md',
    'rel/nginx/mine.conf',
    'rel/plugins/mine.js',
    'rel/sql/mine.sql',
    'rel/systemd/mine.service',
    'rel/grafana/mine.json',
    'src/door/mine/README.md',
  ]) {
    mkdirSync(join(sources, dirname(own)), { recursive: true });
    writeFileSync(join(sources, own), 'secret');
  }
  copyFiles(sources, release);
  const all = filesOf(release);
  t.deepEqual(
    all.filter((file) => /sock|pid|apikeys\.yaml|mine|notes/.test(file)),
    [],
  );
  t.true(all.includes('config/relay.yaml') && all.includes('bin/fanfare'));
});

test('all of the documentation and of the parts to copy is in a release', (t) => {
  const { sources, release } = folders(t);
  copyFiles(sources, release);
  const building = /^rel\/(bin\/|Dockerfile$|[^/]+\.js$|[^/]+\.d\.ts$)/;
  const wanted = ['doc', 'rel'].flatMap((part) =>
    filesOf(join(packageRoot, part)).map((file) => join(part, file)),
  );
  for (const file of wanted.filter((one) => !building.test(one)))
    t.true(existsSync(join(release, file)), file);
});

test('what the texts of a release link to is in it', (t) => {
  const { sources, release } = folders(t);
  copyFiles(sources, release);
  for (const file of filesOf(release).filter((one) => one.endsWith('.md'))) {
    const text = readFileSync(join(release, file), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#\s]+)/g))
      t.true(existsSync(join(release, dirname(file), target)), `${file}: ${target}`);
  }
});
