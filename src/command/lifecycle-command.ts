import { setTimeout as pause } from 'node:timers/promises';
import { SilentNode, statusOf } from '../attach/client/node-client.ts';
import { isRunning } from '../host/run-folder.ts';
import { audited } from './audit.ts';
import { DONE, FAILED, Failed, type NOT_YET, type Place } from './command.ts';
import { type FoundNode, findNode, nodeCommand } from './node-options.ts';
import { reachable } from './reach.ts';

const NOT_RUNNING = 'Node is not running!';
/** As init scripts answer `status` (LSB Core 20.2). */
const STOPPED = 3;
/** Milliseconds between two looks at a process. */
const PERIOD = 50;
/** Beyond the drain: for topics, log and process to end. */
const REST = 30_000;

/** Whether a node whose folder names no process serves, by what its admin port says. */
export async function servesUnseen({ asked }: FoundNode): Promise<boolean> {
  return asked !== null && (await statusAtAdmin(asked)) !== 'stopped';
}

/**
 * Ends a command for which a node needs a process. `tell`: where the command says that there is none; `code`: how it ends,
 * NOT_YET where the node was to be asked something.
 */
export async function noProcess(
  found: FoundNode,
  tell: (line: string) => void,
  code: typeof FAILED | typeof NOT_YET = FAILED,
): Promise<never> {
  if (await servesUnseen(found)) {
    const { folder } = found;
    throw new Failed(
      code,
      `the node serves, as its admin port says, but its folder ${folder} cannot be reached`,
    );
  }
  tell(NOT_RUNNING);
  throw new Failed(code);
}

export const stopCommand = nodeCommand('stop [--wait S]', (options, place) =>
  stop(findNode(options, place), options.wait, place),
);

/** Tells the node to stop, and waits until it is gone. */
export async function stop(found: FoundNode, wait: number | undefined, place: Place): Promise<number> {
  const pid = found.pid ?? (await noProcess(found, place.out));
  await audited(found.folder, place, 'stop', () => end(found, pid, wait));
  place.out('ok');
  return DONE;
}

async function end({ drain }: FoundNode, pid: number, wait: number | undefined): Promise<void> {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH')
      throw new Failed(FAILED, `pid ${pid} cannot be told to stop: ${(error as Error).message}`);
  }
  // 0: it drains for as long as it takes.
  const limit = wait ?? (drain === null || drain === 0 ? Number.POSITIVE_INFINITY : drain + REST);
  const latest = performance.now() + limit;
  while (isRunning(pid)) {
    if (performance.now() >= latest)
      throw new Failed(FAILED, `pid ${pid} still runs after ${limit / 1000} s`);
    await pause(PERIOD);
  }
}

export const pingCommand = nodeCommand('ping [--wait S]', async (options, place) => {
  const end = performance.now() + (options.wait ?? 0);
  for (;;) {
    const found = findNode(options, place);
    const status = await statusOfNode(found);
    if (status === 'ready') {
      place.out('pong');
      return DONE;
    }
    if (performance.now() >= end) {
      place.out(status === 'stopped' ? NOT_RUNNING : `Node is ${status}.`);
      if (status === SILENT)
        place.err(`pid ${found.pid} runs, but says nothing: it hangs, or somebody has stopped it`);
      return FAILED;
    }
    await pause(PERIOD);
  }
});

/** A node to which nobody can attach counts as ready: no more is known than that it runs. */
async function statusOfNode({ pid, folder, closed, asked }: FoundNode): Promise<string> {
  if (pid === undefined) return asked === null ? 'stopped' : statusAtAdmin(asked);
  if (closed) return 'ready';
  try {
    return await statusOf(folder);
  } catch (error) {
    if (error instanceof SilentNode) return SILENT;
    throw error;
  }
}

const SILENT = 'silent';

export const pidCommand = nodeCommand('pid', async (options, place) => {
  const found = findNode(options, place);
  place.out(String(found.pid ?? (await noProcess(found, place.out))));
  return DONE;
});

export const statusCommand = nodeCommand('status', async (options, place) => {
  const found = findNode(options, place);
  if (found.pid === undefined && (await servesUnseen(found))) {
    place.out(`running; its folder ${found.folder} is out of reach`);
    return DONE;
  }
  place.out(found.pid === undefined ? 'stopped' : `running as pid ${found.pid}`);
  // Another configuration is the usual reason why a node that runs is not found.
  if (found.pid === undefined)
    place.err(`no node runs in ${found.folder}: was it started with another configuration?`);
  return found.pid === undefined ? STOPPED : DONE;
});

/** Milliseconds for an answer. */
const PATIENCE = 2000;

interface Health {
  readonly node?: unknown;
  readonly edges?: readonly { readonly edge: string; readonly why?: string }[];
}

/** How the node is, by its admin port: `ready`, `starting`, `draining`; `stopped`: that node does not answer. */
async function statusAtAdmin({ node, host, port }: NonNullable<FoundNode['asked']>): Promise<string> {
  try {
    const answer = await fetch(`http://${reachable(host)}:${port}/health/ready`, {
      signal: AbortSignal.timeout(PATIENCE),
    });
    const health = (await answer.json()) as Health;
    if (health.node !== node) return 'stopped';
    const own = health.edges?.find(({ edge }) => edge === 'node');
    return own?.why ?? 'ready';
  } catch {
    return 'stopped';
  }
}
