/** Observations counted by size, in plain numbers: cheap enough for where messages pass. */
export class Histogram {
  /** Upper bounds of the buckets, ascending; one more bucket holds what is above the last. */
  readonly bounds: readonly number[];
  /** Observations in each bucket alone, not cumulated. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index++;
    counts[index] = (counts[index] as number) + 1;
    this.sum += value;
    this.count++;
  }
}

/**
 * The value below which the share `q` of observations lies, by straight lines within the buckets; null: there are none.
 * What is above the last bound counts as that bound. `counts` may be the difference of two looks at a histogram.
 */
export function quantile(bounds: readonly number[], counts: readonly number[], q: number): number | null {
  let total = 0;
  for (const count of counts) total += count;
  if (total === 0) return null;
  const rank = q * total;
  let below = 0;
  for (const [index, bound] of bounds.entries()) {
    const count = counts[index] ?? 0;
    if (count > 0 && below + count >= rank) {
      const from = index === 0 ? 0 : (bounds[index - 1] as number);
      return from + (bound - from) * ((rank - below) / count);
    }
    below += count;
  }
  return bounds.at(-1) ?? null;
}
