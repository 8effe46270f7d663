import { OwnWords } from '../secret/redaction.ts';
import type { Happening, HappeningKind } from './happenings.ts';
import type { History, TimedReport } from './history.ts';
import type { Page } from './page-of.ts';
import type { NodeView } from './relay-view.ts';

/** What is asked of the time line: all kinds and all times, unless it is said. */
export interface Span {
  readonly kind?: HappeningKind;
  /** In milliseconds since 1970. */
  readonly since?: number;
}

/** What happened to the relay, the newest first. */
export function timeline(
  { history }: Pick<NodeView, 'history'>,
  { kind, since = 0 }: Span,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Page<Happening> {
  const rows = Array.from(happenings(history, kind)).filter(({ at }) => at >= since);
  rows.sort((a, b) => b.at - a.at);
  return { total: rows.length, rows: rows.slice(offset, offset + limit) };
}

/** All that happened, or what is of one kind; of each kind the newest first. */
export function* happenings(
  { happened, reports }: Pick<History, 'happened' | 'reports'>,
  kind?: HappeningKind,
): Iterable<Happening> {
  yield* happened.newest(kind);
  if (kind === undefined || kind === 'crash') yield* crashes(reports.newest());
}

/**
 * Crashes as rows, the newest first. Of a process that crashes there are two reports, its own and then its supervisor's: they
 * are one row, which says what became of the process.
 */
function* crashes(reports: Iterable<TimedReport>): Iterable<Happening> {
  const told = new Set<string>();
  for (const { at, report } of reports) {
    if (report.type === 'crash') {
      if (told.delete(report.pid)) continue;
      const { about, name, initialCall, pid, reason } = report;
      yield row(at, about ?? name ?? `${initialCall} ${pid}`, `crashed: ${reason}`);
      continue;
    }
    const { supervisor, context, reason, offender } = report;
    const of = offender.about ?? offender.id;
    switch (context) {
      case 'child_terminated': {
        if (offender.pid !== null) told.add(offender.pid);
        const then = offender.restart === 'temporary' ? '' : `; ${supervisor} restarts it`;
        yield row(at, of, `crashed: ${reason}${then}`);
        break;
      }
      case 'start_error':
        yield row(at, of, `did not start: ${reason}`);
        break;
      case 'shutdown_error':
        yield row(at, of, `did not stop as it should: ${reason}`);
        break;
      case 'shutdown':
        yield row(at, supervisor, `gave up after too many restarts: ${reason}`);
        break;
    }
  }
}

function row(at: number, of: string, what: string): Happening {
  return { at, kind: 'crash', of, what: new OwnWords(what), count: 1 };
}
