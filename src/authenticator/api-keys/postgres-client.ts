import type { Client, ClientConfig, Pool } from 'pg';
import type { Hidden } from '../../secret/hidden.ts';
import { LONGEST_KEY } from './key-store.ts';

/** Milliseconds that connecting, and each query, may take, of a connection that answers no questions. */
const LIMIT = 2000;
const CONNECTIONS = 10;

/** pg is loaded when a store needs it: most relays have none in a database. */
export async function newPool(url: Hidden<string>, limit: number): Promise<Pool> {
  const { Pool } = await import('pg');
  const pool = new Pool({ ...settings(url, limit), max: CONNECTIONS, allowExitOnIdle: true });
  // A connection that is lost while idle: the next query opens another connection, and tells if it cannot.
  pool.on('error', () => undefined);
  return pool;
}

/** Connected. Its `end` event comes when the connection is gone, for whatever reason. */
export async function newClient(url: Hidden<string>): Promise<Client> {
  const { Client } = await import('pg');
  const client = new Client(settings(url, LIMIT));
  // What ends a connection rejects the query that is under way, too, and `end` follows.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
  return client;
}

/** TLS, too, is in the URL (`sslmode`, `sslrootcert`). */
function settings(url: Hidden<string>, limit: number): ClientConfig {
  return {
    connectionString: url.reveal(),
    connectionTimeoutMillis: limit,
    query_timeout: limit,
    keepAlive: true,
    application_name: 'fanfare',
  };
}

/** Whether the table could hold such a key. The others are not asked about: a database refuses some with an error. */
export function isStorable(key: string): boolean {
  // A character is at most two UTF-16 code units.
  if (key === '' || key.length > 2 * LONGEST_KEY) return false;
  return !/[\0\p{Cs}]/u.test(key) && [...key].length <= LONGEST_KEY;
}
