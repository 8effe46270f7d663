import { MARK_MODULUS } from './mark.ts';

/** Latencies above this many microseconds count as this many. */
const SLOWEST = 4_000_000;

/** What all subscribers of one run have received. One object for all of them, so that counting costs an addition. */
export class Tally {
  delivered = 0;
  outOfOrder = 0;
  duplicates = 0;
  /** Frames that are no message of ours: another size, another topic, a bad header. */
  unexpected = 0;
  /** Latencies are kept while this is true. */
  measuring = false;
  measured = 0;
  readonly #latencies = new Uint32Array(SLOWEST + 1);

  /** `count` messages that were sent at `sent` and read at `now`, both as from `stamp`. */
  latency(sent: number, now: number, count: number): void {
    const passed = (now - sent + MARK_MODULUS) % MARK_MODULUS;
    const bucket = Math.min(passed, SLOWEST);
    this.#latencies[bucket] = (this.#latencies[bucket] ?? 0) + count;
    this.measured += count;
  }

  /** Microseconds that the share `part` (0..1) of the measured messages did not exceed; null with nothing measured. */
  percentile(part: number): number | null {
    if (this.measured === 0) return null;
    const wanted = Math.max(1, Math.ceil(part * this.measured));
    let seen = 0;
    for (let microseconds = 0; microseconds < SLOWEST; microseconds++) {
      seen += this.#latencies[microseconds] ?? 0;
      if (seen >= wanted) return microseconds;
    }
    return SLOWEST;
  }
}
