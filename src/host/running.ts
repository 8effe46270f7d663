import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { callRoot } from '../application/application.ts';
import { startRelay } from '../application/relay.ts';
import { StrayErrors } from '../attach/stray-errors.ts';
import type { Plugins } from '../authenticator/plugin.ts';
import type { Config } from '../config/config.ts';
import type { Effective } from '../config/effective.ts';
import type { ClosedDoor } from '../config/layers.ts';
import { type Log, type OpenLog, openLog } from '../log/log.ts';
import { describeError, describeReason, type ExitReason, toError } from '../otp/exit-reason.ts';
import type { Load } from '../reload/running-config.ts';
import { redacting, redactText } from '../secret/redaction.ts';
import { tree } from '../view/processes.ts';
import type { NodeView } from '../view/relay-view.ts';
import { runtimeInfo } from '../view/runtime.ts';
import { auditLog } from './audit-log.ts';
import { makeFolder } from './folder.ts';
import { errorLines } from './journal.ts';
import { descriptorLimit } from './open-files.ts';
import { leaveFolder, REPORTS_FOLDER } from './run-folder.ts';
import { serviceManager } from './systemd.ts';

/** Part of the file descriptors that connections may take; files, listeners and links need some too. */
const DESCRIPTORS_FOR_CONNECTIONS = 0.8;
/** Milliseconds for the root supervisor to answer the watchdog. */
const ROOT_TIMEOUT = 5000;
const FAILED = 1;
/** EX_CONFIG of sysexits.h. */
const BAD_CONFIG = 78;

export interface RunOptions {
  readonly config: Config;
  readonly effective: readonly Effective[];
  readonly plugins: Plugins;
  /** Doors that the configuration leaves closed. */
  readonly closed: readonly ClosedDoor[];
  readonly version: string;
  /** The node's folder, claimed. */
  readonly folder: string;
  /** Why the folder cannot be used. A relay without one can still serve; only nobody can attach to it. */
  readonly unusable: string | null;
  /** Reads the configuration again. */
  readonly load: Load;
}

/** Runs a relay as this process: signals, exit code, service manager. Ends the process with the relay. */
export function run({
  config,
  effective,
  plugins,
  closed,
  version,
  folder,
  unusable,
  load,
}: RunOptions): void {
  const log = openLogOrEnd(config);
  const strays = new StrayErrors();
  endOnUncaught(log, strays);
  for (const door of closed) log.note('door stays closed', { ...door });
  if (unusable !== null) log.warn('nobody can attach: the folder cannot be used', { folder, why: unusable });
  const descriptors = descriptorLimit();
  const audit = auditLog(unusable === null ? folder : null, log);
  const relay = startRelay(config, Math.floor(descriptors * DESCRIPTORS_FOR_CONNECTIONS), log, {
    version,
    plugins,
    effective,
    audit,
    folder: unusable === null ? folder : null,
    openFiles: descriptors,
    load,
    logTarget: log,
    strays,
  });
  const manager = serviceManager({
    env: process.env,
    alive: () => callRoot(relay.system, ROOT_TIMEOUT),
    failed: (why) => log.warn('the service manager was not told', { why }),
  });
  // Sockets keep Node alive; a relay whose last listener is being restarted has none for a moment.
  const alive = setInterval(() => undefined, 2 ** 30);
  let stopping = false;
  let hasFailed = false;
  // The system does not say who has sent it.
  const heard = (what: NodeJS.Signals) => {
    relay.audit.write({ by: 'signal', who: 'unknown', what, outcome: 'heard' });
  };
  const stopOn = (signal: NodeJS.Signals) => {
    heard(signal);
    if (stopping && !relay.leaving()) process.exit(FAILED);
    log.note('stopping', { signal });
    relay.node.stop();
  };
  process.on('SIGTERM', stopOn);
  process.on('SIGINT', stopOn);
  const reopen = () => {
    const reopened = log.reopen();
    if (reopened === 'anew') log.note('log opened anew');
    if (reopened === 'failed') log.warn('the log cannot be opened anew');
  };
  // Without a listener of ours Node would open its debugger.
  process.on('SIGUSR1', (signal) => {
    heard(signal);
    reopen();
  });
  process.on('SIGHUP', (signal) => {
    heard(signal);
    reopen();
    void relay.node.reload(signal).then(() => manager.reloading());
  });
  process.on('SIGUSR2', () => report(folder, relay.node, log));
  void relay.stopRequested.then(() => {
    stopping = true;
    manager.stopping();
  });
  void relay.started.then((result) => {
    if (result.ok) {
      log.ready();
      manager.ready();
      tellParent();
      return;
    }
    const why = causeOf(result.reason);
    // A reader of standard output reads standard error as well: once is enough.
    if (config.log.file !== null) log.fatal('could not start', { why });
    log.flush();
    process.stderr.write(errorLines(`fanfare could not start: ${redactText(why)}`));
    hasFailed = true;
  });
  void relay.ended.then((reason) => {
    clearInterval(alive);
    manager.close();
    leaveFolder(folder);
    if (!hasFailed) log.stopped(describeReason(reason));
    log.flush();
    // A root that ends unasked has given up: the service manager is to start the relay afresh.
    process.exit(stopping ? 0 : FAILED);
  });
}

