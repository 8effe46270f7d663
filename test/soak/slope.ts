/** A number over time, in hours. */
export type Series = { readonly at: number; readonly value: number }[];

export interface Growth {
  /** Slope of the straight line that fits best. */
  readonly perHour: number;
  /** The same as a part of the mean. */
  readonly share: number;
  /** It ends well above where it began, by the line and beyond what it wobbles. */
  readonly grows: boolean;
}

/** Parts of the mean: what the line rises over the whole time, and what counts as growth. */
const GROWTH = 0.15;

export function growth(series: Series): Growth {
  const count = series.length;
  if (count < 3) return { perHour: 0, share: 0, grows: false };
  const meanAt = series.reduce((sum, { at }) => sum + at, 0) / count;
  const mean = series.reduce((sum, { value }) => sum + value, 0) / count;
  let covariance = 0;
  let variance = 0;
  for (const { at, value } of series) {
    covariance += (at - meanAt) * (value - mean);
    variance += (at - meanAt) ** 2;
  }
  const perHour = variance === 0 ? 0 : covariance / variance;
  const rise = perHour * ((series.at(-1)?.at ?? 0) - (series[0]?.at ?? 0));
  const wobble = Math.sqrt(
    series.reduce((sum, { at, value }) => sum + (value - mean - perHour * (at - meanAt)) ** 2, 0) / count,
  );
  return {
    perHour,
    share: mean === 0 ? 0 : perHour / mean,
    grows: rise > GROWTH * mean && rise > 2 * wobble,
  };
}
