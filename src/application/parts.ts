import type { DrainerArgs } from '../acceptor/drainer.ts';
import { Gate, type GateLimits } from '../acceptor/gate.ts';
import { Admin } from '../admin/admin.ts';
import { STALL, Stalls } from '../admin/watchdog.ts';
import type { AttachOptions } from '../attach/attach.ts';
import { StrayErrors } from '../attach/stray-errors.ts';
import type { Plugins } from '../authenticator/authenticator-from.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Config, Limits } from '../config/config.ts';
import type { ConnectionArgs } from '../connection/connection.ts';
import { Connections } from '../connection/connections.ts';
import type { Log, OpenLog } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { type Clock, systemClock } from '../otp/clock.ts';
import { System } from '../otp/system.ts';
import { type Load, type ReloadArgs, reload } from '../reload/reload-server.ts';
import { type Reloadable, RunningConfig } from '../reload/running-config.ts';
import { redacted } from '../secret/redaction.ts';
import { Accounting } from '../topic/accounting.ts';
import { Topics } from '../topic/topics.ts';
import { History } from '../view/history.ts';
import type { LogLevel, NodeView, RelayView } from '../view/relay-view.ts';
import { Sampling } from '../view/sampling.ts';
import { doorSettings } from './doors.ts';
import { Lifecycle } from './lifecycle.ts';
import { clusterOf, type Network, networkOf } from './network.ts';
import { OpenDoors } from './open-doors.ts';

export interface RelayOptions {
  readonly version?: string;
  /** The node's own folder; null: the relay makes no files, and nobody can attach. */
  readonly folder?: string | null;
  /** The modules that the configuration names. */
  readonly plugins?: Plugins;
  /** Reads the configuration again, for a reload that is asked for from within. */
  readonly load?: Load;
  /** How the log gets on, for metrics, and where the watchdog's thread may write. */
  readonly logTarget?: Pick<OpenLog, 'linesLost' | 'raw'>;
  /** Told which of the errors that nobody caught are of attached operators. */
  readonly strays?: StrayErrors;
  /** The process's limit on open files, where it is known. */
  readonly openFiles?: number;
  /** Milliseconds without a turn that are a stall. */
  readonly stall?: number;
  readonly clock?: Clock;
}

/** What the children of the tree are made of. */
export interface Parts {
  readonly system: System;
  readonly lifecycle: Lifecycle;
  readonly cluster: Cluster;
  readonly topics: Topics;
  readonly network: Network;
  readonly connections: Connections;
  readonly gate: Gate;
  readonly doors: OpenDoors;
  readonly node: NodeView;
  readonly sampling: Sampling;
  readonly admin: Admin;
  /** Null: nobody can attach. */
  readonly attached: AttachOptions | null;
  readonly drainerArgs: DrainerArgs;
  readonly reloadArgs: ReloadArgs;
}

const notFromAFile: Load = () => ({ ok: false, errors: ['this relay was not started from a file'] });

