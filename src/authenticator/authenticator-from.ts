import type { AuthenticatorConfig } from '../config/config.ts';
import type { Authenticator } from './contract.ts';
import { myAuthenticator } from './my-authenticator.ts';
import { noneAuthenticator } from './none.ts';
import { passwordAuthenticator } from './password-authenticator.ts';

/** The authenticator that the configuration names. */
export function authenticatorFrom(config: AuthenticatorConfig): Authenticator {
  switch (config.name) {
    case 'None':
      return noneAuthenticator;
    case 'MyAuthenticator':
      return myAuthenticator;
    case 'PasswordAuthenticator':
      return passwordAuthenticator(config.passwords, config.allowReadByDefault);
  }
}
