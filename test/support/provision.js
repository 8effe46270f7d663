// Runs before the tests: what they need of the system is installed when that is possible (as root, on Debian and what
// derives from it) and missing; where it is not, a line says what is missing, and the tests that need it are skipped.
// FANFARE_PROVISION=off leaves the system as it is.
import '../../rel/node-version.js';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Commands that tests run, any of which will do; the package they come in; where they are, when not on the PATH. */
const needs = [
  {
    name: 'PostgreSQL',
    commands: ['postgres'],
    package: 'postgresql',
    folders: versionsIn('/usr/lib/postgresql'),
  },
  {
    name: 'Chromium',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    package: 'chromium',
    folders: [],
  },
  { name: 'nginx', commands: ['nginx'], package: 'nginx', folders: ['/usr/sbin'] },
  { name: 'the NATS server', commands: ['nats-server'], package: 'nats-server', folders: ['/usr/sbin'] },
  { name: 'zsh', commands: ['zsh'], package: 'zsh', folders: [] },
  { name: 'HAProxy', commands: ['haproxy'], package: 'haproxy', folders: ['/usr/sbin'] },
  { name: 'logrotate', commands: ['logrotate'], package: 'logrotate', folders: ['/usr/sbin'] },
  { name: 'Prometheus', commands: ['promtool'], package: 'prometheus', folders: [] },
  { name: 'nftables', commands: ['nft'], package: 'nftables', folders: ['/usr/sbin', '/sbin'] },
];

/** Milliseconds for all packages together; a browser is a large one. */
const PATIENCE = 15 * 60_000;
const policy = '/usr/sbin/policy-rc.d';

function versionsIn(folder) {
  return existsSync(folder) ? readdirSync(folder).map((version) => join(folder, version, 'bin')) : [];
}

function isThere({ commands, folders }) {
  // Under npm a package of this project may have a command of the same name.
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'));
  const all = [...path, ...folders];
  return all.some((folder) => commands.some((command) => existsSync(join(folder, command))));
}

function apt(...args) {
  // Another run of this may hold dpkg's lock.
  return spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
    encoding: 'utf8',
    timeout: PATIENCE,
  });
}

/** What is installed is for the tests alone: its services do not start. */
function withoutServices(action) {
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return action();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function install(packages) {
  const one = (names) => apt('install', '--yes', '--no-install-recommends', ...names);
  return withoutServices(() => {
    let result = one(packages);
    if (result.status === 0) return '';
    apt('update');
    result = one(packages);
    // One that this system does not know keeps the others from being installed.
    if (result.status !== 0 && packages.length > 1) {
      return packages.map((name) => one([name]).stderr).join('');
    }
    return result.status === 0 ? '' : result.stderr;
  });
}

function obstacle() {
  if (process.env.FANFARE_PROVISION === 'off') return 'FANFARE_PROVISION is off';
  if (process.platform !== 'linux' || spawnSync('apt-get', ['--version']).status !== 0)
    return 'there is no apt-get';
  if (process.getuid() !== 0) return 'installing it needs root';
  return null;
}

const missing = needs.filter((need) => !isThere(need));
if (missing.length > 0) {
  let why = obstacle();
  if (why === null) {
    const packages = missing.map((need) => need.package);
    console.log(`installing for the tests: ${packages.join(', ')}`);
    const said = install(packages);
    why = /^E: (.*)$/m.exec(said)?.[1] ?? 'apt-get could not install it';
  }
  for (const need of missing) {
    // The folders of its versions may be new.
    const folders = need.package === 'postgresql' ? versionsIn('/usr/lib/postgresql') : need.folders;
    if (isThere({ ...need, folders })) continue;
    console.log(
      `${need.name} is missing (${why}); install ${need.package} to run the tests that need it, which are skipped`,
    );
  }
}
