import { type DrainerArgs, drainer, type Tally } from '../acceptor/drainer.ts';
import { Gate, type GateLimits } from '../acceptor/gate.ts';
import type { Refusals } from '../acceptor/refusals.ts';
import { Admin } from '../admin/admin.ts';
import { edgesOf } from '../admin/canaries.ts';
import { STALL } from '../admin/watchdog.ts';
import { attachSpec } from '../attach/attach.ts';
import { StrayErrors } from '../attach/stray-errors.ts';
import type { Plugins } from '../authenticator/authenticator-from.ts';
import type { Mesh } from '../cluster/mesh/mesh.ts';
import type { Nats } from '../cluster/nats/nats.ts';
import type { Config } from '../config/config.ts';
import { Connections } from '../connection/connections.ts';
import type { Log, OpenLog } from '../log/log.ts';
import { Metrics } from '../metrics/metrics.ts';
import { type Application, startApplication } from '../otp/application-master.ts';
import { call } from '../otp/call.ts';
import { type ChildCounts, worker } from '../otp/child-spec.ts';
import { type Clock, type ClockTimer, systemClock } from '../otp/clock.ts';
import { processName, whereis } from '../otp/registry.ts';
import { type SupervisorMessage, supervisor } from '../otp/supervisor.ts';
import { System } from '../otp/system.ts';
import { type Load, Reload, type Reloadable } from '../reload/reload.ts';
import { Accounting } from '../topic/accounting.ts';
import { Topics } from '../topic/topics.ts';
import { Certificates } from '../view/certificates.ts';
import { Chronicle } from '../view/chronicle.ts';
import { Edges } from '../view/edges.ts';
import type { NodeView, Reloaded } from '../view/node-view.ts';
import { RecentReports } from '../view/recent-reports.ts';
import type { RelayView } from '../view/relay-view.ts';
import { Sampling } from '../view/sampling.ts';
import { Stalls } from '../view/stalls.ts';
import { doorSettings } from './doors.ts';
import { NetworkPart } from './network-part.ts';
import { OpenDoors } from './open-doors.ts';
import { webSocketServer } from './websocket-server.ts';
import { heardBy } from './witness.ts';

/** Restarts of the root's children before the process ends, for the service manager to start it afresh. */
const ROOT_INTENSITY = { intensity: 3, period: 10_000 };
const ACCEPTOR_INTENSITY = { intensity: 5, period: 5000 };

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
  /** Has the doors read their certificates and keys again; connections that are open go on with the old ones. */
  rereadTls(): void;
  /** What tools may see of it, and ask for. */
  readonly node: NodeView;
  /** Whether it waits for `limits.drain_delay` before it drains: another `stop` has it drain at once. */
  leaving(): boolean;
  /** Settles when the relay was first asked to stop. */
  readonly stopRequested: Promise<void>;
  /** Takes another configuration, as far as that can be done while it runs; see `Reload`. */
  reload(load: Load): Promise<Reloaded>;
}

