import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatError } from '../config/config-error.ts';
import { LOG_FILE, runningPid } from '../host/run-folder.ts';
import { attach } from './attach-command.ts';
import { BAD_CONFIG, type Command, DONE, FAILED, type Place } from './command.ts';
import { servesUnseen, stop } from './lifecycle-command.ts';
import {
  asFlags,
  findNode,
  folderOf,
  load,
  NODE_OPTIONS,
  type NodeOptions,
  nodeOptions,
} from './node-options.ts';

/** Bytes of what a node that did not start has said. */
const LAST_WORDS = 4096;

export const daemonCommand: Command = {
  usage: [`daemon ${NODE_OPTIONS}`],
  run: (args, place) => daemon(nodeOptions(args, [0, 0]), place),
};

/** A node in the background, with this terminal attached. Detaching leaves it running. */
export const consoleCommand: Command = {
  usage: [`console ${NODE_OPTIONS}`],
  async run(args, place) {
    const options = nodeOptions(args, [0, 0]);
    const code = await daemon(options, place);
    return code === DONE ? attach(options, place) : code;
  },
};

export const restartCommand: Command = {
  usage: [`restart ${NODE_OPTIONS} [--wait S]`],
  async run(args, place) {
    const options = nodeOptions(args, [0, 0]);
    // A node that would not start again is better left running.
    if (!isGood(options, place)) return BAD_CONFIG;
    const found = findNode(options, place);
    if (found === null) return BAD_CONFIG;
    const runs = found.pid !== undefined || (await servesUnseen(found));
    const stopped = runs ? await stop(found, options.wait, place) : DONE;
    return stopped === DONE ? daemon(options, place) : stopped;
  },
};

function isGood(options: NodeOptions, place: Place): boolean {
  const loaded = load(options, place);
  if (!loaded.ok) for (const error of loaded.errors) place.err(formatError(error));
  return loaded.ok;
}

/** Starts a node that outlives this process and its terminal. Settles when it is ready, or has not come up. */
async function daemon(options: NodeOptions, place: Place): Promise<number> {
  const loaded = load(options, place);
  if (!loaded.ok) {
    for (const error of loaded.errors) place.err(formatError(error));
    return BAD_CONFIG;
  }
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
    mkdirSync(folder, { recursive: true, mode: 0o700 });
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
