import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { DrainerLog } from '../acceptor/drainer.ts';
import type { ListenerLog } from '../acceptor/listener.ts';
import type { AuthenticatorEvent } from '../authenticator/outage.ts';
import type { LogConfig } from '../config/config.ts';
import type { ConnectionLog } from '../connection/end.ts';
import { ERROR, isJournal, priorityOf, withPriority } from '../host/journal.ts';
import type { Report } from '../otp/reports.ts';
import { redacted, redactText } from '../secret/redaction.ts';
import { LogTarget, type Reopened } from './log-target.ts';

/** Everything that the relay says, in one place: an event a line. No secret and no message ever comes here. */
export interface Log extends ConnectionLog, ListenerLog, DrainerLog {
  report(report: Report): void;
  authenticator(event: AuthenticatorEvent): void;
  ready(): void;
  stopped(reason: string): void;
  note(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** The last words of a process that cannot go on. */
  fatal(message: string, fields: Readonly<Record<string, unknown>>): void;
  /** Says more or less from now on. */
  setLevel(level: LogConfig['level']): void;
  /** Writes out what is buffered, as far as it can be. */
  flush(): void;
}

/** The relay's log, and what an operator may do with it while it runs. */
export interface OpenLog extends Log {
  readonly level: LogConfig['level'];
  /** Lines that were lost because their target did not take them. */
  readonly linesLost: number;
  /** Opens the log's file anew, after it has been moved away. */
  reopen(): Reopened;
  /** For a line that another thread writes: where to, and how it begins. */
  readonly raw: RawTarget;
}

/** Where another thread may write a line, and how; `prefix`: stands in front of a line of an error. */
export interface RawTarget {
  readonly descriptor: number | null;
  readonly pretty: boolean;
  readonly prefix: string;
}

/** Throws where the log's file cannot be opened. */
export function openLog(config: LogConfig, node: string): OpenLog {
  const toTerminal = config.file === null && process.stdout.isTTY;
  const pretty = config.format === 'pretty' || (config.format === 'auto' && toTerminal);
  const toJournal = config.file === null && isJournal(process.env['JOURNAL_STREAM'], STDOUT);
  const shown = pretty
    ? prettyFactory({
        colorize: toTerminal,
        translateTime: 'SYS:HH:MM:ss.l',
        ignore: 'pid,node',
      })
    : (line: string) => line;
  const formatted = toJournal ? (line: string) => withPriority(line, shown(line)) : shown;
  const base = { node, pid: process.pid };
  const target = new LogTarget(config.file, (lines) =>
    formatted(
      `${JSON.stringify({ level: 40, time: new Date().toISOString(), ...base, lines, msg: LOST })}\n`,
    ),
  );
  const logger = pino(
    {
      level: config.level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { log: redacted },
    },
    { write: (line: string) => target.write(formatted(line)) },
  );
  // Whatever ends the program, its last lines are the ones that matter.
  const flush = () => target.flush();
  process.on('exit', flush);
  return {
    ...logOn(logger, flush),
    get level() {
      return logger.level as LogConfig['level'];
    },
    get linesLost() {
      return target.lost;
    },
    reopen: () => target.reopen(),
    get raw() {
      return { descriptor: target.descriptor, pretty, prefix: toJournal ? priorityOf(ERROR) : '' };
    },
  };
}

const LOST = 'log lines lost';
const STDOUT = 1;
/** Topics of a connection that its last line names. */
const TOPICS = 5;

/**
 * What clients can bring about a thousand times a second is folded: ten lines of one kind in a second, and one with the
 * number of the rest. Of closes that line has some of the connections; the relay remembers each of them (`why`).
 */
function logOn(logger: Logger, flush: () => void): Log {
  const folding = new Folding();
  let timer: NodeJS.Timeout | null = null;
  const writeFolded = () => {
    timer = null;
    for (const { fields, count, samples } of folding.take()) {
      const { level = 'info', msg = 'events', ...rest } = fields as { level?: 'info'; msg?: string };
      logger[level]({ ...rest, folded: count, ...(samples.length > 0 ? { samples } : {}) }, msg);
    }
  };
  type Level = 'debug' | 'info' | 'warn' | 'error';
  const bounded = (
    level: Level,
    msg: string,
    same: Record<string, unknown>,
    more: () => object,
    sample?: () => object,
  ) => {
    if (!logger.isLevelEnabled(level)) return;
    const now = performance.now();
    const key = `${msg} ${Object.values(same).join(' ')}`;
    if (folding.admits(key, () => ({ level, msg, ...same }), now, sample))
      logger[level]({ ...same, ...more() }, msg);
    timer ??= setTimeout(writeFolded, folding.due(now)).unref();
  };
  return {
    closed: (closed, level, telling) => {
      const { door, code, reason } = closed;
      bounded(
        level,
        'closed',
        { door, code, reason },
        () => closedFields(closed, telling),
        () => sampleOf(closed),
      );
    },
    refused: (door, status, address, offered) =>
      bounded('debug', 'refused', { door, status }, () =>
        offered === undefined ? { address } : { address, offered },
      ),
    notAdmitted: (door, why, address) => bounded('debug', 'not admitted', { door, why }, () => ({ address })),
    listening: (door, at) => logger.info({ door, ...at }, 'listening'),
    draining: (connections) => logger.info({ connections }, 'draining'),
    drained: (drained) => logger.info(drained, 'drained'),
    report: (report) => {
      const { reason, type } = report;
      const where = type === 'crash' ? report.initialCall : report.offender.id;
      bounded('error', `${type} report`, { reason, where }, () => reportFields(report));
    },
    authenticator: ({ type, ...event }) => {
      logger[type === 'authenticator-unavailable' ? 'error' : 'info'](event, type.replace('-', ' '));
    },
    ready: () => logger.info('ready'),
    stopped: (reason) => logger.info({ reason }, 'stopped'),
    note: (message, fields = {}) => logger.info(fields, redactText(message)),
    warn: (message, fields = {}) => logger.warn(fields, redactText(message)),
    fatal: (message, fields) => logger.fatal(fields, redactText(message)),
    setLevel: (level) => {
      logger.level = level;
    },
    flush: () => {
      if (timer !== null) clearTimeout(timer);
      writeFolded();
      flush();
    },
  };
}

type ClosedEvent = Parameters<ConnectionLog['closed']>;

/** What the line of an end says beside what it has in common with others. */
function closedFields(
  { age, door: _, code: __, reason: ___, ...closed }: ClosedEvent[0],
  { event, topics, topicCount }: ClosedEvent[2],
): object {
  const of = topicCount > 0 ? { topics: topics.slice(0, TOPICS), topicCount } : {};
  return { ...closed, ageMs: age, cause: event, ...of };
}

function sampleOf({ conn, address, subject }: ClosedEvent[0]): object {
  return subject === undefined ? { conn, address } : { conn, address, subject };
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

interface FoldedEvent {
  readonly fields: Readonly<Record<string, unknown>>;
  count: number;
  /** Some of those that were folded. */
  readonly samples: object[];
}

/** Lines of one event in one second. */
export const LINES_PER_SECOND = 10;
/** Events that are told apart; those beyond fold as one. */
const EVENTS = 1000;
const PERIOD = 1000;
/** Of one event in one second. */
const SAMPLES = 5;

/**
 * Folds bursts: of one event the first lines of each second are written, and the rest become one line with their number
 * when the second is over. No event goes uncounted. Time is an argument, in milliseconds.
 */
export class Folding {
  readonly #events = new Map<string, FoldedEvent & { lines: number }>();
  #until = 0;

  /**
   * Whether this event gets a line of its own. `key`: what makes two events the same; `sample`: makes what the line of the
   * rest may show of this one.
   */
  admits(
    key: string,
    fields: () => Readonly<Record<string, unknown>>,
    now: number,
    sample?: () => object,
  ): boolean {
    if (now >= this.#until) this.#until = now + PERIOD;
    const known = this.#events.size >= EVENTS && !this.#events.has(key) ? '' : key;
    let event = this.#events.get(known);
    if (event === undefined) {
      event = { fields: known === '' ? {} : fields(), count: 0, lines: 0, samples: [] };
      this.#events.set(known, event);
    }
    if (event.lines < LINES_PER_SECOND) {
      event.lines++;
      return true;
    }
    event.count++;
    if (sample !== undefined && event.samples.length < SAMPLES) event.samples.push(sample());
    return false;
  }

  /** Milliseconds until the second is over in which something was last admitted or folded. */
  due(now: number): number {
    return Math.max(0, this.#until - now);
  }

  /** Ends the second. Returns what was folded in it. */
  take(): FoldedEvent[] {
    const folded = [...this.#events.values()].filter(({ count }) => count > 0);
    this.#events.clear();
    return folded;
  }
}
