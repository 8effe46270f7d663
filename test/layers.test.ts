import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';

const root = join(import.meta.dirname, '..');
const biome = join(root, 'node_modules', '.bin', 'biome');

/** Lints one import in a folder that has our settings and nothing else. */
function isAllowed(file: string, specifier: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'fanfare-layers-'));
  try {
    const settings = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')) as Record<string, unknown>;
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
  ['src/http/a.ts', '../otp/process.ts'],
  ['src/topic/a.ts', '../connection/outbox.ts'],
  ['src/topic/a.ts', '../door/contract.ts'],
  ['src/door/pusu/a.ts', '../../otp/process.ts'],
  ['src/door/pusu/a.ts', '../../topic/topic-server.ts'],
  ['src/connection/a.ts', '../door/pusu/session.ts'],
  ['src/connection/a.ts', '../acceptor/listener.ts'],
  ['src/acceptor/a.ts', '../topic/topics.ts'],
  ['src/authenticator/a.ts', '../connection/connection.ts'],
  ['src/config/a.ts', '../otp/process.ts'],
  ['src/command/a.ts', '../connection/connection.ts'],
  ['src/authenticator/a.ts', '../command/command.ts'],
  ['src/connection/a.ts', '../application/guards.ts'],
  ['src/topic/a.ts', '../log/log.ts'],
];

const allowed: readonly (readonly [file: string, specifier: string])[] = [
  ['src/otp/a.ts', 'nact'],
  ['src/topic/a.ts', '../otp/process.ts'],
  ['src/door/pusu/a.ts', '../../topic/topic-name.ts'],
  ['src/connection/a.ts', '../door/contract.ts'],
  ['src/acceptor/a.ts', '../connection/connections.ts'],
  ['src/admin/a.ts', '../http/pipelines.ts'],
  ['src/application/a.ts', '../door/pusu/door.ts'],
  ['src/command/a.ts', '../secret/secret.ts'],
  ['src/start.ts', './command/commands.ts'],
];

for (const [file, specifier] of forbidden) {
  test(`${file} may not import ${specifier}`, (t) => t.false(isAllowed(file, specifier)));
}

for (const [file, specifier] of allowed) {
  test(`${file} may import ${specifier}`, (t) => t.true(isAllowed(file, specifier)));
}
