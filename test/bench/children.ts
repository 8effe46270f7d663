import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { LoadRequest, LoadResult } from './result.ts';

type Child = ChildProcessByStdio<null, Readable, Readable>;

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** Ends it by SIGTERM; resolves with null, or with what was wrong about the end. */
  stop(): Promise<string | null>;
}

/** A core for the servers and one for the load; null where processes cannot be pinned. */
export interface Pinning {
  readonly server: string;
  readonly load: string;
}

const START_LIMIT = 15_000;
const STOP_LIMIT = 40_000;
/** Longest time of a load process besides the times of its scenario: connecting and tearing down. */
const LOAD_LIMIT = 180_000;

const children = new Set<Child>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

export function pinning(): Pinning | null {
  const cores = { server: '0', load: '1' };
  if (availableParallelism() < 2) return null;
  const usable = spawnSync('taskset', ['-c', `${cores.server},${cores.load}`, process.execPath, '--version']);
  return usable.status === 0 ? cores : null;
}

/**
 * Starts a server and waits for its log lines `{"msg":"listening","port":…}` (of the pinghub door, if a door is named)
 * and `{"msg":"ready"}`.
 */
export async function startServer(args: readonly string[], core: string | null): Promise<RunningServer> {
  const child = start(args, core);
  const errors = tail(child.stderr);
  const lines = createInterface({ input: child.stdout });
  const port = await new Promise<number>((resolve, reject) => {
    let listening = 0;
    const limit = setTimeout(() => fail('was not ready in time'), START_LIMIT);
    const fail = (why: string): void => {
      clearTimeout(limit);
      child.kill('SIGKILL');
      reject(new Error(`${args.join(' ')} ${why}\n${errors()}`));
    };
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => fail(`ended before it was ready (${code ?? signal})`));
    lines.on('line', (text) => {
      const line = parse(text);
      if (line.msg === 'listening' && (line.door === undefined || line.door === 'pinghub')) {
        listening = Number(line.port);
      } else if (line.msg === 'ready') {
        clearTimeout(limit);
        if (listening > 0) resolve(listening);
        else fail('told no port');
      }
    });
  });
  return { pid: child.pid ?? 0, port, stop: () => stop(child, errors) };
}

/** Runs one load process to its end; rejects when it fails or takes too long. */
export async function runLoad(file: string, request: LoadRequest, core: string | null): Promise<LoadResult> {
  const child = start([file, JSON.stringify(request)], core);
  const errors = tail(child.stderr);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const { settle, warmup, duration, drain } = request.scenario;
  const limit = setTimeout(() => child.kill('SIGKILL'), settle + warmup + duration + drain + LOAD_LIMIT);
  const [code, signal] = await once(child, 'close');
  clearTimeout(limit);
  if (code !== 0) throw new Error(`the load process failed (${code ?? signal})\n${errors()}`);
  return JSON.parse(output) as LoadResult;
}

function start(args: readonly string[], core: string | null): Child {
  const [command, before] =
    core === null ? [process.execPath, []] : ['taskset', ['-c', core, process.execPath]];
  // Settings in the environment would change what is measured.
  const env = Object.entries(process.env).filter(([key]) => !key.startsWith('FANFARE_'));
  const child = spawn(command, [...before, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: Object.fromEntries(env),
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

async function stop(child: Child, errors: () => string): Promise<string | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT);
    await ended;
    clearTimeout(limit);
  }
  return child.exitCode === 0 ? null : `ended with ${child.exitCode ?? child.signalCode}\n${errors()}`;
}

/** Keeps the last two kilobytes of a stream. */
function tail(stream: Readable): () => string {
  let kept = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    kept = (kept + text).slice(-2048);
  });
  return () => kept;
}

interface LogLine {
  readonly msg?: unknown;
  readonly door?: unknown;
  readonly port?: unknown;
}

function parse(line: string): LogLine {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
