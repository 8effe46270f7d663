/** What an observer page wants to see, from the query of its address. Whatever is odd in it counts as not said. */
export interface ObserverQuery {
  readonly tab: Tab;
  readonly by: string;
  readonly filter: string;
  readonly offset: number;
  /** The process that is shown in detail; null: none. */
  readonly pid: number | null;
  /** Supervisors whose children are to be shown, or hidden, against the rule. */
  readonly toggled: ReadonlySet<number>;
}

export const TABS = ['tree', 'processes', 'topics', 'connections', 'links', 'reports'] as const;
export type Tab = (typeof TABS)[number];

/** Rows of one page. */
export const ROWS = 50;
const MOST_TOGGLED = 200;
const LONGEST_FILTER = 100;

export function observerQuery(query: string): ObserverQuery {
  const params = new URLSearchParams(query);
  const tab = params.get('tab');
  return {
    tab: TABS.find((one) => one === tab) ?? 'tree',
    by: (params.get('by') ?? '').slice(0, 20),
    filter: (params.get('filter') ?? '').slice(0, LONGEST_FILTER).toLowerCase(),
    offset: whole(params.get('offset')) ?? 0,
    pid: whole(params.get('pid')),
    toggled: new Set(
      (params.get('toggled') ?? '')
        .split(',')
        .slice(0, MOST_TOGGLED)
        .map(whole)
        .filter((id) => id !== null),
    ),
  };
}

function whole(text: string | null): number | null {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : null;
}
