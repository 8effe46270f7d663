import type { Log } from '../log/log.ts';
import { redacted } from '../secret/redaction.ts';
import type { History } from '../view/history.ts';
import type { LogLevel, NodeView } from '../view/relay-view.ts';

/** The same log, where what it says and forgets is kept and counted for those who look at the relay. */
export function kept(history: History, log: Log): Log {
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
export function logLevelOf(first: LogLevel, log: Pick<Log, 'setLevel'>): NodeView['logLevel'] {
  let level = first;
  return {
    get: () => level,
    set: (next) => {
      level = next;
      log.setLevel(next);
    },
  };
}
