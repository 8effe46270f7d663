import { entriesOf } from '../secret/secret.ts';
import type { Authenticator } from './contract.ts';
import { none, onPatterns, readAndWrite, readEverything, unionOf } from './permissions.ts';

export interface Password {
  /** SHA-256 of the password: 32 bytes. */
  readonly sha256: Buffer;
  /** Patterns of the topics that it opens for reading and writing. */
  readonly channels: readonly string[];
}

/**
 * `PasswordAuthenticator`: the credential is a password. With `allowReadByDefault` everybody may read everything, so
 * that a wrong password is accepted too, for reading, as in pusud. Throws a RangeError for a malformed pattern.
 */
export function passwordAuthenticator(
  passwords: readonly Password[],
  allowReadByDefault: boolean,
): Authenticator {
  const anonymous = allowReadByDefault ? readEverything : none;
  const entries = passwords.map(({ sha256, channels }) => ({
    sha256,
    permissions: onPatterns(channels, readAndWrite),
  }));
  return {
    name: 'PasswordAuthenticator',
    anonymous,
    authorise: ({ authorization }) => {
      const known = entriesOf(entries, authorization);
      if (known.length === 0)
        return { permissions: anonymous, subject: null, expires: null, recognised: false };
      return unionOf(
        known.map(({ permissions }) => permissions),
        anonymous,
      );
    },
  };
}
