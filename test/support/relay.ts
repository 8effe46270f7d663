import type { ExecutionContext } from 'ava';
import { type Relay, type RelayOptions, startRelay } from '../../src/application/relay.ts';
import { loadPlugins } from '../../src/authenticator/plugin.ts';
import type { Config } from '../../src/config/config.ts';
import { formatError } from '../../src/config/config-error.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import type { Log } from '../../src/log/log.ts';
import type { Accounting } from '../../src/topic/accounting.ts';
import { Arrivals } from './arrivals.ts';

/** One thing that the relay has logged: what it was, and its fields. */
export interface Logged {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface TestRelay {
  readonly relay: Relay;
  readonly log: Arrivals<Logged>;
  readonly accounting: Accounting;
  /** The port that a listener has taken: of a door by its name, or `pinghub-metrics`. */
  port(door: string): number;
  /** The next `closed` that has not been taken by this function. */
  closed(): Promise<Logged>;
}

/** Milliseconds that what is typed at a prompt may take: on a busy machine what takes none must not be ended by it. */
const TURN = 10_000;

type Settings = Readonly<Record<string, unknown>> & {
  readonly doors?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
};

/**
 * Starts a relay in this process, its ports free ones on loopback; it ends with the test. `settings`: as in a file of
 * the configuration. `maxConnections`: where they name none.
 */
export async function startTestRelay(
  t: ExecutionContext,
  settings: Settings,
  maxConnections = 1000,
  options: RelayOptions = {},
): Promise<TestRelay> {
  const config = testConfig(settings);
  const log = new Arrivals<Logged>('log');
  const closed = new Arrivals<Logged>('closed connections');
  const loaded = await loadPlugins(config);
  if (!loaded.ok) throw new Error(loaded.errors.map(formatError).join('\n'));
  const { plugins } = loaded;
  const relay = startRelay(config, maxConnections, collectingLog(log, closed), {
    plugins,
    turn: TURN,
    ...options,
  });
  t.teardown(() => {
    relay.stop();
    return relay.ended;
  });
  const started = await relay.started;
  if (!started.ok) throw new Error(`the relay has not started: ${JSON.stringify(started.reason)}`);
  return {
    relay,
    log,
    accounting: relay.topics.accounting,
    port(door) {
      const line = log.all.findLast((one) => one.msg === 'listening' && one['door'] === door);
      if (line === undefined) throw new Error(`${door} does not listen`);
      return line['port'] as number;
    },
    closed: () => closed.next(),
  };
}

/** Gives a relay another list of relays, as a reload does. */
export async function changeRelays({ relay }: TestRelay, relays: readonly string[]): Promise<void> {
  const prepared = await relay.backplane?.list.prepare(relays);
  if (prepared?.faults !== null) throw new Error(`the list cannot change: ${prepared?.faults.join()}`);
  await prepared.commit();
}

/** Settings as in a file, their ports free ones on loopback. */
export function testConfig(settings: Settings): Config {
  const config = parseConfig({
    text: JSON.stringify(onFreePorts(settings)),
    file: 'test.yaml',
    sets: [],
    env: {},
    hostName: 'test',
  });
  if (!config.ok) throw new Error(config.errors.map(formatError).join('\n'));
  return config.config;
}

function onFreePorts(settings: Settings): Settings {
  const doors = Object.entries(settings.doors ?? {}).map(([name, door]) => {
    const metrics = name === 'pinghub' ? { metrics_port: 0 } : {};
    return [name, { host: '127.0.0.1', port: 0, ...metrics, ...door }] as const;
  });
  const free = { host: '127.0.0.1', port: 0 };
  // A client of this process is late whenever the process is.
  const limits = { handshake: '60s', ...(settings['limits'] as object | undefined) };
  return { node: 'test', network: free, admin: free, ...settings, limits, doors: Object.fromEntries(doors) };
}

function collectingLog(log: Arrivals<Logged>, ended: Arrivals<Logged>): Log {
  return {
    closed(closed, level) {
      const line = { msg: 'closed', level, ...closed };
      log.push(line);
      ended.push(line);
    },
    refused: (door, status, address, offered) =>
      log.push({ msg: 'refused', door, status, address, ...(offered === undefined ? {} : { offered }) }),
    notAdmitted: (door, why, address) => log.push({ msg: 'not admitted', door, why, address }),
    listening: (door, at) => log.push({ msg: 'listening', door, ...at }),
    draining: (connections) => log.push({ msg: 'draining', connections }),
    drained: (drained) => log.push({ msg: 'drained', ...drained }),
    report: ({ type, ...report }) => log.push({ msg: `${type} report`, ...report }),
    authenticator: ({ type, ...event }) => log.push({ msg: type, ...event }),
    ready: () => log.push({ msg: 'ready' }),
    stopped: (reason) => log.push({ msg: 'stopped', reason }),
    note: (message, fields = {}) => log.push({ msg: message, ...fields }),
    warn: (message, fields = {}) => log.push({ msg: message, ...fields }),
    fatal: (message, fields) => log.push({ msg: message, ...fields }),
    setLevel: (level) => log.push({ msg: 'level', level }),
    flush: () => undefined,
  };
}

/** Whether everything that was to be delivered is accounted for. */
export function isBalanced({ attempts, delivered, dropped }: Accounting): boolean {
  return attempts === delivered + Object.values(dropped).reduce((sum, count) => sum + count, 0);
}
