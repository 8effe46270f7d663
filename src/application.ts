import { type ServerOptions, WebSocketServer } from 'ws';
import { drainer } from './acceptor/drainer.ts';
import { Gate } from './acceptor/gate.ts';
import { type Edge, type ListenerMessage, listener } from './acceptor/listener.ts';
import { metricsListener } from './acceptor/metrics-listener.ts';
import type { Refusals } from './acceptor/refusals.ts';
import type { Plugins } from './authenticator/authenticator-from.ts';
import { isEmpty } from './authenticator/permissions.ts';
import { Cluster } from './cluster/cluster.ts';
import { type Mesh, mesh } from './cluster/mesh/mesh.ts';
import { meshSettings } from './cluster/mesh/settings.ts';
import { type Nats, nats, natsUplink } from './cluster/nats/nats.ts';
import { natsSettings } from './cluster/nats/settings.ts';
import type { Config, Limits } from './config/config.ts';
import { readTls } from './config/tls-files.ts';
import { Connections } from './connection/connections.ts';
import type { DoorContext } from './connection/door-context.ts';
import { newDoorCounters } from './connection/door-counters.ts';
import { DoorWebSocket } from './connection/websocket-transport.ts';
import { type DoorSettings, doorSettings } from './doors.ts';
import { Guards } from './guards.ts';
import type { Log } from './log.ts';
import { type Application, startApplication } from './otp/application-master.ts';
import { type ChildSpec, worker } from './otp/child-spec.ts';
import { type ProcessName, processName, sendNamed } from './otp/registry.ts';
import { supervisor } from './otp/supervisor.ts';
import { System } from './otp/system.ts';
import { newAccounting } from './topic/accounting.ts';
import { matches } from './topic/pattern.ts';
import { Topics } from './topic/topics.ts';

/** Restarts of the root's children before the process ends, for the service manager to start it afresh. */
const ROOT_INTENSITY = { intensity: 3, period: 10_000 };
const ACCEPTOR_INTENSITY = { intensity: 5, period: 5000 };

/** A relay that is being started, runs, or is being stopped. */
export interface Relay extends Application {
  readonly system: System;
  readonly topics: Topics;
  /** The mesh; null: this relay is alone, or linked by NATS. */
  readonly backplane: Mesh | null;
  /** Null: this relay is alone, or in a mesh. */
  readonly nats: Nats | null;
  /** How many clients were turned away, and why. */
  readonly refusals: Readonly<Refusals>;
  /** Has the doors read their certificates and keys again; connections that are open go on with the old ones. */
  rereadTls(): void;
}

/**
 * The relay: its supervision tree, and the only place where its parts are chosen and wired. The order of the children
 * is the order in which they start; they stop in the reverse one, so that accepting ends before anything else does.
 */
export function startRelay(
  config: Config,
  maxConnections: number,
  log: Log,
  plugins: Plugins = new Map(),
): Relay {
  const system = new System({ report: log.report });
  const cluster = clusterOf(system, config);
  const topics: Topics = new Topics(newAccounting(), cluster);
  const shared = { system, topics: () => topics, log };
  const { servers } = config.cluster;
  const overNats = cluster?.uplink
    ? nats({ ...shared, cluster, servers, settings: natsSettings(config) })
    : null;
  const backplane =
    cluster === null || overNats !== null
      ? null
      : mesh({ ...shared, cluster, relays: config.relays, settings: meshSettings(config) });
  const linked = overNats ?? backplane;
  const connections = new Connections();
  const guards = new Guards(config, log, plugins);
  const gate = new Gate({ ...config.limits, connections: config.limits.connections ?? maxConnections });
  const doors = doorSettings(config);
  const listenerNames: ProcessName<ListenerMessage>[] = [];
  const listeners = doors.flatMap((settings): ChildSpec[] => {
    const context = doorContext(settings, config.limits, topics, guards, gate, log);
    const name = processName<ListenerMessage>(`listener.${settings.door.name}`);
    listenerNames.push(name);
    const args = {
      context,
      at: settings.at,
      edge: edgeOf(settings, context),
      gate,
      startHandler: (handler: Parameters<Connections['start']>[1]) => connections.start(system, handler),
      log,
    };
    const specs = [worker(`listener.${settings.door.name}`, listener, args, { name })];
    if (settings.metrics !== null) {
      const channels = () => countTopicsOf(topics, settings);
      specs.push(
        worker('listener.pinghub-metrics', metricsListener, {
          ...settings.metrics,
          counters: context.counters,
          channels,
          log,
        }),
      );
    }
    return specs;
  });
  sayWhatBinds(config, doors, log);
  const drain = config.limits.drain;
  let stopping = false;
  const root = supervisor('root', { strategy: 'rest_for_one', ...ROOT_INTENSITY }, [
    topics.spec,
    ...(cluster === null || linked === null ? [] : [cluster.spec(linked, topics)]),
    supervisor('authenticators', { strategy: 'one_for_one', ...ACCEPTOR_INTENSITY }, guards.specs),
    connections.spec,
    supervisor('acceptor', { strategy: 'one_for_one', ...ACCEPTOR_INTENSITY }, listeners),
    worker(
      'drainer',
      drainer,
      {
        isStopping: () => stopping,
        listeners: listenerNames,
        connections: connections.partitions,
        limit: drain,
        log,
      },
      { shutdown: 'infinity' },
    ),
  ]);
  const rereadTls = () => {
    for (const name of listenerNames) sendNamed(system, name, { type: 'reread-tls' });
  };
  const application = startApplication(system, root);
  const stopRelay = () => {
    stopping = true;
    application.stop();
  };
  const { refusals } = gate;
  return { ...application, stop: stopRelay, system, topics, backplane, nats: overNats, refusals, rereadTls };
}

