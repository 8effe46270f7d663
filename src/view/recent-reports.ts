import type { Report } from '../otp/reports.ts';
import { Ring } from './ring.ts';

/** A crash or supervisor report, and when it was written, in milliseconds since 1970. */
export interface TimedReport {
  readonly at: number;
  readonly report: Report;
}

const REPORTS = 1000;

/** The reports that were written last. */
export class RecentReports {
  readonly #ring: Ring<TimedReport>;
  readonly #wallClock: () => number;

  constructor(limit = REPORTS, wallClock: () => number = Date.now) {
    this.#ring = new Ring(limit);
    this.#wallClock = wallClock;
  }

  add(report: Report): void {
    this.#ring.push({ at: this.#wallClock(), report });
  }

  last(count: number): TimedReport[] {
    return this.#ring.last(count);
  }
}
