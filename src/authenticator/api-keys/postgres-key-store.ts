import type { Client } from 'pg';
import type { Hidden } from '../../secret/hidden.ts';
import { labelOf } from '../outcome.ts';
import { type KeyRow, type KeyStore, type NewKey, type PutResult, StoreFault } from './key-store.ts';
import { newClient } from './postgres-client.ts';

const LIST = `SELECT domain, username, active, to_char(insert_ts, 'YYYY-MM-DD"T"HH24:MI:SS') AS created
  FROM apikeys ORDER BY domain`;
const PRESENT = 'SELECT domain, apikey FROM apikeys WHERE active AND domain = ANY($1) FOR UPDATE';
const PUT = `INSERT INTO apikeys (domain, username, apikey, active) VALUES ($1::varchar, COALESCE($2::varchar, $1::varchar), $3::varchar, true)
  ON CONFLICT (domain) DO UPDATE
  SET username = COALESCE($2::varchar, apikeys.username), apikey = excluded.apikey, insert_ts = now(), active = true
  WHERE NOT apikeys.active OR $4::boolean`;
const REVOKE = 'UPDATE apikeys SET active = false WHERE domain = $1 AND active';

/** Keys in the table of wspubsub. A revoked one stays there, and is not active. */
export async function postgresKeyStore(url: Hidden<string>): Promise<KeyStore> {
  const client = await told(null, () => newClient(url));
  return {
    list: () => told(client, async () => (await client.query<KeyRow>(LIST)).rows),
    put: (keys, replace) => told(client, () => transaction(client, () => put(client, keys, replace))),
    revoke: (domain) => told(client, async () => (await client.query(REVOKE, [domain])).rowCount !== 0),
    close: () => client.end().catch(() => undefined),
  };
}

/** A put that writes nothing is no change, and takes back what it has done. */
async function transaction(client: Client, action: () => Promise<PutResult>): Promise<PutResult> {
  await client.query('BEGIN');
  let result: PutResult;
  try {
    result = await action();
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
  await client.query(result.ok ? 'COMMIT' : 'ROLLBACK');
  return result;
}

async function put(client: Client, keys: readonly NewKey[], replace: boolean): Promise<PutResult> {
  const domains = keys.map(({ domain }) => domain);
  const { rows } = await client.query<{ domain: string; apikey: string }>(PRESENT, [domains]);
  const present = new Map(rows.map(({ domain, apikey }) => [domain, apikey]));
  const added = keys.filter(({ domain, key }) => present.get(domain) !== key);
  const taken = replace ? [] : added.filter(({ domain }) => present.has(domain)).map(({ domain }) => domain);
  for (const { domain, username, key } of taken.length > 0 ? [] : added) {
    const { rowCount } = await client.query(PUT, [domain, username, key, replace]);
    // Another one was there first, in between.
    if (rowCount === 0) taken.push(domain);
  }
  return taken.length > 0
    ? { ok: false, taken }
    : { ok: true, written: added.length, unchanged: keys.length - added.length };
}

const words = new Map([
  ['28000', 'does not let this user in'],
  ['28P01', 'does not take this password'],
  ['3D000', 'is not there'],
  ['42P01', 'has no table of API keys; rel/sql/apikeys.sql creates it'],
  ['42P10', 'allows several keys for a domain; rel/sql/apikeys.sql mends it'],
  ['42501', 'does not allow this user to do that'],
  ['23505', 'has this key already, for another domain'],
]);

/** What is said of an error: the words for it or its label, as messages and details quote what was written. */
async function told<T>(client: Client | null, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const code = labelOf(error) ?? 'unknown';
    const where = client === null ? 'the database' : `the database ${client.database ?? ''}`;
    throw new StoreFault(
      `${where} ${words.get(code) ?? `cannot be reached, or answered with an error (${code})`}`,
    );
  }
}
