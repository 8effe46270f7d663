import type { TimedReport } from '../../view/history.ts';
import { safeLine } from '../text.ts';
import { rows } from './given.ts';
import { type Operation, operation } from './operation.ts';

export const happeningOperations: readonly Operation[] = [
  operation({
    usage: 'reports(n)',
    summary: 'the last crash and supervisor reports',
    run: ({ node, args }) => node.history.reports.last(rows(args[0], 10)),
    show: reportsText,
  }),
];

function reportsText(reports: readonly TimedReport[]): string {
  if (reports.length === 0) return '(none)';
  return reports
    .map(({ at, report }) => {
      const time = new Date(at).toISOString();
      const line =
        report.type === 'crash'
          ? `${time} crash of ${report.name ?? report.initialCall}${report.pid}${named(report)}: ${report.reason}`
          : `${time} ${report.supervisor}: ${report.context} ${report.offender.id}${named(report.offender)}: ${report.reason}`;
      const stack =
        report.type === 'crash' ? report.stack.slice(0, 5).map((frame) => `    ${safeLine(frame)}`) : [];
      return [safeLine(line), ...stack].join('\n');
    })
    .join('\n');
}

/** The topic or client of a process that failed. */
function named({ about }: { readonly about: string | null }): string {
  return about === null ? '' : ` (${about})`;
}
