import type { Authenticator } from './contract.ts';
import { none } from './permissions.ts';

/** `MyAuthenticator`, pusud's example of an authenticator of one's own: it grants nothing to anybody. */
export const myAuthenticator: Authenticator = {
  name: 'MyAuthenticator',
  anonymous: none,
  authorise: () => none,
};
