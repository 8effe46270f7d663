import type { Log } from '../log/log.ts';
import { redacted } from '../secret/redaction.ts';
import type { Certificates } from '../view/certificates.ts';
import type { Chronicle } from '../view/chronicle.ts';
import type { RecentReports } from '../view/recent-reports.ts';

/** The memories of those who look at the relay. */
export interface Witness {
  readonly certificates: Certificates;
  readonly reports: RecentReports;
  readonly chronicle: Chronicle;
}

/** The same log, heard by a witness: what the log says and forgets is kept and counted. */
export function heardBy({ certificates, reports, chronicle }: Witness, log: Log): Log {
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
