import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { connect as connectSocket } from 'node:net';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { Arrivals } from './arrivals.ts';
import { asNode, doorsOnFreePorts, freePorts, linkedAll, type Node } from './cluster.ts';
import { freeze } from './freeze.ts';
import { configFile, runRelay } from './relay-process.ts';

/** Debian's package installs it where a user's PATH may not lead. */
const PATH = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

/** Whether there is a nats-server on this machine; without one, tests that need it say so and end. */
export const hasNatsServer = spawnSync('nats-server', ['--version'], { env: { PATH } }).status === 0;

/** Says why the test does nothing. True: it is to end. */
export function skipWithoutNats(t: ExecutionContext): boolean {
  if (hasNatsServer) return false;
  t.log('skipped: nats-server is not installed (Debian: apt-get install nats-server)');
  t.pass();
  return true;
}

/** A server of NATS on loopback, which may be killed and started again on its port. */
export interface NatsServer {
  readonly port: number;
  /** As in `cluster.servers`. */
  readonly address: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** It stands still until SIGCONT. */
  freeze(): Promise<void>;
}

/** Starts one; it is gone with the test. `args`: more arguments. `at`: its port. */
export async function startNats(
  t: ExecutionContext,
  args: readonly string[] = [],
  at?: number,
): Promise<NatsServer> {
  const port = at ?? (await freePorts(1))[0] ?? 0;
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();
  const start = async () => {
    const one = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), ...args], {
      env: { PATH },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = one;
    ended = new Promise((resolve) => one.on('close', resolve));
    const log = new Arrivals<string>('log of nats-server');
    createInterface(one.stderr).on('line', (line) => log.push(line));
    await log.find((line) => line.includes('Server is ready'), 'it is ready');
    await reachable(port);
  };
  const kill = async () => {
    child?.kill('SIGKILL');
    await ended;
  };
  t.teardown(kill);
  await start();
  return {
    port,
    address: `127.0.0.1:${port}`,
    start,
    kill,
    signal: (signal) => child?.kill(signal),
    freeze: () => freeze(child?.pid ?? 0),
  };
}

function reachable(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}

export interface NatsRelayOptions {
  readonly grace?: string;
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly network?: Readonly<Record<string, unknown>>;
}

/** A relay over NATS, as a process. Ready does not mean linked. */
export async function startNatsRelay(
  t: ExecutionContext,
  servers: readonly string[],
  name: string,
  options: NatsRelayOptions = {},
): Promise<Node> {
  const settings = {
    node: name,
    cluster: { backplane: 'nats', servers, ...options.cluster },
    // A server or a relay that a busy machine lets wait is no dead one.
    network: { host: '127.0.0.1', port: 0, heartbeat: '200ms', timeout: '5s', ...options.network },
    admin: { host: '127.0.0.1', port: 0 },
    doors: doorsOnFreePorts(options.grace ?? '10s'),
  };
  const node = asNode(runRelay(t, ['--config', configFile(t, JSON.stringify(settings))]), name, 0);
  await node.log.find((line) => line.msg === 'ready', `${name} is ready`);
  return node;
}

export async function startNatsRelays(
  t: ExecutionContext,
  servers: readonly string[],
  count: number,
  options: NatsRelayOptions = {},
): Promise<Node[]> {
  const names = Array.from({ length: count }, (_, index) => `relay-${index + 1}`);
  const nodes = await Promise.all(names.map((name) => startNatsRelay(t, servers, name, options)));
  await linkedAll(nodes);
  return nodes;
}
