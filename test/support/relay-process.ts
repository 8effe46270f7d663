import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { Arrivals } from './arrivals.ts';
import type { Logged } from './relay.ts';

/** Where tests and benchmarks are run, compiled or not. */
export const packageRoot = process.cwd();

/** The program as a user runs it. */
export interface RelayProcess {
  readonly log: Arrivals<Logged>;
  /** Standard output and standard error, as text, so far. */
  output(): { readonly out: string; readonly err: string };
  /** Settles when the process is gone and its output has been read. */
  readonly exited: Promise<Exited>;
  signal(signal: NodeJS.Signals): void;
  port(door: string): Promise<number>;
}

export interface Exited {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built program, by way of the command `prefix`; it is killed with the test. Standard output that is no JSON is in `output` alone. */
export function runRelay(
  t: ExecutionContext,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  prefix: readonly string[] = [],
): RelayProcess {
  const [command, ...words] = [...prefix, process.execPath, join(packageRoot, 'dist', 'start.js'), ...args];
  const child = spawn(command as string, words, {
    cwd: packageRoot,
    // A terminal, or variables of whoever runs the tests, must not change what is tested.
    // Each has a folder of its own: two nodes of one name in one folder would be the same node.
    env: {
      PATH: process.env['PATH'] ?? '',
      FANFARE_VAR_DIR: temporaryFolder(t),
      FANFARE_ADMIN_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
  // Its folders go after it: it must write nothing more.
  t.teardown(() => {
    child.kill('SIGKILL');
    return gone;
  });
  const log = new Arrivals<Logged>('log of the process');
  let out = '';
  let err = '';
  createInterface(child.stdout).on('line', (line) => {
    out += `${line}\n`;
    // The last line of a process that was killed may be torn.
    if (line.startsWith('{') && !child.stdout.readableEnded) log.push(JSON.parse(line) as Logged);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  return {
    log,
    output: () => ({ out, err }),
    exited: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, out, err }));
    }),
    signal: (signal) => child.kill(signal),
    port: async (door) => {
      const line = await log.find(
        (one) => one.msg === 'listening' && one['door'] === door,
        `port of ${door}`,
      );
      return line['port'] as number;
    },
  };
}

/** A temporary folder that is gone with the test. */
export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fanfare-'));
  // What a process that is ending still writes there makes for a second try.
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** Writes a configuration file, and returns its path. */
export function configFile(t: ExecutionContext, text: string): string {
  const file = join(temporaryFolder(t), 'relay.yaml');
  writeFileSync(file, text);
  return file;
}
