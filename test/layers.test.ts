import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { packageRoot } from './support/relay-process.ts';

const biome = join(packageRoot, 'node_modules', '.bin', 'biome');

/** Lints one import in a folder that has our settings and nothing else. */
function isAllowed(file: string, specifier: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'fanfare-layers-'));
  try {
    const settings = JSON.parse(readFileSync(join(packageRoot, 'biome.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    writeFileSync(join(folder, 'biome.json'), JSON.stringify({ ...settings, vcs: { enabled: false } }));
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `import { a } from '${specifier}';\n\nexport const b = a;\n`);
    const { status, stdout, stderr } = spawnSync(biome, ['lint', file], { cwd: folder, encoding: 'utf8' });
    const complaint = `${stdout}${stderr}`.includes('noRestrictedImports');
    if (!complaint && status !== 0) throw new Error(stderr);
    return !complaint;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const forbidden: readonly (readonly [file: string, specifier: string])[] = [
  ['src/topic/a.ts', 'nact'],
  ['src/start.ts', 'nact'],
  ['src/otp/a.ts', '../topic/topic.ts'],
  ['src/http/a.ts', '../acceptor/listener.ts'],
  ['src/secret/a.ts', '../config/config.ts'],
  ['src/measure/a.ts', '../otp/process.ts'],
  ['src/config/a.ts', '../otp/process.ts'],
  ['src/topic/a.ts', '../connection/outflow.ts'],
  ['src/topic/a.ts', '../door/contract.ts'],
  ['src/topic/a.ts', '../log/log.ts'],
  ['src/door/pusu/a.ts', '../../otp/process.ts'],
  ['src/door/pusu/a.ts', '../../topic/topic-server.ts'],
  ['src/door/pusu/a.ts', 'node:net'],
  ['src/authenticator/a.ts', '../connection/connection.ts'],
  ['src/authenticator/api-keys/a.ts', '../../command/command.ts'],
  ['src/connection/a.ts', '../door/pusu/session.ts'],
  ['src/connection/a.ts', '../acceptor/listener.ts'],
  ['src/connection/transport/a.ts', '../../acceptor/listener.ts'],
  ['src/connection/a.ts', '../application/guards.ts'],
  ['src/acceptor/a.ts', '../topic/topics.ts'],
  ['src/cluster/mesh/a.ts', '../../connection/connection.ts'],
  ['src/cluster/a.ts', '../door/pinghub/door.ts'],
  ['src/log/a.ts', '../topic/topic.ts'],
  ['src/log/a.ts', '../host/running.ts'],
  ['src/view/a.ts', '../admin/watchdog.ts'],
  ['src/metrics/a.ts', '../otp/system.ts'],
  ['src/attach/client/a.ts', '../../acceptor/listener.ts'],
  ['src/observer/a.ts', '../admin/admin.ts'],
  ['src/admin/a.ts', '../attach/attach.ts'],
  ['src/reload/a.ts', '../application/application.ts'],
  ['src/command/a.ts', '../connection/connection.ts'],
  ['src/host/a.ts', '../command/command.ts'],
  ['src/application/a.ts', '../host/running.ts'],
  ['src/topic/a.ts', '#client'],
  ['src/start.ts', '#client'],
  ['client/src/a.ts', '../../src/topic/topic-name.ts'],
  ['client/src/a.ts', 'node:net'],
  ['client/src/a.ts', 'ws'],
];

const allowed: readonly (readonly [file: string, specifier: string])[] = [
  ['src/otp/a.ts', 'nact'],
  ['src/topic/a.ts', '../otp/process.ts'],
  ['src/door/pusu/a.ts', '../../topic/topic-name.ts'],
  ['src/door/pusu/a.ts', '../contract.ts'],
  ['src/authenticator/api-keys/a.ts', '../contract.ts'],
  ['src/http/a.ts', '../otp/process.ts'],
  ['src/connection/a.ts', '../door/contract.ts'],
  ['src/acceptor/a.ts', '../connection/connections.ts'],
  ['src/cluster/mesh/a.ts', '../../door/peer/codec.ts'],
  ['src/view/a.ts', '../connection/connection.ts'],
  ['src/attach/client/a.ts', '../protocol.ts'],
  ['src/log/a.ts', '../host/folder.ts'],
  ['src/admin/a.ts', '../http/pipelines.ts'],
  ['src/application/a.ts', '../door/pusu/door.ts'],
  ['src/command/a.ts', '../secret/secret.ts'],
  ['src/start.ts', './command/main.ts'],
  ['src/command/a.ts', '#client'],
  ['client/src/node.ts', 'ws'],
  ['client/src/a.ts', './position.ts'],
];

test('every folder of the sources has a rule', (t) => {
  const { overrides } = JSON.parse(readFileSync(join(packageRoot, 'biome.json'), 'utf8')) as {
    overrides: readonly { includes: readonly string[] }[];
  };
  const ruled = overrides.flatMap(({ includes }) => includes);
  const entries = readdirSync(join(packageRoot, 'src'), { withFileTypes: true });
  t.deepEqual(
    entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name),
    ['start.ts'],
  );
  for (const { name } of entries) if (name !== 'start.ts') t.true(ruled.includes(`src/${name}/**`), name);
});

test('imports go in no circle in any folder: the rule is on, and nothing turns it off', (t) => {
  const settings = readFileSync(join(packageRoot, 'biome.json'), 'utf8');
  t.is(settings.match(/noImportCycles/g)?.length, 1);
  t.regex(settings, /"noImportCycles": \{\s*"level": "error",\s*"options": \{\s*"ignoreTypes": false/);
});

for (const [file, specifier] of forbidden) {
  test(`${file} may not import ${specifier}`, (t) => t.false(isAllowed(file, specifier)));
}

for (const [file, specifier] of allowed) {
  test(`${file} may import ${specifier}`, (t) => t.true(isAllowed(file, specifier)));
}
