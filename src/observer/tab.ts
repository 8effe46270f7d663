import { compareScores, type Page, pageOf, type Score } from '../view/page-of.ts';
import type { RelayView } from '../view/relay-view.ts';
import type { Direction, ObserverQuery } from './query.ts';
import type { Rates } from './rates.ts';

/** What lists are made of. */
export interface Look {
  readonly view: RelayView;
  readonly rates: Rates;
}

/** A tab of the observer page: what the page knows of it from the start, and its list. `tabs.ts` has all of them. */
export interface Tab {
  readonly shown: ShownTab;
  /** One page of the list, in the order that is asked for. Of ten thousand rows fifty are made. */
  page(look: Look, query: ObserverQuery): Page<unknown>;
  /** All of the list in its order, in portions; an empty portion is work that has not come to rows yet. */
  all(look: Look, query: ObserverQuery): Iterable<readonly object[]>;
}

/** How the page shows a value: `page/cells.ts` has each. */
export type Kind =
  | 'bytes'
  | 'client'
  | 'count'
  | 'duration'
  | 'health'
  | 'link'
  | 'milliseconds'
  | 'mono'
  | 'name'
  | 'names'
  | 'rate'
  | 'relay'
  | 'runs'
  | 'share'
  | 'text'
  | 'topic'
  | 'tree'
  | 'way'
  | 'when'
  | 'why';

export interface ShownColumn {
  /** The field of its value in rows, in the address and in exports. */
  readonly field: string;
  readonly head: string;
  readonly kind: Kind;
  /** What the head alone does not say. */
  readonly hint?: string;
  /** A bar shows how much of the largest value on the page it is. */
  readonly bar?: true;
  /** On a phone it stands before the columns without it, and its text is not cut. */
  readonly early?: true;
}

export interface ShownTab {
  readonly title: string;
  /** The field of the totals that stands beside the title. */
  readonly total?: string;
  /** What is said where nothing is listed. */
  readonly empty: string;
  /** `reports`: rows are told, and not laid out in columns. */
  readonly layout?: 'table' | 'reports';
  /** The fields that tell a row from the others, and the field with the process that it opens; null: none. */
  readonly key: readonly string[];
  readonly pid: string | null;
  /** Columns; `natural`: the direction that comes first, null: rows are not ordered by it. */
  readonly columns: readonly (ShownColumn & { readonly natural: Direction | null })[];
  /** Fields that exports have beside those of the columns. */
  readonly also?: readonly string[];
  /** The column that it is ordered by at first; null: its order is fixed, and it has no pages. */
  readonly first: string | null;
}

/** A column of a list. Without an order rows are not ordered by it. */
export interface Column<Item> extends ShownColumn {
  readonly natural?: Direction;
  readonly order?: (item: Item, look: Look) => Score;
}

interface List<Item> extends Omit<ShownTab, 'columns' | 'first'> {
  readonly columns: readonly Column<Item>[];
  readonly first: string;
  items(look: Look): Iterable<Item>;
  /** `filter` is in lower case, and not empty. */
  matches(item: Item, filter: string): boolean;
  /** Undefined: the item has gone meanwhile. */
  row(item: Item, look: Look): object | undefined;
}

/** Rows of one page. */
export const ROWS = 50;

