export interface Page<Row> {
  readonly rows: readonly Row[];
  /** How many there are on all pages. */
  readonly total: number;
}

/** What items are ordered by: the highest number first, texts from A on, and what is not known (null) last. */
export type Score = number | string | null;

interface PageQuery<T> {
  readonly limit: number;
  readonly offset?: number;
  /** The lowest number first, texts from Z on. What is not known still comes last. */
  readonly reverse?: boolean;
  /** The order of items with the same score. Default: the order of `items`. */
  readonly tie?: (a: T, b: T) => number;
}

interface Candidate<T> {
  readonly item: T;
  readonly score: Score;
  readonly index: number;
}

/**
 * Of many items the page that is asked for: `limit` of them from `offset` on, the highest scores first. Few are held, and
 * only those of the page are sorted, wherever it lies: this runs beside the traffic.
 */
export function pageOf<T>(items: Iterable<T>, score: (item: T) => Score, query: PageQuery<T>): Page<T> {
  const { limit, offset = 0, reverse = false, tie = () => 0 } = query;
  const wanted = offset + limit;
  const compare = (a: Candidate<T>, b: Candidate<T>): number =>
    a === b ? 0 : compareScores(a.score, b.score, reverse) || tie(a.item, b.item) || a.index - b.index;
  let best: Candidate<T>[] = [];
  /** An item that would come behind this one is not wanted. */
  let last: Candidate<T> | undefined;
  let total = 0;
  for (const item of items) {
    const candidate = { item, score: score(item), index: total++ };
    if (last !== undefined && compare(candidate, last) > 0) continue;
    best.push(candidate);
    if (best.length < 2 * wanted + 64) continue;
    partition(best, wanted - 1, compare);
    best = best.slice(0, wanted);
    last = best[wanted - 1];
  }
  if (best.length > wanted) partition(best, wanted, compare);
  best = best.slice(0, wanted);
  if (offset > 0 && offset < best.length) partition(best, offset, compare);
  const rows = best.slice(offset).sort(compare);
  return { total, rows: rows.map(({ item }) => item) };
}

/** Below 0: `a` comes first. */
export function compareScores(a: Score, b: Score, reverse: boolean): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  const order = typeof a === 'number' && typeof b === 'number' ? b - a : a < b ? -1 : 1;
  return reverse ? -order : order;
}

/**
 * Puts the item at `nth` that would stand there if all were sorted, those that come before it to its left and the others
 * to its right (quickselect). No two items may compare as equal. It takes as many steps as there are items, a few times.
 */
function partition<T>(items: T[], nth: number, compare: (a: T, b: T) => number): void {
  let left = 0;
  let right = items.length - 1;
  while (left < right) {
    const pivot = items[Math.floor((left + right) / 2)] as T;
    let low = left;
    let high = right;
    while (low <= high) {
      while (compare(items[low] as T, pivot) < 0) low++;
      while (compare(items[high] as T, pivot) > 0) high--;
      if (low > high) break;
      const item = items[low] as T;
      items[low++] = items[high] as T;
      items[high--] = item;
    }
    if (nth <= high) right = high;
    else if (nth >= low) left = low;
    else return;
  }
}
