import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * The folder of what a node makes as it runs: its socket, pid, log and reports. It is the node's alone, so that several
 * nodes of one release, on one machine, do not meet.
 */
export function runFolder(varDir: string | null, node: string, configFile: string): string {
  return join(varRoot(varDir, configFile), node);
}

/** `var` beside a folder called config, as in a release; otherwise `var` beside the file. */
export function varRoot(varDir: string | null, configFile: string): string {
  if (varDir !== null) return resolve(varDir);
  const folder = dirname(resolve(configFile));
  return join(basename(folder) === 'config' ? dirname(folder) : folder, 'var');
}

export const LOG_FILE = 'fanfare.log';
const PID_FILE = 'fanfare.pid';
export const REPORTS_FOLDER = 'reports';

/** The live node of this folder: its process. Undefined: none runs, whatever files it may have left. */
export function runningPid(folder: string): number | undefined {
  try {
    const file = join(folder, PID_FILE);
    const pid = Number(readFileSync(file, 'utf8').trim());
    if (!Number.isSafeInteger(pid) || pid <= 0 || !isRunning(pid)) return undefined;
    // Its number may have been given to another process since: that one is younger than the file.
    const since = startOf(pid);
    return since !== undefined && since > statSync(file).mtimeMs + CLOCK_ERROR ? undefined : pid;
  } catch {
    return undefined;
  }
}

/** Nodes that run below this folder, by name. */
export function runningBelow(root: string): { readonly folder: string; readonly pid: number }[] {
  let names: string[];
  try {
    names = readdirSync(root);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const folder = join(root, name);
    const pid = runningPid(folder);
    return pid === undefined ? [] : [{ folder, pid }];
  });
}

/** Says that this process is the node of the folder. Throws where the folder cannot be had. */
export function claimFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, PID_FILE), `${process.pid}\n`, { mode: 0o644 });
}

/** Takes that back; another process's word is left alone. */
export function leaveFolder(folder: string): void {
  const file = join(folder, PID_FILE);
  try {
    if (Number(readFileSync(file, 'utf8').trim()) === process.pid) rmSync(file);
  } catch {
    // Whoever looks finds it stale.
  }
}

/** Whether a process runs. A zombie is gone: it only waits to be buried. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It is there, and another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const state = statOf(pid)?.[0];
  return state !== 'Z' && state !== 'X';
}

/** Milliseconds; the clock of /proc counts in hundredths of a second, and its start is known to the second. */
const CLOCK_ERROR = 2000;
const TICKS_PER_SECOND = 100;
/** Place of `starttime` among the fields of /proc/PID/stat, from the state on (proc(5)). */
const START_TIME = 19;

/** When a process started, in milliseconds since 1970; undefined: the system does not tell. */
function startOf(pid: number): number | undefined {
  const ticks = Number(statOf(pid)?.[START_TIME]);
  const boot = Number(/^btime (\d+)$/m.exec(readSystem('/proc/stat'))?.[1]);
  return Number.isFinite(ticks) && Number.isFinite(boot)
    ? (boot + ticks / TICKS_PER_SECOND) * 1000
    : undefined;
}

/** The fields of /proc/PID/stat behind the name, which may hold anything, brackets too. */
function statOf(pid: number): string[] | undefined {
  const text = readSystem(`/proc/${pid}/stat`);
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function readSystem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
