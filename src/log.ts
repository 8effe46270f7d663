import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { DrainerLog } from './acceptor/drainer.ts';
import type { ListenerLog } from './acceptor/listener.ts';
import type { AuthenticatorEvent } from './authenticator/outage.ts';
import type { LogConfig } from './config/config.ts';
import type { ConnectionLog } from './connection/door-context.ts';
import type { Report } from './otp/reports.ts';

/** Everything that the relay says, in one place: an event a line. No secret and no message ever comes here. */
export interface Log extends ConnectionLog, ListenerLog, DrainerLog {
  report(report: Report): void;
  authenticator(event: AuthenticatorEvent): void;
  ready(): void;
  stopped(reason: string): void;
  note(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Writes out what is buffered. */
  flush(): void;
}

export function openLog(config: LogConfig, node: string): Log {
  const destination = destinationOf(config);
  const logger = pino(
    { level: config.level, base: { node, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    destination,
  );
  return logOn(logger, () => {
    if ('flushSync' in destination) (destination as DestinationStream & { flushSync(): void }).flushSync();
  });
}

function destinationOf({ format, file }: LogConfig): DestinationStream {
  const toTerminal = file === null && process.stdout.isTTY;
  if (format === 'pretty' || (format === 'auto' && toTerminal)) {
    return pretty({
      destination: file ?? 1,
      mkdir: true,
      sync: true,
      colorize: toTerminal,
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'pid,node',
    });
  }
  return pino.destination({ dest: file ?? 1, mkdir: true, sync: true });
}

function logOn(logger: Logger, flush: () => void): Log {
  return {
    closed: (closed, level) => logger[level](closed, 'closed'),
    refused: (door, status, address) => logger.debug({ door, status, address }, 'refused'),
    notAdmitted: (door, why, address) => logger.debug({ door, why, address }, 'not admitted'),
    listening: (door, at) => logger.info({ door, ...at }, 'listening'),
    draining: (connections) => logger.info({ connections }, 'draining'),
    drained: (connections, left) => logger.info({ connections, left }, 'drained'),
    report: (report) => logger.error(reportFields(report), `${report.type} report`),
    authenticator: ({ type, ...event }) => {
      logger[type === 'authenticator-unavailable' ? 'error' : 'info'](event, type.replace('-', ' '));
    },
    ready: () => logger.info('ready'),
    stopped: (reason) => logger.info({ reason }, 'stopped'),
    note: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    flush,
  };
}

/** `pid` is the relay's own in every line: a process of ours is `process`. */
function reportFields(report: Report): object {
  if (report.type === 'supervisor') {
    const { type: _, ...fields } = report;
    return fields;
  }
  const { type: _, pid, ...fields } = report;
  return { process: pid, ...fields };
}
