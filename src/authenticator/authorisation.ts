import type { Answer, Grant } from './contract.ts';
import { isPermissions, none, type Permissions } from './permissions.ts';

/** What a question is answered with. */
export type Authorisation =
  | {
      readonly type: 'authorised';
      readonly ref: number;
      readonly permissions: Permissions;
      /** Left out where nothing is granted, for it is not the time of the credential. */
      readonly terms?: Terms;
      /** The credential is none that is known: what it was granted everybody has. */
      readonly unrecognised?: true;
      /** The credential is known, and holds at another time than now: it grants nothing, and is no guess. */
      readonly untimely?: true;
    }
  /** `faulty`: asking again is no help. */
  | { readonly type: 'unavailable'; readonly ref: number; readonly faulty?: true }
  /** Comes unasked, after an answer: the credential grants something else now. */
  | {
      readonly type: 'regranted';
      readonly ref: number;
      readonly permissions: Permissions;
      readonly terms: Terms;
    }
  /** Comes unasked, after an answer: the credential grants nothing any more. */
  | { readonly type: 'revoked'; readonly ref: number };

export interface Terms {
  readonly subject: string | null;
  /** Milliseconds from now; null: for good. */
  readonly lasts: number | null;
  /** Milliseconds that the connection may stay on after that. */
  readonly grace: number;
  /** The topic to use in place of that of the question; null: that of the question. */
  readonly topic: string | null;
}

/** Permissions as they hold now, and their terms. `wallClock`: milliseconds since 1970. What has expired grants nothing. */
export function termsOf(
  answer: Answer,
  wallClock: number,
):
  | { readonly permissions: Permissions; readonly terms: Terms; readonly untimely?: never }
  | { readonly permissions: Permissions; readonly terms?: never; readonly untimely: true } {
  const { permissions, subject, expires, grace = 0, topic = null, untimely } = grantOf(answer);
  if (untimely) return { permissions: none, untimely };
  const lasts = expires === null ? null : Math.max(expires - wallClock, 0);
  if (lasts === 0) return { permissions: none, untimely: true };
  return { permissions, terms: { subject, lasts, grace, topic } };
}

/** An answer with its terms written out. */
export function grantOf(answer: Answer): Grant {
  return 'permissions' in answer ? answer : { permissions: answer, subject: null, expires: null };
}

/** Whether foreign code gave back what it should have. Throws what a getter in there throws. */
export function isAnswer(value: unknown): value is Answer {
  if (typeof value !== 'object' || value === null) return false;
  if (!('permissions' in value)) return isPermissions(value);
  const { permissions, subject, expires, grace, topic, recognised, untimely } = value as Partial<
    Record<keyof Grant, unknown>
  >;
  return (
    isPermissions(permissions) &&
    (subject === null || typeof subject === 'string') &&
    (expires === null || typeof expires === 'number') &&
    (grace === undefined || (typeof grace === 'number' && grace >= 0)) &&
    (topic === undefined || typeof topic === 'string') &&
    (recognised === undefined || typeof recognised === 'boolean') &&
    (untimely === undefined || typeof untimely === 'boolean')
  );
}
