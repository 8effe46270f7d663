import type { Log } from '../log/log.ts';
import { redacted } from '../secret/redaction.ts';
import type { Certificates } from '../view/certificates.ts';
import type { RecentReports } from '../view/recent-reports.ts';

/** Keeps, for those who look into it afterwards, what the log forgets. */
export function remembering(log: Log, certificates: Certificates, reports: RecentReports): Log {
  return {
    ...log,
    closed: (closed, level, details) => {
      certificates.add(closed, details);
      log.closed(closed, level, details);
    },
    report: (report) => {
      const shown = redacted(report);
      reports.add(shown);
      log.report(shown);
    },
  };
}
