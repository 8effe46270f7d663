import { type DrainerArgs, drainer } from '../acceptor/drainer.ts';
import { connectionsWithin, Gate, type GateLimits } from '../acceptor/gate.ts';
import type { Refusals } from '../acceptor/refusals.ts';
import { Admin } from '../admin/admin.ts';
import { STALL, Stalls } from '../admin/watchdog.ts';
import { WrongTokens } from '../admin/wrong-tokens.ts';
import { attachSpec } from '../attach/attach.ts';
import { turnWithin } from '../attach/evaluator.ts';
import { StrayErrors } from '../attach/stray-errors.ts';
import type { Plugins } from '../authenticator/plugin.ts';
import type { Mesh } from '../cluster/mesh/mesh.ts';
import type { Nats } from '../cluster/nats/nats.ts';
import type { Config, Limits } from '../config/config.ts';
import type { Effective } from '../config/effective.ts';
import type { ConnectionArgs } from '../connection/connection.ts';
import { Connections } from '../connection/connections.ts';
import type { Log, OpenLog } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { type Application, startApplication } from '../otp/application-master.ts';
import { worker } from '../otp/child-spec.ts';
import { type Clock, systemClock } from '../otp/clock.ts';
import { readyTo } from '../otp/prepared.ts';
import { System } from '../otp/system.ts';
import { reload, reloadSpec } from '../reload/reload-server.ts';
import { type Load, type Reloadable, RunningConfig } from '../reload/running-config.ts';
import { redacted } from '../secret/redaction.ts';
import { Accounting } from '../topic/accounting.ts';
import { Histories } from '../topic/history/histories.ts';
import { Topics } from '../topic/topics.ts';
import type { Audit } from '../view/audit.ts';
import { History } from '../view/history.ts';
import { networkRows } from '../view/network.ts';
import type { LogLevel, NodeView, RelayView, Reloaded } from '../view/relay-view.ts';
import { Sampling } from '../view/sampling.ts';
import { vitalsOf } from '../view/vitals.ts';
import { tree } from './application.ts';
import { doorSettings } from './doors.ts';
import { Lifecycle } from './lifecycle.ts';
import { clusterOf, networkOf } from './network.ts';
import { OpenDoors } from './open-doors.ts';
import { historySettings } from './topic-rules.ts';

export interface RelayOptions {
  readonly version?: string;
  /** The node's own folder; null: the relay makes no files, and nobody can attach. */
  readonly folder?: string | null;
  /** Every key of the configuration, and where it comes from, for those who look. */
  readonly effective?: readonly Effective[];
  /** Told who did what to the relay. Default: the log has it. */
  readonly audit?: Audit;
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
  /** Milliseconds that what an operator evaluates may hold up the relay. */
  readonly turn?: number;
  readonly clock?: Clock;
}

/** A relay that is being started, runs, or is being stopped. */
export interface Relay extends Application {
  readonly system: System;
  readonly topics: Topics;
  /** The mesh, which a relay alone is as well; null: this relay is linked by NATS. */
  readonly backplane: Mesh | null;
  /** Null: this relay is alone, or in a mesh. */
  readonly nats: Nats | null;
  /** How many clients were turned away, and why. */
  readonly refusals: Readonly<Refusals>;
  /** What tools may see of the relay, and ask for. */
  readonly node: NodeView;
  /** Where it is told who did what to the relay. */
  readonly audit: Audit;
  /** Whether the relay waits for `limits.drain_delay` before it drains: a second `stop` has it drain at once. */
  leaving(): boolean;
  /** Settles when the relay was first asked to stop. */
  readonly stopRequested: Promise<void>;
  /** Takes another configuration, as far as that can be done while it runs; see `reload/reload-server.ts`. `by`: who asks. */
  reload(load: Load, by?: string): Promise<Reloaded>;
}

const notFromAFile: Load = () => ({ ok: false, errors: ['this relay was not started from a file'] });

