import type { Pool } from 'pg';
import type { Hidden } from '../../secret/hidden.ts';
import type { Authenticator } from '../contract.ts';
import { none, type Permissions, union } from '../permissions.ts';
import { publishingIn } from './api-keys.ts';
import type { StoreLog } from './key-store.ts';
import { isStorable, newPool } from './postgres-client.ts';
import { watchTable } from './postgres-watch.ts';

export interface PostgresApiKeys {
  readonly url: Hidden<string>;
  /** Milliseconds after which keys may have changed, when the table does not tell; 0: never. */
  readonly recheck: number;
  readonly log: StoreLog;
  /** Milliseconds that connecting and the query may take, each. Default: 2,000. */
  readonly timeout?: number;
}

const question = {
  name: 'fanfare-apikey',
  text: 'SELECT domain FROM apikeys WHERE apikey = $1 AND active = true',
};

/**
 * API keys in the table of wspubsub. A question is one query, so a revoked key opens nothing from then on; a database
 * that is down or late is no answer, and one that is back is asked again.
 */
export function postgresApiKeys({ url, recheck, log, timeout = 2000 }: PostgresApiKeys): Authenticator {
  let pool: Promise<Pool> | null = null;
  return {
    name: 'ApiKeys',
    anonymous: none,
    async authorise({ authorization }) {
      if (!isStorable(authorization)) return none;
      pool ??= newPool(url, timeout);
      const { rows } = await (await pool).query<{ domain: string }>({ ...question, values: [authorization] });
      return rows
        .filter(({ domain }) => isSegment(domain))
        .reduce<Permissions>((all, { domain }) => union(all, publishingIn(domain)), none);
    },
    watch: (changed) => watchTable({ url, recheck, log }, changed),
  };
}

/** With a slash in it, or empty, a domain would be none of wspubsub's and reach into another one's topics. */
function isSegment(domain: string): boolean {
  return domain !== '' && !domain.includes('/');
}
