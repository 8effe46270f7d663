/** Which part of a long list is wanted. */
export interface PageQuery {
  readonly offset: number;
  readonly limit: number;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** How many there are on all pages. */
  readonly total: number;
}

/** The `n` items with the highest scores. */
export function firstOf<T>(
  items: Iterable<T>,
  score: (item: T) => number,
  n: number,
  tie?: (a: T, b: T) => number,
): Page<T> {
  const { rows, total } = pageOf(items, score, { offset: 0, limit: n }, tie);
  return { total, rows };
}

/**
 * The items with the highest scores, from `offset` on; those with the same score in the order that `tie` compares them
 * in, or that they came in. Of many items few are ever sorted at a time: this runs beside the traffic.
 */
export function pageOf<T>(
  items: Iterable<T>,
  score: (item: T) => number,
  query: PageQuery,
  tie: (a: T, b: T) => number = () => 0,
): Page<T> {
  const { offset, limit } = query;
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
  return { rows: best.slice(offset, wanted).map(({ item }) => item), total };
}
