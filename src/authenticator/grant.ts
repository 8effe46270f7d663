import type { Answer, Grant } from './contract.ts';
import { isPermissions } from './permissions.ts';

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
