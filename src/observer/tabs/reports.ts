import type { TimedReport } from '../../view/history.ts';
import { listTab } from '../tab.ts';

export const reports = listTab<TimedReport>({
  title: 'Reports',
  total: 'reports',
  empty: 'No crash or supervisor report: nothing has failed.',
  layout: 'reports',
  key: ['at', 'process', 'reason'],
  pid: null,
  first: 'at',
  items: ({ view }) => view.history.reports.newest(),
  matches: (timed, filter) => Object.values(told(timed)).some((text) => text.toLowerCase().includes(filter)),
  row: (timed) => ({ at: timed.at, ...told(timed), stack: stackOf(timed) }),
  columns: [
    { field: 'at', head: 'When', kind: 'when', order: ({ at }) => at },
    { field: 'type', head: 'Type', kind: 'text' },
    { field: 'process', head: 'Process', kind: 'mono' },
    { field: 'about', head: 'About', kind: 'mono' },
    { field: 'reason', head: 'Reason', kind: 'text' },
    { field: 'stack', head: 'Frames', kind: 'names' },
  ],
});

/** What a report says, in words. */
function told({ report }: TimedReport) {
  const { reason } = report;
  if (report.type === 'crash') {
    const { name, initialCall, pid, about } = report;
    return { type: 'crash', process: `${name ?? initialCall} ${pid}`, about: about ?? '', reason };
  }
  const { supervisor, offender, context } = report;
  const child = [offender.id, offender.pid ?? '', offender.about ?? ''].filter((text) => text !== '');
  return { type: context.replace('_', ' '), process: supervisor, about: child.join(' '), reason };
}

function stackOf({ report }: TimedReport): readonly string[] {
  return report.type === 'crash' ? report.stack : [];
}
