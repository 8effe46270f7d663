import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatError } from '../config/config-error.ts';
import { makeFolder } from '../host/folder.ts';
import { claimFolder, LOG_FILE, runningPid } from '../host/run-folder.ts';
import { attach } from './attach-command.ts';
import { BAD_CONFIG, type Command, DONE, FAILED, type Place } from './command.ts';
import { servesUnseen, stop } from './lifecycle-command.ts';
import {
  asFlags,
  findNode,
  folderOf,
  load,
  loadAgain,
  loadWhole,
  NODE_OPTIONS,
  type NodeOptions,
  nodeOptions,
  tellFaults,
} from './node-options.ts';
import { versionOf } from './versions-command.ts';

/** Runs the relay in this process. What comes of it ends the process with its own exit code. */
export const startCommand: Command = {
  usage: [`start ${NODE_OPTIONS}`],
  run: start,
};

async function start(args: readonly string[], place: Place): Promise<number> {
  const options = nodeOptions(args);
  const loaded = await loadWhole(options, place);
  if (!loaded.ok) return tellFaults(loaded, place);
  for (const warning of loaded.warnings) place.err(`warning: ${formatError(warning)}`);
  const folder = folderOf(loaded.config, loaded.file);
  const claim = claimFolder(folder);
  if (claim.kind === 'taken') {
    place.err(`${loaded.config.node} is already running as pid ${claim.pid}`);
    return FAILED;
  }
  // Loaded here, because all the other commands do without a relay.
  const { run } = await import('../host/running.ts');
  run({
    config: loaded.config,
    plugins: loaded.plugins,
    closed: loaded.closed,
    version: versionOf(place.packageRoot),
    folder,
    unusable: claim.kind === 'unusable' ? claim.why : null,
    load: () => loadAgain(options, place),
  });
  // The relay ends the process, with the exit code of its own end.
  return new Promise(() => undefined);
}

export const checkCommand: Command = {
  usage: [`check ${NODE_OPTIONS}`],
  async run(args, place) {
    const loaded = await loadWhole(nodeOptions(args), place);
    if (!loaded.ok) return tellFaults(loaded, place);
    for (const warning of loaded.warnings) place.err(`warning: ${formatError(warning)}`);
    place.out(`${loaded.file}: ok`);
    return DONE;
  },
};

/** Bytes of what a node that did not start has said. */
const LAST_WORDS = 4096;

export const daemonCommand: Command = {
  usage: [`daemon ${NODE_OPTIONS}`],
  run: (args, place) => daemon(nodeOptions(args), place),
};

/** A node in the background, with this terminal attached. Detaching leaves it running. */
export const consoleCommand: Command = {
  usage: [`console ${NODE_OPTIONS}`],
  async run(args, place) {
    const options = nodeOptions(args);
    const code = await daemon(options, place);
    return code === DONE ? attach(options, place) : code;
  },
};

export const restartCommand: Command = {
  usage: [`restart ${NODE_OPTIONS} [--wait S]`],
  async run(args, place) {
    const options = nodeOptions(args);
    // A node that would not start again is better left running.
    const loaded = load(options, place);
    if (!loaded.ok) return tellFaults(loaded, place);
    const found = findNode(options, place);
    if (found === null) return BAD_CONFIG;
    const runs = found.pid !== undefined || (await servesUnseen(found));
    const stopped = runs ? await stop(found, options.wait, place) : DONE;
    return stopped === DONE ? daemon(options, place) : stopped;
  },
};

/** Starts a node that outlives this process and its terminal. Settles when it is ready, or has not come up. */
async function daemon(options: NodeOptions, place: Place): Promise<number> {
  const loaded = load(options, place);
  if (!loaded.ok) return tellFaults(loaded, place);
  const folder = folderOf(loaded.config, loaded.file);
  const running = runningPid(folder);
  if (running !== undefined) {
    place.err(`${loaded.config.node} is already running as pid ${running}`);
    return FAILED;
  }
  const file = join(folder, LOG_FILE);
  let log: number;
  let before: number;
  try {
    makeFolder(folder, 0o700);
    log = openSync(file, 'a', 0o640);
    before = statSync(file).size;
  } catch (error) {
    place.err(`${file}: ${(error as Error).message}`);
    return FAILED;
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
  // Another one was started in the same moment, and is the node now.
  const other = runningPid(folder);
  if (other !== undefined) {
    place.err(`${loaded.config.node} is already running as pid ${other}`);
    return FAILED;
  }
  place.err(`the node has not started; the end of ${file}:`);
  place.err(readFileSync(file).subarray(before).subarray(-LAST_WORDS).toString().trimEnd());
  return outcome === DONE ? FAILED : outcome;
}
