import type { Closed, ClosedDetails } from '../connection/door-context.ts';
import { Ring } from './ring.ts';

/** What is kept of a connection that has ended. */
export interface Certificate extends Closed, ClosedDetails {
  /** When it ended, in milliseconds since 1970. */
  readonly at: number;
}

/** How many closed connections are remembered; each takes some hundred bytes. */
export const CERTIFICATES = 10_000;

/** The death certificates of the connections that were closed last, found by the number of their pid. */
export class Certificates {
  readonly #ring: Ring<Certificate>;
  readonly #wallClock: () => number;

  constructor(limit = CERTIFICATES, wallClock: () => number = Date.now) {
    this.#ring = new Ring(limit);
    this.#wallClock = wallClock;
  }

  get size(): number {
    return this.#ring.size;
  }

  add(closed: Closed, details: ClosedDetails): void {
    this.#ring.push({ ...closed, ...details, at: this.#wallClock() });
  }

  find(conn: number): Certificate | undefined {
    for (const certificate of this.#ring.newest()) if (certificate.conn === conn) return certificate;
    return undefined;
  }

  last(count: number): Certificate[] {
    return this.#ring.last(count);
  }
}
