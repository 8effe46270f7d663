import { entriesOf } from '../../secret/secret.ts';
import type { Authenticator } from '../contract.ts';
import { none, ofPrefix, type Permissions, unionOf, writeOnly } from '../permissions.ts';

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
  const granted = granting(keys);
  return { name: 'ApiKeys', anonymous: none, authorise: ({ authorization }) => granted(authorization) };
}

/** What a key opens, of the keys that there are. */
export function granting(keys: readonly DomainKey[]): (key: string) => Permissions {
  const entries = keys.map(({ domain, sha256 }) => ({ sha256, permissions: publishingIn(domain) }));
  return (key) => unionOf(entriesOf(entries, key).map(({ permissions }) => permissions));
}

/** The right to publish in every topic of a domain. */
export function publishingIn(domain: string): Permissions {
  return ofPrefix(`${domain}/`, writeOnly);
}
