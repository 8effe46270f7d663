/** What has happened to clients so far, counted for metrics. Nothing in it is secret. */
export class Chronicle {
  readonly closes = new Tally<{ readonly door: string; readonly code: string; readonly reason: string }>();
  readonly refusals = new Tally<{ readonly door: string; readonly reason: string }>();

  closed(door: string, code: number, reason: string): void {
    this.closes.add({ door, code: codeLabel(code), reason });
  }

  refused(door: string, reason: string): void {
    this.refusals.add({ door, reason });
  }
}

/** Counts by labels. Where there are too many, new ones are counted as `other`: a client must not fill the memory. */
export class Tally<Labels extends Readonly<Record<string, string>>> {
  readonly #counts = new Map<string, { readonly labels: Labels; count: number }>();

  add(labels: Labels): void {
    const key = JSON.stringify(labels);
    const known = this.#counts.get(key);
    if (known !== undefined) known.count++;
    else if (this.#counts.size < COMBINATIONS) this.#counts.set(key, { labels, count: 1 });
    else if ('reason' in labels && labels['reason'] !== 'other') this.add({ ...labels, reason: 'other' });
    else this.#counts.set(key, { labels, count: 1 });
  }

  *[Symbol.iterator](): Iterator<{ readonly labels: Labels; readonly count: number }> {
    yield* this.#counts.values();
  }
}

const COMBINATIONS = 200;

/** A close code or status as a label: those that anybody may choose are one for each thousand. */
export function codeLabel(code: number): string {
  if (code >= 3000 && code < 5000) return `${Math.floor(code / 1000)}xxx`;
  return (code >= 100 && code < 600) || (code >= 1000 && code <= 1015) ? String(code) : 'other';
}
