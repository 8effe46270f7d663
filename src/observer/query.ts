/** What an observer page wants to see, from the query of its address. Odd values count as not given. */
export interface ObserverQuery {
  /** Not looked up yet: it may name no tab. */
  readonly tab: string;
  /** The column that the list is ordered by, and its direction; '' and null: the usual ones of the tab. */
  readonly by: string;
  readonly direction: Direction | null;
  readonly filter: string;
  readonly offset: number;
  /** The process that is shown in detail; null: none. */
  readonly pid: number | null;
  /** Supervisors whose children are to be shown, or hidden, against the rule. */
  readonly toggled: ReadonlySet<number>;
  /** The time of the last sample that the page has, in milliseconds since 1970; 0: it has none. */
  readonly since: number;
}

export type Direction = 'asc' | 'desc';

const FARTHEST = 100_000;
const MOST_TOGGLED = 200;
const LONGEST_FILTER = 100;

export function observerQuery(query: string): ObserverQuery {
  const params = new URLSearchParams(query);
  const direction = params.get('dir');
  return {
    tab: params.get('tab') ?? '',
    by: (params.get('by') ?? '').slice(0, 20),
    direction: direction === 'asc' || direction === 'desc' ? direction : null,
    filter: (params.get('filter') ?? '').slice(0, LONGEST_FILTER).toLowerCase(),
    offset: Math.min(numberIn(params.get('offset')) ?? 0, FARTHEST),
    pid: numberIn(params.get('pid')),
    toggled: new Set(
      (params.get('toggled') ?? '')
        .split(',')
        .slice(0, MOST_TOGGLED)
        .map(numberIn)
        .filter((id) => id !== null),
    ),
    since: numberIn(params.get('since')) ?? 0,
  };
}

function numberIn(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
