/** More than any rate. */
const HELD = 1e12;

/**
 * What topics are ordered by where they come by a rate. One that a slow reader holds back comes first: nothing goes through it
 * for seconds, and it is the one that is looked for. `queue`: messages that wait, `behind`: members that are waited for.
 */
export function rateScore(rate: number | null, queue: number, behind: number): number | null {
  return queue > 0 && behind > 0 ? HELD + queue : rate;
}
