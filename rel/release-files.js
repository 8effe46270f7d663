// Which files of the sources a release has beside the program and its dependencies. They are named here, and not all that
// lies in their folders is taken: a relay leaves its socket and pid there, and its user keys and settings of his own.
import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Each a file, or all files of a kind in a folder. */
export const FILES = [
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'config/relay.yaml',
  'config/node.args',
  'config/examples/relay-*.yaml',
  'doc/*.md',
  'doc/*.png',
  // The protocols, where the README says that they are.
  'src/door/*/README.md',
  'rel/container.yaml',
  'rel/grafana/*.json',
  'rel/nginx/*.conf',
  'rel/plugins/*.js',
  'rel/sql/*.sql',
  'rel/systemd/*.service',
];

/** Copies them from the sources in `root` to the release in `folder`. */
export function copyFiles(root, folder) {
  for (const pattern of FILES) {
    for (const file of matching(root, pattern.split('/'))) copy(join(root, file), join(folder, file));
  }
  copy(join(root, 'rel', 'bin', 'fanfare'), join(folder, 'bin', 'fanfare'));
  chmodSync(join(folder, 'bin', 'fanfare'), 0o755);
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

/** Files below `root` by a path whose parts may have a `*`. */
function matching(root, [part, ...rest], above = '') {
  const like = new RegExp(
    `^${part
      .split('*')
      .map((text) => text.replaceAll('.', '\\.'))
      .join('.*')}$`,
  );
  return readdirSync(join(root, above))
    .filter((name) => like.test(name))
    .map((name) => join(above, name))
    .flatMap((path) => {
      const stat = statSync(join(root, path));
      if (rest.length > 0) return stat.isDirectory() ? matching(root, rest, path) : [];
      return stat.isFile() ? [path] : [];
    });
}
