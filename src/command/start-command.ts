import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatError } from '../config/config-error.ts';
import { makeFolder } from '../host/folder.ts';
import { claimFolder, LOG_FILE, runningPid, whyUnusable } from '../host/run-folder.ts';
import { attach } from './attach-command.ts';
import { DONE, FAILED, Failed, type Place } from './command.ts';
import { servesUnseen, stop } from './lifecycle-command.ts';
import {
  asFlags,
  findNode,
  folderOf,
  load,
  loadAgain,
  loadWhole,
  type NodeOptions,
  nodeCommand,
} from './node-options.ts';
import { versionOf } from './versions-command.ts';

/** Runs the relay in this process. What comes of it ends the process with its own exit code. */
export const startCommand = nodeCommand('start', async (options, place) => {
  const loaded = await loadWhole(options, place);
  const folder = folderOf(loaded.config, loaded.file);
  const claim = claimFolder(folder);
  if (claim.kind === 'taken') throw alreadyRunning(loaded.config.node, claim.pid);
  // Loaded here, because all the other commands do without a relay.
  const { run } = await import('../host/running.ts');
  run({
    config: loaded.config,
    effective: loaded.effective,
    plugins: loaded.plugins,
    closed: loaded.closed,
    version: versionOf(place.packageRoot),
    folder,
    unusable: claim.kind === 'unusable' ? claim.why : null,
    load: () => loadAgain(options, place),
  });
  // The relay ends the process, with the exit code of its own end.
  return new Promise(() => undefined);
});

function alreadyRunning(node: string, pid: number): Failed {
  return new Failed(FAILED, `${node} is already running as pid ${pid}`);
}

/** Looks at the settings, and says what a start would warn of. */
export const checkCommand = nodeCommand('check', async (options, place) => {
  const { file, config, atStart } = await loadWhole(options, place);
  const { shortageOf } = await import('../host/open-files.ts');
  const unusable = whyUnusable(folderOf(config, file));
  for (const warning of [
    ...atStart.map(formatError),
    shortageOf(config.limits),
    unusable === null ? null : `nobody could attach: ${unusable}`,
  ])
    if (warning !== null) place.err(`warning: ${warning}`);
  place.out(`${file}: ok`);
  return DONE;
});

export const daemonCommand = nodeCommand('daemon', daemon);

/** A node in the background, with this terminal attached. Detaching leaves it running. */
export const consoleCommand = nodeCommand('console', async (options, place) => {
  await daemon(options, place);
  return attach(options, place);
});

export const restartCommand = nodeCommand('restart [--wait S]', async (options, place) => {
  // A node that would not start again is better left running.
  load(options, place);
  const found = findNode(options, place);
  const runs = found.pid !== undefined || (await servesUnseen(found));
  if (runs) await stop(found, options.wait, place);
  return daemon(options, place);
});

/** Bytes of what a node that did not start has said. */
const LAST_WORDS = 4096;

/** Starts a node that outlives this process and its terminal. Settles when it is ready, or has not come up. */
async function daemon(options: NodeOptions, place: Place): Promise<number> {
  const { config, file: configFile } = load(options, place);
  const folder = folderOf(config, configFile);
  const running = runningPid(folder);
  if (running !== undefined) throw alreadyRunning(config.node, running);
  const file = join(folder, LOG_FILE);
  let log: number;
  let before: number;
  try {
    makeFolder(folder, 0o700);
    log = openSync(file, 'a', 0o640);
    before = statSync(file).size;
  } catch (error) {
    throw new Failed(FAILED, `${file}: ${(error as Error).message}`);
  }
  const program = join(place.packageRoot, 'dist', 'start.js');
  const child = spawn(process.execPath, [...process.execArgv, program, 'foreground', ...asFlags(options)], {
    detached: true,
    env: place.env,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const outcome = await new Promise<'ready' | number>((resolve) => {
    child.on('message', () => resolve('ready'));
    child.on('exit', (code) => resolve(code ?? FAILED));
    child.on('error', () => resolve(FAILED));
  });
  if (outcome === 'ready') {
    child.unref();
    if (child.connected) child.disconnect();
    place.out(`started as pid ${child.pid}; its log is ${file}`);
    return DONE;
  }
  // Another process was started in the same moment, and is the node now.
  const other = runningPid(folder);
  if (other !== undefined) throw alreadyRunning(config.node, other);
  const lastWords = readFileSync(file).subarray(before).subarray(-LAST_WORDS).toString().trimEnd();
  const code = outcome === DONE ? FAILED : outcome;
  throw new Failed(code, `the node has not started; the end of ${file}:`, lastWords);
}
