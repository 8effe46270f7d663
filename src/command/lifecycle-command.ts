import { setTimeout as pause } from 'node:timers/promises';
import { statusOf } from '../attach/client/node-client.ts';
import { isRunning } from '../host/run-folder.ts';
import { statusAtAdmin } from './admin-status.ts';
import { BAD_CONFIG, type Command, DONE, FAILED, type Place } from './command.ts';
import { type FoundNode, findNode, NODE_OPTIONS, nodeOptions } from './node-options.ts';

const NOT_RUNNING = 'Node is not running!';
/** As init scripts answer `status` (LSB Core 20.2). */
const STOPPED = 3;
/** Milliseconds between two looks at a process. */
const PERIOD = 50;
/** Beyond the drain: for topics, log and process to end. */
const REST = 30_000;

/** Of a node whose folder names no process: whether it serves, as its admin port says. */
export async function servesUnseen({ asked }: FoundNode): Promise<boolean> {
  return asked !== null && (await statusAtAdmin(asked)) !== 'stopped';
}

/** Tells why a node has no process to turn to. `tell`: where a command says that it does not run. */
export async function tellNoProcess(
  found: FoundNode,
  { err }: Place,
  tell: (line: string) => void,
): Promise<void> {
  if (await servesUnseen(found))
    err(`the node serves, as its admin port says, but its folder ${found.folder} cannot be reached`);
  else tell(NOT_RUNNING);
}

export const stopCommand: Command = {
  usage: [`stop ${NODE_OPTIONS} [--wait S]`],
  async run(args, place) {
    const { wait, ...options } = nodeOptions(args, [0, 0]);
    const found = findNode({ ...options, wait }, place);
    return found === null ? BAD_CONFIG : stop(found, wait, place);
  },
};

/** Tells the node to stop, and waits until it is gone. */
export async function stop(found: FoundNode, wait: number | undefined, place: Place): Promise<number> {
  const { pid, drain } = found;
  if (pid === undefined) {
    await tellNoProcess(found, place, place.out);
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
    if (found.pid === undefined) {
      await tellNoProcess(found, place, place.out);
      return FAILED;
    }
    place.out(String(found.pid));
    return DONE;
  },
};

export const statusCommand: Command = {
  usage: [`status ${NODE_OPTIONS}`],
  async run(args, place) {
    const found = findNode(nodeOptions(args, [0, 0]), place);
    if (found === null) return BAD_CONFIG;
    if (found.pid === undefined && (await servesUnseen(found))) {
      place.out(`running; its folder ${found.folder} is out of reach`);
      return DONE;
    }
    place.out(found.pid === undefined ? 'stopped' : `running as pid ${found.pid}`);
    return found.pid === undefined ? STOPPED : DONE;
  },
};
