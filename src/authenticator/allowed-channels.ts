import type { Answer, Authenticator } from './contract.ts';
import { grantOf, isAnswer } from './grant.ts';
import { intersection, onPatterns, readAndWrite } from './permissions.ts';

/**
 * The same authenticator, bound to the topics that `patterns` match: whatever it grants, to anybody, elsewhere there is
 * no right. Throws a RangeError for a malformed pattern.
 */
export function withinChannels(authenticator: Authenticator, patterns: readonly string[]): Authenticator {
  const allowed = onPatterns(patterns, readAndWrite);
  const bound = (answer: Answer): Answer => {
    // What is no answer might come out of the intersection as one.
    if (!isAnswer(answer)) throw new TypeError('the authenticator answered with something else');
    if (!('permissions' in answer)) return intersection(answer, allowed);
    return { ...answer, permissions: intersection(answer.permissions, allowed) };
  };
  const { name, needs, asksAll, recheck } = authenticator;
  return {
    name,
    anonymous: grantOf(bound(authenticator.anonymous)).permissions,
    ...(needs === undefined ? {} : { needs }),
    ...(asksAll === undefined ? {} : { asksAll }),
    ...(recheck === undefined ? {} : { recheck }),
    authorise: (question) => {
      const answer = authenticator.authorise(question);
      return 'then' in answer ? answer.then(bound) : bound(answer);
    },
    ...(authenticator.watch === undefined
      ? {}
      : { watch: (changed) => authenticator.watch?.(changed) ?? (() => undefined) }),
  };
}
