import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Pool } from 'pg';
import type { Hidden } from '../../secret/hidden.ts';
import type { Authenticator } from '../contract.ts';
import { labelOf } from '../outcome.ts';
import { none, unionOf } from '../permissions.ts';
import { publishingIn } from './api-keys.ts';
import type { StoreLog } from './key-store.ts';
import { isStorable, newClient, newPool } from './postgres-client.ts';

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
export function postgresApiKeys(table: PostgresApiKeys): Authenticator {
  const { url, timeout = 2000 } = table;
  let pool: Promise<Pool> | null = null;
  return {
    name: 'ApiKeys',
    anonymous: none,
    async authorise({ authorization }) {
      if (!isStorable(authorization)) return none;
      pool ??= newPool(url, timeout);
      const { rows } = await (await pool).query<{ domain: string }>({ ...question, values: [authorization] });
      return unionOf(rows.filter(isOfDomain).map(({ domain }) => publishingIn(domain)));
    },
    watch: (changed) => watchTable(table, changed),
  };
}

/** With a slash in it, or empty, a domain would be none of wspubsub's and reach into another domain's topics. */
function isOfDomain({ domain }: { readonly domain: string }): boolean {
  return domain !== '' && !domain.includes('/');
}

const FIRST_RETRY = 500;
const LAST_RETRY = 4000;
/** Milliseconds between looks at a connection. With the two seconds that a look may take, it stays within the promised five. */
const PROBE = 2000;

/** The trigger of `rel/sql/apikeys.sql`, as long as it is not switched off. */
const TRIGGER = `SELECT 1 FROM pg_trigger WHERE tgname = 'apikeys_changed' AND tgrelid = to_regclass('apikeys')
  AND tgenabled IN ('O', 'A')`;

/**
 * Calls `changed` when the table of keys has changed: it listens to `apikeys`, on which the table's trigger notifies.
 * What changed while nobody listened is not known, so each connection begins with a call. The connection is tried all
 * the time, as a connection that a network has swallowed looks like a connection on which nothing happens. Where there is no trigger,
 * every `recheck` milliseconds count as a change. The result ends it.
 */
function watchTable(table: PostgresApiKeys, changed: () => void): () => void {
  const stop = new AbortController();
  const tell = () => {
    if (!stop.signal.aborted) changed();
  };
  void keepListening(table, tell, stop.signal);
  return () => stop.abort();
}

async function keepListening(table: PostgresApiKeys, changed: () => void, stop: AbortSignal): Promise<void> {
  const { log } = table;
  let failures = 0;
  let silent = false;
  while (!stop.aborted) {
    try {
      await listen(table, stop, changed, () => {
        if (failures > 0) log.note('changes of API keys are heard again');
        failures = 0;
        silent = false;
      });
    } catch (error) {
      if (!stop.aborted && !silent) {
        log.warn('changes of API keys are not heard until the database is back', { error: labelOf(error) });
      }
      silent = true;
    }
    await pause(Math.min(LAST_RETRY, FIRST_RETRY * 2 ** failures) * (0.5 + Math.random() / 2), stop);
    failures = Math.min(failures + 1, 10);
  }
}

/** Listens until the connection is lost, which is a throw, or `stop`. */
async function listen(
  { url, recheck, log }: PostgresApiKeys,
  stop: AbortSignal,
  changed: () => void,
  listening: () => void,
): Promise<void> {
  const client = await newClient(url);
  const gone = new Promise<never>((_, reject) => client.on('end', () => reject(new LostConnection())));
  gone.catch(() => undefined);
  try {
    client.on('notification', changed);
    await client.query('LISTEN apikeys');
    listening();
    changed();
    let told = performance.now();
    let triggered = true;
    while (!stop.aborted) {
      const isTriggered = await hasTrigger(client);
      if (triggered && !isTriggered) {
        log.warn('the table of API keys does not tell of its changes; rel/sql/apikeys.sql makes it', {
          recheckMs: recheck,
        });
      }
      triggered = isTriggered;
      if (!triggered && recheck > 0 && performance.now() - told >= recheck) {
        told = performance.now();
        changed();
      }
      await Promise.race([gone, pause(recheck > 0 ? Math.min(recheck, PROBE) : PROBE, stop)]);
    }
  } finally {
    client.removeAllListeners('notification');
    void client.end().catch(() => undefined);
  }
}

async function hasTrigger(client: Client): Promise<boolean> {
  return (await client.query(TRIGGER)).rows.length > 0;
}

class LostConnection extends Error {}

/** Settles early, and well, at `stop`. */
async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal: stop, ref: false }).catch(() => undefined);
}
