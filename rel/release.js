// Makes fanfare-VERSION.tar.gz: everything that a machine with Node and nothing else needs to run a relay. Dependencies
// are installed afresh from the lock file, without those for development, in a folder of their own.
import './node-version.js';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { copyFiles } from './release-files.js';

const root = join(import.meta.dirname, '..');
const target = resolve(process.argv[2] ?? root);
const {
  scripts: _scripts,
  devDependencies: _dev,
  ...manifest
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const name = `${manifest.name}-${manifest.version}`;

const staging = mkdtempSync(join(tmpdir(), 'fanfare-release-'));
try {
  const folder = join(staging, name);
  mkdirSync(folder);
  // Compiled afresh: the tree's own dist may hold what the sources no longer have.
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  run(tsc, ['-p', 'client', '--outDir', join(folder, 'client', 'dist')], root);
  // The relay's commands are compiled against the client of the tree.
  run(tsc, ['-p', 'client'], root);
  run(tsc, ['-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')], root);

  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(productionLock()));
  run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], folder);
  rmSync(join(folder, 'package-lock.json'));
  rmSync(join(folder, 'node_modules', '.package-lock.json'), { force: true });

  copyFiles(root, folder);

  mkdirSync(target, { recursive: true });
  const archive = join(target, `${name}.tar.gz`);
  // Nobody's user and group: who unpacks it as root shall not own it as somebody else.
  run('tar', ['--owner=0', '--group=0', '--numeric-owner', '-czf', archive, '-C', staging, name], root);
  process.stdout.write(`${archive}\n`);
} finally {
  rmSync(staging, { recursive: true, force: true });
}

/** The lock file without what is for development: what is locked for this machine's tools is not asked of another's. */
function productionLock() {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const { devDependencies: _none, ...own } = lock.packages[''];
  const kept = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true);
  return { ...lock, packages: { '': own, ...Object.fromEntries(kept) } };
}

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 'inherit'] });
  if (status !== 0) throw error ?? new Error(`${command} ${args[0]} ended with ${status}`);
}
