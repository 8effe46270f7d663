import { edgesOf } from '../admin/canaries.ts';
import type { Log } from '../log/log.ts';
import { redacted } from '../secret/redaction.ts';
import { Certificates } from '../view/certificates.ts';
import { Chronicle } from '../view/chronicle.ts';
import { Edges } from '../view/edges.ts';
import type { LogLevel, NodeView } from '../view/node-view.ts';
import { RecentReports } from '../view/recent-reports.ts';
import type { RelayView } from '../view/relay-view.ts';
import { Stalls } from '../view/stalls.ts';

/** What the log says and forgets, kept and counted for those who look at the relay. */
export class Witness {
  readonly certificates = new Certificates();
  readonly reports = new RecentReports();
  readonly chronicle = new Chronicle();

  /** The same log, heard by this witness. */
  hearing(log: Log): Log {
    const { certificates, reports, chronicle } = this;
    return {
      ...log,
      closed: (closed, level, details) => {
        chronicle.closed(closed.door, closed.code, closed.reason);
        certificates.add(closed, details);
        log.closed(closed, level, details);
      },
      refused: (door, status, ...more) => {
        chronicle.refused(door, String(status));
        log.refused(door, status, ...more);
      },
      notAdmitted: (door, why, address) => {
        chronicle.refused(door, why);
        log.notAdmitted(door, why, address);
      },
      report: (report) => {
        const shown = redacted(report);
        reports.add(shown);
        log.report(shown);
      },
    };
  }
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

/** The relay as metrics, the observer and readiness see it. */
export function relayView(seen: Omit<RelayView, 'edges' | 'stalls'>): RelayView {
  const view: RelayView = { ...seen, edges: new Edges(() => edgesOf(view)), stalls: new Stalls() };
  return view;
}