export interface RelayOptions {
  readonly version?: string;
  /** The node's own folder; null: it makes no files, and nobody can attach. */
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

const ROOT = processName<SupervisorMessage>('root');
const AUTHENTICATORS = processName<SupervisorMessage>('authenticators');
const ACCEPTOR = processName<SupervisorMessage>('acceptor');

/**
 * The relay: its supervision tree, and the only place where its parts are chosen and wired. The order of the children
 * is the order in which they start; they stop in the reverse one, so that accepting ends before anything else does.
 */
export function startRelay(
  config: Config,
  maxConnections: number,
  givenLog: Log,
  options: RelayOptions = {},
): Relay {
  const {
    version = '',
    folder = null,
    load,
    plugins = new Map(),
    logTarget,
    stall = STALL,
    strays = new StrayErrors(),
  } = options;
  const certificates = new Certificates();
  const reports = new RecentReports();
  const chronicle = new Chronicle();
  const log = heardBy({ certificates, reports, chronicle }, givenLog);
  const system = new System({
    report: (report) => {
      // What has kept the tree from starting is the outcome of `started`; each supervisor above would repeat it.
      const isRepeated = report.type === 'supervisor' && report.context === 'start_error';
      if (state !== 'starting' || !isRepeated) log.report(report);
    },
    clock: options.clock ?? systemClock,
  });
  const network = new NetworkPart(system, config, () => topics, log);
  const topics: Topics = new Topics(new Accounting(), network.cluster);
  const connections = new Connections();
  const gate = new Gate(gateLimits(config, maxConnections), options.openFiles);
  sayWhatIsShort(config, gate, log);
  let running = config;
  let logLevel = config.log.level;
  const drainerArgs: Omit<DrainerArgs, 'only'> = {
    isStopping: () => state === 'stopping',
    listeners: () => doors.listeners,
    connections: connections.partitions,
    limit: () => running.limits.drain,
    tally: () => tallyOf(topics),
    log,
  };
  const doors = new OpenDoors({
    system,
    acceptor: ACCEPTOR,
    authenticators: AUTHENTICATORS,
    topics,
    gate,
    log,
    newWebSocketServer: webSocketServer,
    startHandler: (handler) => connections.start(system, handler),
    drainerArgs,
  });
  const specs = doors.open(config, plugins);
  sayWhatBinds(config, log);
  // Who leaves is not ready any more, and accepts as before: whoever sends clients here is given time to see it.
  let state: 'starting' | 'ready' | 'leaving' | 'stopping' = 'starting';
  let leaving: ClockTimer | undefined;
  let onStop: () => void = () => undefined;
  const stopRequested = new Promise<void>((resolve) => {
    onStop = resolve;
  });
  const stop = () => {
    onStop();
    const delay = running.limits.drainDelay;
    if (state === 'ready' && delay > 0) {
      state = 'leaving';
      log.note('leaving', { drainDelayMs: delay });
      leaving = system.clock.after(delay, stop);
      return;
    }
    leaving?.cancel();
    state = 'stopping';
    application.stop();
  };
  const parts: readonly Reloadable[] = [
    {
      keys: ['limits'],
      apply: (next) => {
        running = next;
        gate.configure(gateLimits(next, maxConnections));
        sayWhatIsShort(next, gate, log);
        return [];
      },
    },
    {
      // A level that an operator has set stays until the file says another one.
      keys: ['log.level'],
      apply: ({ log: { level } }) => {
        node.logLevel.set(level);
        return [];
      },
    },
    doors,
    {
      keys: ['admin'],
      apply: (next) => {
        running = { ...running, admin: next.admin };
        return admin.apply(next);
      },
    },
    ...network.reloadable,
  ];
  const reload = new Reload(config, parts);
  const reloadWith = async (loadIt: Load): Promise<Reloaded> => {
    const reloaded = await reload.run(loadIt);
    // What is in the files may have changed where their names have not.
    if (reloaded.ok) doors.rereadTls();
    const { ok, ...result } = reloaded;
    if (ok) log.note('reloaded', { ...result });
    else log.warn(reloaded.applied.length === 0 ? 'not reloaded' : 'reloaded in part', { ...result });
    return reloaded;
  };
  const node: NodeView = {
    node: config.node,
    version,
    system,
    topics,
    certificates,
    reports,
    links: () => network.links,
    logLevel: {
      get: () => logLevel,
      set: (level) => {
        logLevel = level;
        log.setLevel(level);
      },
    },
    ready: () => state === 'ready',
    stop,
    reload: () =>
      reloadWith(load ?? (() => ({ ok: false, errors: ['this relay was not started from a file'] }))),
  };
  const view: RelayView = {
    ...node,
    phase: () => (state === 'leaving' || state === 'stopping' ? 'draining' : state),
    doors: () => doors.views,
    admission: gate.admission,
    refused: () => ({ ...gate.refusals }),
    authenticators: () => doors.meters.all,
    chronicle,
    edges: new Edges(() => edgesOf(view)),
    stalls: new Stalls(),
    ways: () => network.ways(running.admin?.readyNeedsPeers === true),
    linesLost: () => logTarget?.linesLost ?? 0,
  };
  const sampling = new Sampling(view);
  const admin: Admin = new Admin({
    view,
    sampling,
    metrics: new Metrics(view, sampling),
    at: config.admin,
    watchdog: {
      node: config.node,
      stalls: view.stalls,
      raw: logTarget?.raw ?? null,
      threshold: stall,
      shed: (on) => {
        gate.admission.shedding = on;
      },
      warn: log.warn,
    },
    writeStall: () => running.limits.writeStall,
    log,
  });
  const { attach } = config;
  const root = supervisor(
    'root',
    { strategy: 'rest_for_one', ...ROOT_INTENSITY },
    [
      topics.spec,
      network.spec(topics),
      supervisor('authenticators', { strategy: 'one_for_one', ...ACCEPTOR_INTENSITY }, specs.authenticators, {
        name: AUTHENTICATORS,
      }),
      connections.spec,
      ...(folder === null || !attach.enabled
        ? []
        : [attachSpec(system, node, { folder, evaluation: attach.eval, log, strays })]),
      supervisor('acceptor', { strategy: 'one_for_one', ...ACCEPTOR_INTENSITY }, specs.listeners, {
        name: ACCEPTOR,
      }),
      admin.spec,
      worker('drainer', drainer, { ...drainerArgs, only: null }, { shutdown: 'infinity' }),
    ],
    { name: ROOT },
  );
  const application = startApplication(system, root);
  void application.started.then((result) => {
    if (result.ok && state === 'starting') state = 'ready';
  });
  void application.ended.then(() => {
    leaving?.cancel();
    sampling.stop();
  });
  const rereadTls = () => doors.rereadTls();
  return {
    ...application,
    stop,
    stopRequested,
    leaving: () => state === 'leaving',
    refusals: gate.refusals,
    rereadTls,
    system,
    topics,
    backplane: network.mesh,
    nats: network.nats,
    node,
    reload: reloadWith,
  };
}

/** Asks the root supervisor, through the same mailboxes as everything else: who gets an answer knows that the tree lives. */
export async function callRoot(system: System, timeout: number): Promise<void> {
  const root = whereis(system, ROOT);
  if (root === undefined) throw new Error('there is no root');
  await call<SupervisorMessage, ChildCounts>(root, (reply) => ({ type: 'count', reply }), timeout);
}

function gateLimits({ limits }: Config, maxConnections: number): GateLimits {
  return { ...limits, connections: limits.connections ?? maxConnections };
}

/** The system would close connections that the settings allow. */
function sayWhatIsShort({ limits: { connections } }: Config, { files }: Gate, log: Log): void {
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

function tallyOf({ accounting }: Topics): Tally {
  return { delivered: accounting.delivered, dropped: accounting.droppedInAll };
}
