import { setTimeout as pause } from 'node:timers/promises';
import { statusOf } from '../attach/client/node-client.ts';
import { isRunning } from '../host/run-folder.ts';
import { statusAtAdmin } from './admin-status.ts';
import { BAD_CONFIG, type Command, DONE, FAILED, type Place } from './command.ts';
import { type FoundNode, findNode, NODE_OPTIONS, nodeOptions } from './node-options.ts';

export const NOT_RUNNING = 'Node is not running!';
/** As init scripts answer `status` (LSB Core 20.2). */
const STOPPED = 3;
/** Milliseconds between two looks at a process. */
const PERIOD = 50;
/** Beyond the drain: for topics, log and process to end. */
const REST = 30_000;

export const stopCommand: Command = {
  usage: [`stop ${NODE_OPTIONS} [--wait S]`],
  async run(args, place) {
    const { wait, ...options } = nodeOptions(args, [0, 0]);
    const found = findNode({ ...options, wait }, place);
    return found === null ? BAD_CONFIG : stop(found, wait, place);
  },
};

/** Tells the node to stop, and waits until it is gone. */
export async function stop(
  { pid, drain }: FoundNode,
  wait: number | undefined,
  place: Place,
): Promise<number> {
  if (pid === undefined) {
    place.out(NOT_RUNNING);
    return FAILED;
  }
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      place.err(`pid ${pid} cannot be told to stop: ${(error as Error).message}`);
      return FAILED;
    }
  }
  // 0: it drains for as long as it takes.
  const limit = wait ?? (drain === null || drain === 0 ? Number.POSITIVE_INFINITY : drain + REST);
  const end = performance.now() + limit;
  while (isRunning(pid)) {
    if (performance.now() >= end) {
      place.err(`pid ${pid} still runs after ${limit / 1000} s`);
      return FAILED;
    }
    await pause(PERIOD);
  }
  place.out('ok');
  return DONE;
}

export const pingCommand: Command = {
  usage: [`ping ${NODE_OPTIONS} [--wait S]`],
  async run(args, place) {
    const options = nodeOptions(args, [0, 0]);
    const end = performance.now() + (options.wait ?? 0);
    for (;;) {
      const found = findNode(options, place);
      if (found === null) return BAD_CONFIG;
      const status = await statusOfNode(found);
      if (status === 'ready') {
        place.out('pong');
        return DONE;
      }
      if (performance.now() >= end) {
        place.out(status === 'stopped' ? NOT_RUNNING : `Node is ${status}.`);
        return FAILED;
      }
      await pause(PERIOD);
    }
  },
};

/** Of a node that nobody can attach to no more is known than that it runs. */
async function statusOfNode({ pid, folder, closed, asked }: FoundNode): Promise<string> {
  if (pid === undefined) return asked === null ? 'stopped' : statusAtAdmin(asked);
  return closed ? 'ready' : statusOf(folder);
}

export const pidCommand: Command = {
  usage: [`pid ${NODE_OPTIONS}`],
  async run(args, place) {
    const found = findNode(nodeOptions(args, [0, 0]), place);
    if (found === null) return BAD_CONFIG;
    place.out(found.pid === undefined ? NOT_RUNNING : String(found.pid));
    return found.pid === undefined ? FAILED : DONE;
  },
};

export const statusCommand: Command = {
  usage: [`status ${NODE_OPTIONS}`],
  async run(args, place) {
    const found = findNode(nodeOptions(args, [0, 0]), place);
    if (found === null) return BAD_CONFIG;
    if (found.pid === undefined && found.asked !== null && (await statusAtAdmin(found.asked)) !== 'stopped') {
      place.out(`running; its folder ${found.folder} is out of reach`);
      return DONE;
    }
    place.out(found.pid === undefined ? 'stopped' : `running as pid ${found.pid}`);
    return found.pid === undefined ? STOPPED : DONE;
  },
};