/** A tab whose list is made from items, ordered by any of its columns. */
export function listTab<Item>(list: List<Item>): Tab {
  const { items, matches, row, columns, first, ...shown } = list;
  const orderOf = (look: Look, { by, direction }: ObserverQuery) => {
    const ordered = columns.find(({ field, order }) => field === by && order !== undefined);
    const { order = () => null, natural = 'desc' } =
      ordered ?? columns.find(({ field }) => field === first) ?? {};
    // Numbers come highest first, texts from A on: one kind has to be turned round for either direction.
    return {
      score: (item: Item) => order(item, look),
      reverse: ordered !== undefined && direction !== null && direction !== natural,
    };
  };
  const isWanted = (item: Item, filter: string) => filter === '' || matches(item, filter);
  const wanted = function* (look: Look, { filter }: ObserverQuery): Iterable<Item> {
    for (const item of items(look)) if (isWanted(item, filter)) yield item;
  };
  return {
    shown: {
      ...shown,
      first,
      columns: columns.map(({ order, natural = 'desc', ...column }) => ({
        ...column,
        natural: order === undefined ? null : natural,
      })),
    },
    page(look, query) {
      const { score, reverse } = orderOf(look, query);
      const page = pageOf(wanted(look, query), score, { offset: query.offset, limit: ROWS, reverse });
      return { ...page, rows: page.rows.flatMap((item) => row(item, look) ?? []) };
    },
    *all(look, query) {
      const { score, reverse } = orderOf(look, query);
      const compare = (a: Scored<Item>, b: Scored<Item>) => compareScores(a.score, b.score, reverse);
      const one = (item: Item) => (isWanted(item, query.filter) ? { item, score: score(item) } : undefined);
      for (const portion of sorted(items(look), one, compare))
        yield portion.flatMap(({ item }) => row(item, look) ?? []);
    },
  };
}

/** A tab whose list is short, and has an order of its own. */
export function fixedTab(
  shown: Omit<ShownTab, 'first' | 'columns'> & { readonly columns: readonly ShownColumn[] },
  rows: (look: Look, query: ObserverQuery) => readonly object[],
): Tab {
  return {
    shown: { ...shown, first: null, columns: shown.columns.map((column) => ({ ...column, natural: null })) },
    page: (look, query) => {
      const all = rows(look, query);
      return { rows: all, total: all.length };
    },
    all: (look, query) => [rows(look, query)],
  };
}

interface Scored<Item> {
  readonly item: Item;
  readonly score: Score;
}

/** Items that are looked at and sorted in one portion, and those that are told in one: a row costs some ten times as much. */
const LOOKED_AT = 1000;
const TOLD = 100;

/**
 * All items in order, without a long turn for whoever asks for one portion after the other: runs of a portion are sorted,
 * and then merged by a heap of their heads. Items with the same score keep their order; those that `chosen` makes nothing of
 * are left out.
 */
export function* sorted<T, U>(
  items: Iterable<T>,
  chosen: (item: T) => U | undefined,
  compare: (a: U, b: U) => number,
): Iterable<readonly U[]> {
  const runs: { readonly items: readonly U[]; readonly index: number; next: number }[] = [];
  let run: U[] = [];
  const close = () => {
    if (run.length > 0) runs.push({ items: run.sort(compare), index: runs.length, next: 0 });
    run = [];
  };
  let looked = 0;
  for (const item of items) {
    const one = chosen(item);
    if (one !== undefined) run.push(one);
    if (++looked % LOOKED_AT !== 0) continue;
    close();
    yield [];
  }
  close();
  const head = ({ items: of, next }: (typeof runs)[number]) => of[next] as U;
  const before = (a: (typeof runs)[number], b: (typeof runs)[number]) =>
    (compare(head(a), head(b)) || a.index - b.index) < 0;
  const sink = (at: number) => {
    for (let parent = at; ; ) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        const one = runs[child];
        if (one !== undefined && before(one, runs[least] as (typeof runs)[number])) least = child;
      }
      if (least === parent) return;
      [runs[parent], runs[least]] = [runs[least], runs[parent]] as [
        (typeof runs)[number],
        (typeof runs)[number],
      ];
      parent = least;
    }
  };
  for (let at = Math.floor(runs.length / 2) - 1; at >= 0; at--) sink(at);
  let portion: U[] = [];
  for (let first = runs[0]; first !== undefined; first = runs[0]) {
    portion.push(head(first));
    first.next++;
    if (first.next === first.items.length) {
      const last = runs.pop();
      if (last !== undefined && runs.length > 0) runs[0] = last;
    }
    sink(0);
    if (portion.length < TOLD) continue;
    yield portion;
    portion = [];
  }
  yield portion;
}
