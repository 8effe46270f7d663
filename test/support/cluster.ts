import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { ExecutionContext } from 'ava';
import type { Machines } from './namespaces.ts';
import { configFile, type RelayProcess, runRelay } from './relay-process.ts';

export const SECRET = 'a secret for tests only';

/** One relay of a network, as a process. */
export interface Node extends RelayProcess {
  readonly name: string;
  readonly networkPort: number;
  /** Where a door is: for clients. */
  at(door: string): Promise<string>;
  atHttp(door: string): Promise<string>;
  /** Ends it as a power cut would, and waits until it is gone. */
  kill(): Promise<void>;
}

export interface ClusterOptions {
  readonly heartbeat?: string;
  readonly timeout?: string;
  /** More settings, in JSON's part of YAML. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly network?: Readonly<Record<string, unknown>>;
  readonly grace?: string;
  /** One machine for each relay; without them all are on loopback. */
  readonly machines?: Machines;
  /** What stands in the list of relays for each port. */
  readonly dialled?: (port: number, index: number) => string;
}

/** A network of relays on this machine, each with all doors on free ports. */
export interface TestCluster {
  readonly nodes: readonly Node[];
  /** Starts the relay of that number (again), and waits until it is ready. */
  start(index: number): Promise<Node>;
  node(index: number): Node;
}

export async function startCluster(
  t: ExecutionContext,
  size: number,
  options: ClusterOptions = {},
): Promise<TestCluster> {
  const { machines } = options;
  const ports = machines === undefined ? await freePorts(size) : Array.from({ length: size }, () => 55001);
  const dialled = options.dialled ?? ((port) => `127.0.0.1:${port}`);
  const relays = ports.map((port, index) => machines?.network(index) ?? dialled(port, index));
  const nodes: Node[] = [];
  const start = async (index: number): Promise<Node> => {
    const networkPort = ports[index] as number;
    const name = `relay-${index + 1}`;
    const clientHost = machines?.clients(index) ?? '127.0.0.1';
    const settings = {
      node: name,
      relays,
      network: {
        host: machines?.network(index) ?? '127.0.0.1',
        port: networkPort,
        secret: SECRET,
        heartbeat: options.heartbeat ?? '200ms',
        // A relay that a busy machine lets wait is no dead one.
        timeout: options.timeout ?? '10s',
        ...options.network,
      },
      admin: { host: clientHost, port: 0 },
      doors: doorsOnFreePorts(options.grace ?? '10s', clientHost),
      ...options.settings,
    };
    const process = runRelay(
      t,
      ['--config', configFile(t, JSON.stringify(settings))],
      {},
      machines?.prefix(index) ?? [],
    );
    const node = asNode(process, name, networkPort, clientHost);
    nodes[index] = node;
    await node.log.find((line) => line.msg === 'ready', `${name} is ready`);
    return node;
  };
  await Promise.all(ports.map((_, index) => start(index)));
  await linkedAll(nodes);
  return { nodes, start, node: (index) => nodes[index] as Node };
}

export function doorsOnFreePorts(grace: string, host = '127.0.0.1'): object {
  const at = { host, port: 0 };
  return {
    pusu: at,
    pinghub: { ...at, metrics_port: null },
    wspubsub: { ...at, grace, apikeys: { list: [{ domain: 'example.com', key: 'key' }] } },
  };
}

export function asNode(process: RelayProcess, name: string, networkPort: number, host = '127.0.0.1'): Node {
  return {
    ...process,
    name,
    networkPort,
    at: async (door) => `ws://${host}:${await process.port(door)}`,
    atHttp: async (door) => `http://${host}:${await process.port(door)}`,
    kill: async () => {
      process.signal('SIGKILL');
      await process.exited;
    },
  };
}

/** Waits until every relay is linked to every other one. */
export async function linkedAll(nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) {
    for (const other of nodes) if (other !== node) await linkedTo(node, other.name);
  }
}

/** Waits until `node` has a link to `peer` that has not ended since, looking at the log from line `from` on. */
export async function linkedTo(node: Node, peer: string, from = 0): Promise<void> {
  await node.log.find(
    (line) => line.msg === 'linked' && line['peer'] === peer && node.log.all.indexOf(line) >= from,
    `${node.name} is linked to ${peer}`,
  );
}

/**
 * Free ports of loopback, below those that the system gives to outgoing connections: nobody takes them meanwhile. Other
 * files of tests, which run at the same time, get others: for UDP, which nobody here uses, a port is kept by who has it.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if ((await isReserved(port)) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

/** Whether the port is ours now, until this process ends. */
function isReserved(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.on('error', () => resolve(false));
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => {
      socket.unref();
      resolve(true);
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
