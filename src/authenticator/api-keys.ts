import type { Authenticator } from './contract.ts';
import { none, ofPrefix, type Permissions, union, writeOnly } from './permissions.ts';
import { entriesOf } from './secret.ts';

export interface DomainKey {
  /** Not empty, without a slash. */
  readonly domain: string;
  /** SHA-256 of the key: 32 bytes. */
  readonly sha256: Buffer;
}

/**
 * The credential is an API key: it lets its bearer publish in every topic of its domain, `Domain/Topic`, and read none.
 * The domain is no pattern: with a `*` in it, it is still that one domain alone.
 */
export function apiKeys(keys: readonly DomainKey[]): Authenticator {
  const entries = keys.map(({ domain, sha256 }) => ({
    sha256,
    permissions: ofPrefix(`${domain}/`, writeOnly),
  }));
  return {
    name: 'ApiKeys',
    anonymous: none,
    authorise: ({ authorization }) =>
      entriesOf(entries, authorization).reduce<Permissions>(
        (granted, { permissions }) => union(granted, permissions),
        none,
      ),
  };
}
