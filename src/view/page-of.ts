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

/**
 * The items with the highest scores, from `offset` on. Of many items few are ever sorted at a time: this runs beside the
 * traffic.
 */
export function pageOf<T>(items: Iterable<T>, score: (item: T) => number, query: PageQuery): Page<T> {
  const { offset, limit } = query;
  const wanted = offset + limit;
  let best: { readonly item: T; readonly score: number; readonly index: number }[] = [];
  let threshold = Number.NEGATIVE_INFINITY;
  let total = 0;
  const trim = () => {
    best.sort((a, b) => b.score - a.score || a.index - b.index);
    best = best.slice(0, wanted);
    if (best.length === wanted) threshold = best.at(-1)?.score ?? threshold;
  };
  for (const item of items) {
    const index = total++;
    const value = score(item);
    if (value <= threshold) continue;
    best.push({ item, score: value, index });
    if (best.length >= 2 * wanted + 64) trim();
  }
  trim();
  return { rows: best.slice(offset, wanted).map(({ item }) => item), total };
}
