// Compiles the sources when one of them is newer than what was compiled last: `npm start` in a fresh clone just works,
// and in a release, which has no compiler, there is nothing to do.
import './node-version.js';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const built = join(root, 'dist', 'start.js');
const sources = join(root, 'src');
const client = join(root, 'client', 'src');

function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) time = Math.max(time, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return time;
}

if (
  existsSync(sources) &&
  !(existsSync(built) && statSync(built).mtimeMs >= Math.max(newest(sources), newest(client)))
) {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