/** Starts a relay: the only place where its parts are chosen and wired, each from those above it. */
export function startRelay(
  config: Config,
  maxConnections: number,
  givenLog: Log,
  options: RelayOptions = {},
): Relay {
  const { version = '', folder = null, load = notFromAFile, plugins = new Map(), logTarget } = options;
  const {
    strays = new StrayErrors(),
    stall = STALL,
    clock = systemClock,
    turn = turnWithin(config.network.timeout),
  } = options;
  const current = { limits: config.limits, needsPeers: config.admin?.readyNeedsPeers === true };
  const history = new History();
  const { happened } = history;
  const log = kept(history, givenLog);
  happened.add(
    'phase',
    'relay',
    `starting${version === '' ? '' : `, version ${version}`}, pid ${process.pid}`,
  );
  const { audit: given = { write: ({ isLook: _, told: __, ...entry }) => log.note('audit', entry) } } =
    options;
  const audit: Audit = {
    write: (entry) => {
      happened.acted(entry);
      given.write(entry);
    },
  };
  const running = new RunningConfig(config, options.effective);
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
  const topics = new Topics(new Accounting(), cluster, new Histories(historySettings(config)));
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
  const vitals = () => vitalsOf(view, sampling);
  const heard = (node: string) => {
    const told = cluster.relays.of(node);
    return told && { vitals: told.vitals, hasLeft: told.hasLeft, ago: system.clock.now() - told.at };
  };
  const node: NodeView = {
    node: config.node,
    version,
    system,
    topics,
    history,
    links: () => network.links(),
    relays: () => networkRows(config.node, vitals(), network.peers(), heard),
    ownerElsewhere: (topic) => cluster.ownerOf(topic),
    logLevel,
    ready: () => lifecycle.phase === 'ready',
    stop: lifecycle.stop,
    reload: (by) => reload(system, load, by),
    settings: () => running.effective,
  };
  const stalls = new Stalls();
  const wrongTokens = new WrongTokens(clock, audit);
  const view: RelayView = {
    ...node,
    phase: () => lifecycle.shown,
    doors: () => doors.views,
    admission: gate.admission,
    refused: () => ({ ...gate.refusals }),
    authenticators: () => doors.meters.all,
    stalls,
    wrongTokens: () => wrongTokens.count,
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
    vitals: cluster.vitalsSpec(network.backplane, vitals),
    log,
    audit,
    wrongTokens,
  });
  const parts: readonly Reloadable[] = [
    {
      keys: ['limits'],
      prepare: ({ limits }) =>
        readyTo(() => {
          current.limits = limits;
          gate.configure(gateLimits(limits, maxConnections));
          sayWhatIsShort(limits, gate, log);
        }),
    },
    { keys: ['log.level'], prepare: (next) => readyTo(() => logLevel.set(next.log.level)) },
    doors,
    admin,
    {
      keys: ['admin'],
      prepare: (next) =>
        readyTo(() => {
          current.needsPeers = next.admin?.readyNeedsPeers === true;
        }),
    },
    network.reloadable,
  ];
  const { enabled, eval: evaluation } = config.attach;
  const attached = folder === null || !enabled ? null : { folder, evaluation, turn, log, audit, strays };
  const drainerArgs = { ...draining, stopAccepting: () => doors.stopAccepting(), only: null };
  const application = startApplication(
    system,
    tree({
      topics: topics.spec,
      cluster: cluster.spec(network.backplane, topics),
      authenticators: () => doors.authenticators,
      connections: connections.spec,
      attach: attached && attachSpec(system, node, attached),
      firstLinks: network.firstLinks,
      listeners: () => doors.listeners,
      admin: admin.spec,
      drainer: worker('drainer', drainer, drainerArgs, { shutdown: 'infinity' }),
      reloading: reloadSpec({
        running,
        parts,
        reread: () => doors.rereadTls(),
        log,
      }),
    }),
  );
  void lifecycle.stopping.then(application.stop);
  void application.started.then((result) => {
    if (!result.ok) return;
    lifecycle.started();
    happened.add('phase', 'relay', 'ready');
  });
  void application.ended.then(() => {
    lifecycle.ended();
    sampling.stop();
  });
  return {
    ...application,
    stop: lifecycle.stop,
    stopRequested: lifecycle.stopRequested,
    leaving: () => lifecycle.phase === 'leaving',
    refusals: gate.refusals,
    system,
    topics,
    backplane: network.mesh,
    nats: network.nats,
    node,
    audit,
    reload: (loadIt, by) => reload(system, loadIt, by),
  };
}

function gateLimits(limits: Limits, maxConnections: number): GateLimits {
  return { ...limits, connections: limits.connections ?? maxConnections };
}

/** Whether the system would close connections that the settings allow. */
export function areFilesShort({ connections }: Limits, openFiles: number): boolean {
  if (connections === null || openFiles === Number.POSITIVE_INFINITY) return false;
  return connections === 0 || connections > connectionsWithin(openFiles);
}

function sayWhatIsShort(limits: Limits, { files }: Gate, log: Log): void {
  const { connections } = limits;
  if (areFilesShort(limits, files.limit))
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
  const { happened } = history;
  return {
    ...log,
    note: (message, fields) => {
      happened.logged(message, fields);
      log.note(message, fields);
    },
    warn: (message, fields) => {
      happened.logged(message, fields);
      log.warn(message, fields);
    },
    listening: (door, at) => {
      happened.add('phase', `door ${door}`, 'listening');
      log.listening(door, at);
    },
    draining: (connections) => {
      happened.add('phase', 'relay', `draining, ${connections} connections`);
      log.draining(connections);
    },
    drained: (drained) => {
      happened.add('phase', 'relay', 'drained');
      log.drained(drained);
    },
    authenticator: (event) => {
      happened.add(
        'trouble',
        event.authenticator,
        event.type === 'authenticator-unavailable'
          ? `no answers: ${event.error ?? event.why}`
          : `answers again, after ${event.durationMs} ms and ${event.faults} questions without one`,
      );
      log.authenticator(event);
    },
    closed: (closed, level, details) => {
      history.closed(closed, details);
      log.closed(closed, level, details);
    },
    refused: (door, status, address, ...more) => {
      history.refused(door, String(status), address);
      log.refused(door, status, address, ...more);
    },
    notAdmitted: (door, why, address) => {
      history.refused(door, why, address);
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
