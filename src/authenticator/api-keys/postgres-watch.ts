import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Hidden } from '../../secret/hidden.ts';
import { labelOf } from '../outage.ts';
import type { StoreLog } from './key-store.ts';
import { newClient } from './postgres-client.ts';

interface WatchedTable {
  readonly url: Hidden<string>;
  readonly recheck: number;
  readonly log: StoreLog;
}

const FIRST_RETRY = 500;
const LAST_RETRY = 4000;
/** Milliseconds between looks at a connection. With the two seconds that one may take, it stays within the promised five. */
const PROBE = 2000;

/** The trigger of `rel/sql/apikeys.sql`, as long as it is not switched off. */
const TRIGGER = `SELECT 1 FROM pg_trigger WHERE tgname = 'apikeys_changed' AND tgrelid = to_regclass('apikeys')
  AND tgenabled IN ('O', 'A')`;

/**
 * Calls `changed` when the table of keys has changed: it listens to `apikeys`, on which the table's trigger notifies.
 * What changed while nobody listened is not known, so each connection begins with a call. The connection is tried all
 * the time, as one that a network has swallowed looks like one on which nothing happens. Where there is no trigger,
 * every `recheck` milliseconds count as a change. The result ends it.
 */
export function watchTable(table: WatchedTable, changed: () => void): () => void {
  const stop = new AbortController();
  const tell = () => {
    if (!stop.signal.aborted) changed();
  };
  void keepListening(table, tell, stop.signal);
  return () => stop.abort();
}

async function keepListening(table: WatchedTable, changed: () => void, stop: AbortSignal): Promise<void> {
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
  { url, recheck, log }: WatchedTable,
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