/** The only place where the parts of a relay are chosen and wired: each is made from those above it. */
export function partsOf(config: Config, maxConnections: number, givenLog: Log, options: RelayOptions): Parts {
  const { version = '', folder = null, load = notFromAFile, plugins = new Map(), logTarget } = options;
  const { strays = new StrayErrors(), stall = STALL, clock = systemClock } = options;
  const current = { limits: config.limits, needsPeers: config.admin?.readyNeedsPeers === true };
  const history = new History();
  const log = kept(history, givenLog);
  const lifecycle = new Lifecycle(clock, () => current.limits, log);
  const system = new System({
    report: (report) => {
      // What keeps the tree from starting is the outcome of `started`; every supervisor on the way up would report it again.
      const isRepeated = report.type === 'supervisor' && report.context === 'start_error';
      if (lifecycle.phase !== 'starting' || !isRepeated) log.report(report);
    },
    clock,
  });
  const cluster = clusterOf(system, config);
  const topics = new Topics(new Accounting(), cluster);
  const network = networkOf(config, { system, cluster, topics: () => topics, log });
  const connections = new Connections();
  const gate = new Gate(gateLimits(config.limits, maxConnections), options.openFiles);
  sayWhatIsShort(config.limits, gate, log);
  const draining: Omit<DrainerArgs, 'only' | 'stopAccepting'> = {
    isStopping: () => lifecycle.phase === 'stopping',
    connections: connections.partitions,
    limit: () => current.limits.drain,
    tally: () => ({ delivered: topics.accounting.delivered, dropped: topics.accounting.droppedInAll }),
    log,
  };
  const startHandler = (handler: ConnectionArgs) => connections.start(system, handler);
  const doors = new OpenDoors({ system, topics, gate, log, startHandler, draining }, config, plugins);
  sayWhatBinds(config, log);
  const logLevel = logLevelOf(config.log.level, log);
  const node: NodeView = {
    node: config.node,
    version,
    system,
    topics,
    history,
    links: () => network.links(),
    logLevel,
    ready: () => lifecycle.phase === 'ready',
    stop: lifecycle.stop,
    reload: () => reload(system, load),
  };
  const stalls = new Stalls();
  const view: RelayView = {
    ...node,
    phase: () => lifecycle.shown,
    doors: () => doors.views,
    admission: gate.admission,
    refused: () => ({ ...gate.refusals }),
    authenticators: () => doors.meters.all,
    stalls,
    ways: () => network.ways(current.needsPeers),
    linesLost: () => logTarget?.linesLost ?? 0,
  };
  const sampling = new Sampling(view);
  const admin = new Admin({
    view,
    sampling,
    metrics: new Metrics(view, sampling),
    at: config.admin,
    watchdog: {
      node: config.node,
      stalls,
      raw: logTarget?.raw ?? null,
      threshold: stall,
      shed: (on) => {
        gate.admission.shed(on);
      },
      warn: log.warn,
    },
    writeStall: () => current.limits.writeStall,
    log,
  });
  const parts: readonly Reloadable[] = [
    {
      keys: ['limits'],
      apply: ({ limits }) => {
        current.limits = limits;
        gate.configure(gateLimits(limits, maxConnections));
        sayWhatIsShort(limits, gate, log);
        return [];
      },
    },
    {
      keys: ['log.level'],
      apply: ({ log: { level } }) => {
        logLevel.set(level);
        return [];
      },
    },
    doors,
    {
      keys: ['admin'],
      apply: (next) => {
        current.needsPeers = next.admin?.readyNeedsPeers === true;
        return admin.apply(next);
      },
    },
    network.reloadable,
  ];
  const { enabled, eval: evaluation } = config.attach;
  return {
    system,
    lifecycle,
    cluster,
    topics,
    network,
    connections,
    gate,
    doors,
    node,
    sampling,
    admin,
    attached: folder === null || !enabled ? null : { folder, evaluation, log, strays },
    drainerArgs: { ...draining, stopAccepting: () => doors.stopAccepting(), only: null },
    reloadArgs: { running: new RunningConfig(config), parts, reread: () => doors.rereadTls(), log },
  };
}

function gateLimits(limits: Limits, maxConnections: number): GateLimits {
  return { ...limits, connections: limits.connections ?? maxConnections };
}

/** The system would close connections that the settings allow. */
function sayWhatIsShort({ connections }: Limits, { files }: Gate, log: Log): void {
  if (connections === null || (connections > 0 && connections <= files.most)) return;
  if (files.limit !== Number.POSITIVE_INFINITY)
    log.warn('limits.connections is more than the limit on open files leaves', {
      connections,
      openFiles: files.limit,
    });
}

/** What an operator might not expect of these settings, once, at the start. */
function sayWhatBinds(config: Config, log: Log): void {
  const { allowedChannels } = config;
  if (allowedChannels !== null && config.doors.pusu !== null) {
    const bound = doorSettings(config)
      .filter(({ realm }) => realm === config.doors.pusu?.realm)
      .map(({ door }) => door.name);
    log.note('allowed_channels binds', { doors: bound, channels: allowedChannels });
  }
}

/** The same log, where what it says and forgets is kept and counted for those who look at the relay. */
function kept(history: History, log: Log): Log {
  return {
    ...log,
    closed: (closed, level, details) => {
      history.closed(closed, details);
      log.closed(closed, level, details);
    },
    refused: (door, status, ...more) => {
      history.refused(door, String(status));
      log.refused(door, status, ...more);
    },
    notAdmitted: (door, why, address) => {
      history.refused(door, why);
      log.notAdmitted(door, why, address);
    },
    report: (report) => {
      const shown = redacted(report);
      history.reported(shown);
      log.report(shown);
    },
  };
}

/** How much the log says: what an operator has set stays until a reload brings another level. */
function logLevelOf(first: LogLevel, log: Pick<Log, 'setLevel'>): NodeView['logLevel'] {
  let level = first;
  return {
    get: () => level,
    set: (next) => {
      level = next;
      log.setLevel(next);
    },
  };
}
