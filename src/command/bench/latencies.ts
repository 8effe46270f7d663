/** Microseconds that have a bucket of their own; above, each power of two has as many buckets. */
const LINEAR = 64;
const LINEAR_BITS = 6;
/** Two hours in microseconds are 2^33. */
const BUCKETS = LINEAR * (34 - LINEAR_BITS);

/** Milliseconds of many deliveries, kept as counts: a percentile is at most 1.6 % too high. */
export class Latencies {
  readonly #counts: Float64Array;
  #worst = 0;
  #sum = 0;
  #total = 0;

  constructor() {
    this.#counts = new Float64Array(BUCKETS);
  }

  /** A negative time is none: two clocks of one machine may differ by a little. */
  note(milliseconds: number): void {
    const micros = Math.max(0, Math.round(milliseconds * 1000));
    const bucket = bucketOf(micros);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.#total++;
    this.#sum += micros;
    if (micros > this.#worst) this.#worst = micros;
  }

  get total(): number {
    return this.#total;
  }

  /** Milliseconds; null: nothing was noted. */
  get worst(): number | null {
    return this.#total === 0 ? null : this.#worst / 1000;
  }

  get mean(): number | null {
    return this.#total === 0 ? null : this.#sum / this.#total / 1000;
  }

  /** The time, in milliseconds, within which the share of all was. Null: nothing was noted. */
  percentile(share: number): number | null {
    if (this.#total === 0) return null;
    let left = Math.max(1, Math.ceil(this.#total * share));
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket] as number;
      if (left <= 0) return Math.min(upperEnd(bucket), this.#worst) / 1000;
    }
    return this.#worst / 1000;
  }

  /** For another process. */
  toTold(): ToldLatencies {
    const counts: [number, number][] = [];
    for (const [bucket, count] of this.#counts.entries()) if (count > 0) counts.push([bucket, count]);
    return { counts, worst: this.#worst, sum: this.#sum };
  }

  add({ counts, worst, sum }: ToldLatencies): void {
    for (const [bucket, count] of counts) {
      this.#counts[bucket] = (this.#counts[bucket] as number) + count;
      this.#total += count;
    }
    this.#sum += sum;
    this.#worst = Math.max(this.#worst, worst);
  }
}

/** Latencies as one process tells another: buckets that hold something, the worst and the sum in microseconds. */
export interface ToldLatencies {
  readonly counts: readonly (readonly [bucket: number, count: number])[];
  readonly worst: number;
  readonly sum: number;
}

function bucketOf(micros: number): number {
  if (micros < LINEAR) return micros;
  const power = Math.floor(Math.log2(micros));
  const within = Math.floor((micros / 2 ** power - 1) * LINEAR);
  return Math.min(BUCKETS - 1, LINEAR * (power - LINEAR_BITS + 1) + within);
}

/** The highest microsecond of a bucket. */
function upperEnd(bucket: number): number {
  if (bucket < LINEAR) return bucket;
  const power = Math.floor(bucket / LINEAR) + LINEAR_BITS - 1;
  return Math.ceil(2 ** power * (1 + ((bucket % LINEAR) + 1) / LINEAR)) - 1;
}
