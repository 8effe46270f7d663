import {
  type Closed,
  type ClosedDetails,
  type End,
  GOING_AWAY,
  NO_STATUS,
  NORMAL,
  tellingOf,
} from '../connection/end.ts';
import type { Report } from '../otp/reports.ts';
import { Happenings } from './happenings.ts';
import { Ring } from './ring.ts';

/** What is kept of a connection that has ended. */
export interface Certificate extends Closed, ClosedDetails {
  readonly type: 'closed';
  /** When it ended, in milliseconds since 1970. */
  readonly at: number;
}

/** What is kept of a client that was turned away. */
export interface RefusedClient {
  readonly type: 'refused';
  readonly at: number;
  readonly door: string;
  readonly address: string;
  /** A limit, or the HTTP status that it was answered with. */
  readonly reason: string;
}

export type Ended = Certificate | RefusedClient;

/** A crash or supervisor report, and when it was written, in milliseconds since 1970. */
export interface TimedReport {
  readonly at: number;
  readonly report: Report;
}

/** How many closed connections are remembered, each in some hundred bytes, and how many reports. */
const CERTIFICATES = 10_000;
/** Of a burst of refusals the last ones say as much as all of them. */
const REFUSED = 1000;
const REPORTS = 1000;

/** How connections end by what the relay or the network does, and by a client's leaving: as metrics know them from the start. */
export const FORESEEN_CLOSES: readonly { readonly code: string; readonly reason: string }[] = (
  [
    { type: 'slow', limit: 'pending', reached: 0 },
    { type: 'no pong', after: 0 },
    { type: 'no acknowledgement', after: 0 },
    { type: 'connection lost' },
    { type: 'left', code: NORMAL },
    { type: 'left', code: GOING_AWAY },
    { type: 'left', code: NO_STATUS },
    { type: 'authorize first' },
    { type: 'authorize timeout' },
    { type: 'too many failed authorisations' },
    { type: 'revoked' },
    { type: 'expired' },
    { type: 'topic lost' },
    { type: 'drained' },
    { type: 'crash', why: '' },
    { type: 'killed' },
  ] satisfies readonly End[]
).map((end) => {
  const { code, reason } = tellingOf(end, 'websocket');
  return { code: String(code), reason };
});

/** The last closes and reports, and counts of closes and refusals for metrics. Nothing in it is secret. */
export class History {
  readonly reports = new Ring<TimedReport>(REPORTS);
  /** What happened, but for the reports. */
  readonly happened: Happenings;
  readonly closes = new Tally<{ readonly door: string; readonly code: string; readonly reason: string }>();
  readonly refusals = new Tally<{ readonly door: string; readonly reason: string }>();
  readonly #certificates: Ring<Certificate>;
  readonly #refused = new Ring<RefusedClient>(REFUSED);
  readonly #wallClock: () => number;

  constructor(certificates = CERTIFICATES, wallClock: () => number = Date.now) {
    this.#certificates = new Ring(certificates);
    this.#wallClock = wallClock;
    this.happened = new Happenings(wallClock);
  }

  closed(closed: Closed, details: ClosedDetails): void {
    this.closes.add({ door: closed.door, code: codeLabel(closed.code), reason: closed.reason });
    this.happened.closed(closed.door, closed.code, closed.reason);
    this.#certificates.push({ type: 'closed', ...closed, ...details, at: this.#wallClock() });
  }

  refused(door: string, reason: string, address: string): void {
    this.refusals.add({ door, reason });
    this.happened.refused(door, reason);
    this.#refused.push({ type: 'refused', at: this.#wallClock(), door, address, reason });
  }

  /** How many clients `ended` tells of. */
  get remembered(): number {
    return this.#certificates.size + this.#refused.size;
  }

  /** The clients that have gone and those that were turned away, the newest first. */
  *ended(): Iterable<Ended> {
    const refused = this.#refused.newest()[Symbol.iterator]();
    let next = refused.next();
    for (const certificate of this.#certificates.newest()) {
      for (; next.done !== true && next.value.at > certificate.at; next = refused.next()) yield next.value;
      yield certificate;
    }
    for (; next.done !== true; next = refused.next()) yield next.value;
  }

  reported(report: Report): void {
    this.reports.push({ at: this.#wallClock(), report });
  }

  /** The death certificate of a connection, by the number of its pid. Undefined: it closed too long ago, or not at all. */
  certificateOf(conn: number): Certificate | undefined {
    for (const certificate of this.#certificates.newest()) if (certificate.conn === conn) return certificate;
    return undefined;
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

  *[Symbol.iterator](): Iterator<readonly [count: number, labels: Labels]> {
    for (const { count, labels } of this.#counts.values()) yield [count, labels];
  }
}

const COMBINATIONS = 200;

/** A close code or status as a label: of the codes that clients may choose there is one label for each thousand. */
export function codeLabel(code: number): string {
  if (code >= 3000 && code < 5000) return `${Math.floor(code / 1000)}xxx`;
  return (code >= 100 && code < 600) || (code >= 1000 && code <= 1015) ? String(code) : 'other';
}
