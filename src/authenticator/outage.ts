/**
 * When an authenticator is out, and when it is back: a first fault begins an outage; a good answer ends it, once there
 * has been no further fault for a while. Without that while, one client with a credential that the authenticator
 * chokes on could write two log lines with every other question.
 */
export interface Outage {
  readonly since: number;
  readonly faults: number;
  readonly lastFault: number;
  /** When a question was answered first since the last fault; null: none has been. */
  readonly answeredAt: number | null;
}

/** Milliseconds without a fault after which an authenticator that answers is back. */
export const QUIET = 1000;

/** Begins an outage, or goes on with it. */
export function fault(outage: Outage | null, now: number): Outage {
  return {
    since: outage?.since ?? now,
    faults: (outage?.faults ?? 0) + 1,
    lastFault: now,
    answeredAt: null,
  };
}

export function answer(outage: Outage | null, now: number): Outage | null {
  return outage === null || outage.answeredAt !== null ? outage : { ...outage, answeredAt: now };
}

/** When the outage will be over, if nothing happens before; null: not by itself. */
export function endsAt(outage: Outage | null): number | null {
  return outage == null || outage.answeredAt === null ? null : outage.lastFault + QUIET;
}

/** One pair for each outage. Holds nothing that came from a client. */
export type AuthenticatorEvent =
  | {
      readonly type: 'authenticator-unavailable';
      readonly authenticator: string;
      readonly why: Fault;
      /** The class or code of the error, `ECONNREFUSED`: messages may quote a credential. Null when there is none. */
      readonly error: string | null;
    }
  | {
      readonly type: 'authenticator-available';
      readonly authenticator: string;
      /** Questions that got no answer in the outage. */
      readonly faults: number;
      /** Milliseconds from the first fault to the first answer after the last one. */
      readonly durationMs: number;
    };

/** threw: or rejected its promise. shape: the answer was no permissions. late: none in time. busy: too many at once. */
export type Fault = 'threw' | 'shape' | 'late' | 'busy';

/** The error's code or its class, if it looks like one. */
export function labelOf(error: unknown): string | null {
  try {
    if (!(error instanceof Error)) return null;
    const labels: unknown[] = ['code' in error ? error.code : null, error.constructor.name];
    return labels.filter((label) => typeof label === 'string').find((label) => LABEL.test(label)) ?? null;
  } catch {
    return null;
  }
}

/** `ECONNREFUSED`, `TypeError`, the five letters and digits of an SQLSTATE, or `HTTP_500`. */
const LABEL = /^(?:[A-Za-z_]{1,40}|[0-9A-Z]{5}|HTTP_[0-9]{3})$/;
