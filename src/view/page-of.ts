export interface Page<Row> {
  readonly rows: readonly Row[];
  /** How many there are on all pages. */
  readonly total: number;
}

interface PageQuery<T> {
  readonly limit: number;
  readonly offset?: number;
  /** The order of items with the same score. Default: the order of `items`. */
  readonly tie?: (a: T, b: T) => number;
}

/**
 * The items with the highest scores, `limit` of them from `offset` on. Of many items few are ever sorted at a time: this
 * runs beside the traffic.
 */
export function pageOf<T>(items: Iterable<T>, score: (item: T) => number, query: PageQuery<T>): Page<T> {
  const { limit, offset = 0, tie = () => 0 } = query;
  const wanted = offset + limit;
  let best: { readonly item: T; readonly score: number; readonly index: number }[] = [];
  /** An item that would come behind this one is not wanted. */
  let last: (typeof best)[number] | undefined;
  let total = 0;
  const trim = () => {
    best.sort((a, b) => b.score - a.score || tie(a.item, b.item) || a.index - b.index);
    best = best.slice(0, wanted);
    if (best.length === wanted) last = best[wanted - 1];
  };
  for (const item of items) {
    const index = total++;
    const value = score(item);
    if (last !== undefined && (value - last.score || tie(last.item, item)) <= 0) continue;
    best.push({ item, score: value, index });
    if (best.length >= 2 * wanted + 64) trim();
  }
  trim();
  return { total, rows: best.slice(offset, wanted).map(({ item }) => item) };
}
