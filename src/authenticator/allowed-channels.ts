import type { Authenticator } from './contract.ts';
import { intersection, isPermissions, onPatterns, type Permissions, readAndWrite } from './permissions.ts';

/**
 * The same authenticator, bound to the topics that `patterns` match: whatever it grants, to anybody, elsewhere there is
 * no right. Throws a RangeError for a malformed pattern.
 */
export function withinChannels(authenticator: Authenticator, patterns: readonly string[]): Authenticator {
  const allowed = onPatterns(patterns, readAndWrite);
  const bound = (granted: Permissions) => {
    // What is no permission might come out of the intersection as one.
    if (!isPermissions(granted)) throw new TypeError('the authenticator answered with something else');
    return intersection(granted, allowed);
  };
  return {
    name: authenticator.name,
    anonymous: bound(authenticator.anonymous),
    authorise: (question) => {
      const answer = authenticator.authorise(question);
      return 'then' in answer ? answer.then(bound) : bound(answer);
    },
    ...(authenticator.watch === undefined
      ? {}
      : { watch: (changed) => authenticator.watch?.(changed) ?? (() => undefined) }),
  };
}
