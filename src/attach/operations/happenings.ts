import { OwnWords } from '../../secret/redaction.ts';
import { HAPPENING_KINDS } from '../../view/happenings.ts';
import type { TimedReport } from '../../view/history.ts';
import { type Span, timeline } from '../../view/timeline.ts';
import { sinceOf } from '../../view/whom.ts';
import { left, pageText, right, safeLine, times, whole, wrapped } from '../text.ts';
import { fields, type OptionTable, PAGE_OPTIONS, pageWanted, rows, SINCE_OPTION, word } from './given.ts';
import { type Operation, operation } from './operation.ts';

const timelineOptions = {
  ...SINCE_OPTION,
  kind: { about: 'only of this kind', words: HAPPENING_KINDS },
  ...PAGE_OPTIONS,
} as const satisfies OptionTable;

export const happeningOperations: readonly Operation[] = [
  operation({
    usage: "timeline({since: '1h', kind: 'link', n: 20, offset: 0})",
    options: timelineOptions,
    example: "timeline({since: '1h', kind: 'link'})",
    summary: 'what has changed: links, reloads, crashes, closes and more, the newest first',
    run: ({ node, args }) => {
      const { since, kind, n, offset } = fields(args[0], timelineOptions);
      const span: Span = {
        ...(since === undefined || since === null ? {} : { since: sinceOf(since, Date.now()) }),
        ...(kind === undefined || kind === null ? {} : { kind: word(kind, 'kind', HAPPENING_KINDS) }),
      };
      return timeline(node, span, pageWanted(n, offset));
    },
    // Each text was searched for secrets when it was kept.
    show: (page, width) =>
      new OwnWords(
        pageText(
          width,
          page,
          'events',
          times('when', ({ at }) => at),
          left('kind', ({ kind }) => kind),
          left('of', ({ of }) => of, 40, 16),
          right('', ({ count }) => (count === 1 ? '' : `${whole(count)} ×`)),
          left('what', ({ what }) => String(what), WIDEST, 30),
        ),
      ),
  }),
  operation({
    usage: 'reports(n)',
    example: 'reports(3)',
    summary: 'the last crash and supervisor reports',
    run: ({ node, args }) => node.history.reports.last(rows(args[0], 10)),
    show: reportsText,
  }),
];

/** Characters of what happened. */
const WIDEST = 200;

function reportsText(reports: readonly TimedReport[], width: number): string {
  if (reports.length === 0) return '(none)';
  return reports
    .map(({ at, report }) => {
      const time = new Date(at).toISOString();
      const line =
        report.type === 'crash'
          ? `${time} crash of ${report.name ?? report.initialCall}${report.pid}${named(report)}: ${report.reason}`
          : `${time} ${report.supervisor}: ${report.context} ${report.offender.id}${named(report.offender)}: ${report.reason}`;
      const stack =
        report.type === 'crash'
          ? report.stack.slice(0, 5).map((frame) => wrapped(safeLine(frame), width, '    '))
          : [];
      return [wrapped(safeLine(line), width), ...stack].join('\n');
    })
    .join('\n');
}

/** The topic or client of a process that failed. */
function named({ about }: { readonly about: string | null }): string {
  return about === null ? '' : ` (${about})`;
}