/** Null: this relay is alone. */
function clusterOf(system: System, config: Config): Cluster | null {
  const { cluster, relays, node } = config;
  if (cluster.backplane === 'nats') return new Cluster(system, node, noneOrdered, natsUplink(system));
  return relays.length === 0 ? null : new Cluster(system, node, orderedTopics(config));
}

/** Over NATS there is no relay that could order them. */
const noneOrdered = () => false;

/** Which topics have one order for all relays. */
function orderedTopics({ topics }: Config): (name: string) => boolean {
  return (name) => topics.find(({ pattern }) => matches(pattern, name))?.ordering === 'cluster';
}

/** What an operator might not expect of these settings, once, at the start. */
function sayWhatBinds(config: Config, doors: readonly DoorSettings[], log: Log): void {
  const { allowedChannels } = config;
  if (allowedChannels !== null && config.doors.pusu !== null) {
    const bound = doors
      .filter(({ realm }) => realm === config.doors.pusu?.realm)
      .map(({ door }) => door.name);
    log.note('allowed_channels binds', { doors: bound, channels: allowedChannels });
  }
}

function doorContext(
  settings: DoorSettings,
  limits: Limits,
  topics: Topics,
  guards: Guards,
  gate: Gate,
  log: Log,
): DoorContext {
  return {
    door: settings.door,
    realm: settings.realm,
    guards: guards.of(settings),
    topics,
    limits,
    heartbeat: settings.heartbeat,
    grace: settings.grace,
    counters: newDoorCounters(),
    webSockets: webSocketServer(limits),
    attempts: gate.attempts,
    log,
  };
}

function edgeOf(settings: DoorSettings, context: DoorContext): Edge {
  const { origin, tls, trustedProxies, proxyProtocol, openToSubscribers } = settings;
  return {
    origin,
    tls: tls === null ? null : () => readTls(tls),
    trustedProxies,
    proxyProtocol,
    open: openToSubscribers || !isEmpty(context.guards.authenticator.anonymous),
  };
}

/** ws parses frames, answers pings and closes; it neither listens nor compresses, and keeps no list of clients. */
function webSocketServer(limits: Limits): WebSocketServer {
  // Newer than the published types.
  const timing: ServerOptions & { readonly closeTimeout: number } = { closeTimeout: limits.close };
  return new WebSocketServer({
    ...timing,
    noServer: true,
    WebSocket: DoorWebSocket,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.message,
    maxFragments: limits.fragments,
    // A client's wishes are not refused: pypusu asks for `http-only`, and expects it.
    handleProtocols: (protocols) => protocols.values().next().value ?? false,
  });
}

function countTopicsOf(topics: Topics, { realm, formats }: DoorSettings): number {
  let count = 0;
  for (const topic of topics.all()) {
    if (topic.realm === realm && topic.members.groups.some(({ format }) => formats.includes(format))) count++;
  }
  return count;
}