/** A log whose file cannot be opened is a fault of the configuration. */
function openLogOrEnd({ log, node }: Config): OpenLog {
  try {
    return openLog(log, node);
  } catch (error) {
    process.stderr.write(errorLines(`log.file: the path of a file to write; ${(error as Error).message}`));
    process.exit(BAD_CONFIG);
  }
}

/** What went wrong at the bottom of the tree, without the supervisors through which it came up. */
function causeOf(reason: ExitReason): string {
  return describeReason(reason).replaceAll(/(shutdown: )?failed to start [^:]+: /g, '');
}

/** An error that no guard has caught ends the relay, unless it is an attached operator's own. */
function endOnUncaught(log: Log, strays: StrayErrors): void {
  const onError = (thrown: unknown, promise: Promise<unknown> | null) => {
    if (strays.take(thrown, promise)) {
      log.warn('uncaught error of what was evaluated: the relay goes on');
      return;
    }
    const error = toError(thrown);
    const stack = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
    log.fatal('uncaught error: the relay ends', {
      reason: describeError(error),
      stack: stack.map((line) => line.trim()),
    });
    log.flush();
    process.exit(FAILED);
  };
  process.on('uncaughtException', (error) => onError(error, null));
  process.on('unhandledRejection', (error, promise) => onError(error, promise));
}

function report(folder: string, node: NodeView, log: Log): void {
  try {
    log.note('diagnostic report', { file: writeDiagnosticReport(node, join(folder, REPORTS_FOLDER)) });
  } catch (error) {
    log.warn('no diagnostic report', { why: describeError(error as Error) });
  }
}

/** The report that Node makes, as far as we touch it. */
interface NodeReport {
  environmentVariables?: unknown;
  header?: { commandLine?: unknown };
  /** A report of each thread, with the same variables and flags once more. */
  readonly workers?: readonly NodeReport[];
}

/** Processes of one supervisor in the report. */
const CHILDREN = 100;

/**
 * Writes Node's diagnostic report together with the supervision tree, and returns the file's path. Variables and flags
 * may hold passwords and keys: they are left out.
 */
function writeDiagnosticReport(node: NodeView, folder: string): string {
  makeFolder(folder, 0o700);
  const report = withoutSettings(process.report.getReport() as NodeReport);
  const fanfare = {
    runtime: runtimeInfo(node),
    tree: tree(node, CHILDREN),
    reports: node.history.reports.last(100),
  };
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  const file = join(folder, `report-${time}.json`);
  writeFileSync(file, JSON.stringify({ fanfare, ...report }, redacting, 2), { mode: 0o600 });
  return file;
}

/** Node before 23.3 has no setting that leaves out the variables, and none leaves out the flags. */
function withoutSettings(report: NodeReport): NodeReport {
  const { environmentVariables: _, header, workers = [], ...rest } = report;
  const { commandLine: __, ...known } = header ?? {};
  return { header: known, ...rest, workers: workers.map(withoutSettings) };
}

/** The command that has started this process as a daemon waits for it to be ready. */
function tellParent(): void {
  if (process.send === undefined) return;
  process.send('ready', () => process.disconnect());
}
