import type { Authenticator } from './contract.ts';
import { everything } from './permissions.ts';

/** `None`: everybody may do everything, with any credential and without one. */
export const noneAuthenticator: Authenticator = {
  name: 'None',
  anonymous: everything,
  authorise: () => everything,
};
