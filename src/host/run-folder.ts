import {
  accessSync,
  constants,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { makeFolder } from './folder.ts';

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
  const owner = ownerOf(join(folder, PID_FILE));
  return typeof owner === 'number' ? owner : undefined;
}

/** The live process whose word is in the file. */
function ownerOf(file: string): number | 'dead' | 'nobody' {
  try {
    const pid = Number(readFileSync(file, 'utf8').trim());
    if (!Number.isSafeInteger(pid) || pid <= 0 || !isRunning(pid)) return 'dead';
    // The number may have been given to another process since, which is younger than the file.
    const since = startOf(pid);
    return since !== undefined && since > statSync(file).mtimeMs + CLOCK_ERROR ? 'dead' : pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'nobody' : 'dead';
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

/** Whether the folder tells nothing of its node: it is not this user's, or is not there, because it could not be made. */
export function isOutOfReach(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return false;
  } catch {
    return true;
  }
}

/** Why this process could not make the folder, or use it; null: it could. Nothing is made. */
export function whyUnusable(folder: string): string | null {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory() ? null : `${folder} is no folder`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const above = dirname(folder);
    return code === 'ENOENT' && above !== folder ? whyUnusable(above) : message;
  }
}

/** Whose the folder is now. */
export type Claim =
  | { readonly kind: 'own' }
  | { readonly kind: 'taken'; readonly pid: number }
  | { readonly kind: 'unusable'; readonly why: string };

/** Makes this process the node of the folder, unless a live one is that already. */
export function claimFolder(folder: string): Claim {
  try {
    makeFolder(folder, 0o700);
    const pid = claim(join(folder, PID_FILE));
    return pid === process.pid ? { kind: 'own' } : { kind: 'taken', pid };
  } catch (error) {
    return { kind: 'unusable', why: (error as Error).message };
  }
}

/** Milliseconds that another process may take to put its word in the place of a dead one's. */
const PATIENCE = 1000;
const SLEEPER = new Int32Array(new SharedArrayBuffer(4));

/**
 * Puts the word of this process into the file, unless it holds the word of a live one. Returns whose it is then. Of
 * several that claim it in the same moment one gets it: the file comes into being with its content, by a link.
 *
 * A dead process's file is replaced only under a lock, after another look at it: between a look and a replacement
 * another process could have come, whose word would be lost. The lock is a file that is claimed in the same way: a process
 * that died with the lock in its hands loses it, too.
 */
function claim(file: string): number {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${process.pid}\n`, { mode: 0o644 });
  try {
    for (let patience = PATIENCE; ; patience--) {
      if (linked(draft, file)) return process.pid;
      const owner = ownerOf(file);
      if (typeof owner === 'number') return owner;
      if (owner === 'nobody') continue;
      const lock = `${file}.takeover`;
      const holder = claim(lock);
      if (holder === process.pid) {
        try {
          if (ownerOf(file) !== 'dead') continue;
          renameSync(draft, file);
          return holder;
        } finally {
          rmSync(lock);
        }
      }
      // The holder has done it in a moment.
      if (patience <= 0) return holder;
      Atomics.wait(SLEEPER, 0, 0, 1);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** False: there is such a file. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** Takes the claim back; another process's word is left alone. */
export function leaveFolder(folder: string): void {
  const file = join(folder, PID_FILE);
  try {
    if (Number(readFileSync(file, 'utf8').trim()) === process.pid) rmSync(file);
  } catch {
    // The next look finds it stale.
  }
}

/** Whether a process runs. A zombie is gone: it only waits to be buried. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // The process is there, and another user's.
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
