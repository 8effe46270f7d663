/** More than `intensity` restarts within `period` milliseconds, and a supervisor gives up. */
export interface RestartIntensity {
  readonly intensity: number;
  readonly period: number;
}

/** OTP's defaults: 1 restart in 5 seconds. */
export const DEFAULT_INTENSITY: RestartIntensity = { intensity: 1, period: 5000 };

/**
 * Adds a restart at `now` to the times of the earlier ones (newest first), as `supervisor:add_restart/1`: times up to
 * and including `period` ago count. Returns the times that count, and whether there are too many.
 */
export function addRestart(
  earlier: readonly number[],
  now: number,
  { intensity, period }: RestartIntensity,
): { readonly restarts: readonly number[]; readonly exceeded: boolean } {
  const restarts = [now, ...earlier.filter((time) => now - time <= period)];
  return { restarts, exceeded: restarts.length > intensity };
}
