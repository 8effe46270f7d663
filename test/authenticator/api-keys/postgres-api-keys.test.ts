import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type PostgresApiKeys,
  postgresApiKeys,
} from '../../../src/authenticator/api-keys/postgres-api-keys.ts';
import { authenticatorServer } from '../../../src/authenticator/authenticator-server.ts';
import type { AuthenticatorEvent } from '../../../src/authenticator/outage.ts';
import { allows, isEmpty, type Permissions } from '../../../src/authenticator/permissions.ts';
import { System } from '../../../src/otp/system.ts';
import { Hidden } from '../../../src/secret/hidden.ts';
import { authenticatorContract } from '../../contract/authenticator-contract.ts';
import { eventually } from '../../support/arrivals.ts';
import { spawnOk } from '../../support/otp.ts';
import { ownPostgres, queryOn, sharedPostgres, testWithPostgres } from '../../support/postgres.ts';
import { packageRoot } from '../../support/relay-process.ts';
import { servedTime } from '../../support/served-time.ts';
import { asker, printed, question } from '../asker.ts';
import { changes, storeLog } from './store-log.ts';

const postgres = sharedPostgres();
const ddl = readFileSync(join(packageRoot, 'rel', 'sql', 'apikeys.sql'), 'utf8');

const INSERT = 'INSERT INTO apikeys (domain, username, apikey, active) VALUES ($1, $1, $2, $3)';

async function tableOf(
  url: string,
  keys: readonly (readonly [domain: string, key: string, active?: boolean])[],
): Promise<string> {
  await queryOn(url, ddl);
  for (const [domain, key, active = true] of keys) await queryOn(url, INSERT, [domain, key, active]);
  return url;
}

function over(url: string, options: Partial<PostgresApiKeys> = {}) {
  const { log, lines } = storeLog();
  const authenticator = postgresApiKeys({ url: new Hidden(url), recheck: 0, log, ...options });
  const opens = async (key: string, topic = 'a/t') =>
    allows((await authenticator.authorise(question(key))) as Permissions, 'write', topic);
  return { authenticator, opens, lines };
}

const LONGEST = 'é'.repeat(36);

authenticatorContract('ApiKeys in PostgreSQL', {
  runs: testWithPostgres,
  async make() {
    const keys = [
      ['example.com', '0a3c1d6e-key'],
      ['*', 'star'],
      ['a*', LONGEST],
      ['__proto__', 'proto'],
      ['dead.example.com', 'dead', false],
    ] as const;
    return over(await tableOf(await (await postgres()).database(), keys)).authenticator;
  },
  grants: [
    {
      authorization: '0a3c1d6e-key',
      write: ['example.com/', 'example.com/a', 'example.com/a*'],
      neither: ['example.com', 'example.org/a', 'example.comx/a', '*/a', 'a/example.com/'],
    },
    { authorization: 'star', write: ['*/topic'], neither: ['example.com/topic', 'a*/topic', 'a'] },
    { authorization: LONGEST, write: ['a*/b'], neither: ['a/b', 'ab/c', 'a*'] },
    { authorization: 'proto', write: ['__proto__/a'], neither: ['__proto__', 'toString'] },
    { authorization: 'dead', neither: ['dead.example.com/a'] },
  ],
});

testWithPostgres('a revoked key opens nothing from the next question on', async (t) => {
  const url = await tableOf(await (await postgres()).database(), [['a', 'k']]);
  const { opens } = over(url);
  t.true(await opens('k'));
  await queryOn(url, 'UPDATE apikeys SET active = false');
  t.false(await opens('k'));
  await queryOn(url, 'UPDATE apikeys SET active = true');
  t.true(await opens('k'));
  await queryOn(url, 'DELETE FROM apikeys');
  t.false(await opens('k'));
});

testWithPostgres('a domain that no path can name opens nothing', async (t) => {
  const url = await tableOf(await (await postgres()).database(), [
    ['a/b', 'slash'],
    ['', 'empty'],
  ]);
  const { authenticator } = over(url);
  for (const key of ['slash', 'empty'])
    t.true(isEmpty((await authenticator.authorise(question(key))) as Permissions), key);
});

testWithPostgres('many questions at once share ten connections, and one prepared query', async (t) => {
  const url = await tableOf(await (await postgres()).database(), [['a', 'k']]);
  const { opens } = over(url);
  t.true((await Promise.all(Array.from({ length: 200 }, () => opens('k')))).every(Boolean));
  const { rows } = await queryOn(
    url,
    `SELECT count(*)::int AS count FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'fanfare'`,
  );
  t.is(rows[0].count, 10);
});

testWithPostgres('every change of the table is told, whoever made it', async (t) => {
  const url = await tableOf(await (await postgres()).database(), []);
  const { authenticator, lines } = over(url);
  const { tell, told } = changes();
  const stop = authenticator.watch?.(tell);
  // What changed before it listened is not known.
  await told.next();
  for (const sql of [
    `INSERT INTO apikeys (domain, username, apikey) VALUES ('a', 'u', 'k')`,
    'UPDATE apikeys SET active = true',
    `DELETE FROM apikeys`,
    'TRUNCATE apikeys',
  ]) {
    const before = told.all.length;
    await queryOn(url, sql);
    await told.next();
    t.is(told.all.length, before + 1, sql);
  }
  stop?.();
  t.deepEqual(lines.all, []);
});

const databaseOf = (url: string) => /\/(\w+)\?/.exec(url)?.[1] ?? '';

/** Waits until the relay has so many connections to a database. */
async function connections(url: string, server: string, wanted: number): Promise<void> {
  const name = databaseOf(url);
  const count = async () =>
    (
      await queryOn(
        server,
        `SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND application_name = 'fanfare'`,
        [name],
      )
    ).rows.length;
  while ((await count()) !== wanted);
}

testWithPostgres('whoever stops watching leaves no connection behind', async (t) => {
  const server = await postgres();
  const url = await tableOf(await server.database(), []);
  const { authenticator } = over(url);
  const { tell, told } = changes();
  const stop = authenticator.watch?.(tell);
  await told.next();
  await connections(url, server.socketUrl, 1);
  stop?.();
  await connections(url, server.socketUrl, 0);
  await queryOn(url, 'TRUNCATE apikeys');
  t.is(told.all.length, 1);
});

testWithPostgres('a connection that is cut is made anew, and that counts as a change', async (t) => {
  const server = await postgres();
  const url = await tableOf(await server.database(), []);
  const { authenticator, lines } = over(url);
  const { tell, told } = changes();
  const stop = authenticator.watch?.(tell);
  await told.next();
  await queryOn(
    server.socketUrl,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'fanfare'`,
    [databaseOf(url)],
  );
  await told.next();
  t.deepEqual(
    lines.all.map(({ msg }) => msg),
    ['changes of API keys are not heard until the database is back', 'changes of API keys are heard again'],
  );
  stop?.();
});

testWithPostgres(
  'without the trigger, keys count as changed every now and then, and a warning says so',
  async (t) => {
    const url = await tableOf(await (await postgres()).database(), []);
    await queryOn(url, 'DROP TRIGGER apikeys_changed ON apikeys');
    const { authenticator, lines } = over(url, { recheck: 5 });
    const { tell, told } = changes();
    const stop = authenticator.watch?.(tell);
    await told.take(4);
    t.like(lines.all, [{ recheckMs: 5 }]);
    t.regex(String(lines.all[0]?.msg), /rel\/sql\/apikeys\.sql/);
    stop?.();
  },
);

testWithPostgres('with the trigger, a look at the connection is no change', async (t) => {
  const url = await tableOf(await (await postgres()).database(), []);
  const { authenticator } = over(url, { recheck: 1 });
  const { tell, told } = changes();
  const stop = authenticator.watch?.(tell);
  await told.next();
  const looks = new Set<string>();
  while (looks.size < 5) {
    const { rows } = await queryOn(
      url,
      `SELECT query_start::text AS at FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'fanfare' AND query LIKE '%pg_trigger%'`,
    );
    for (const { at } of rows) looks.add(at);
  }
  t.is(told.all.length, 1);
  stop?.();
});

function process(url: string, timeout = 20_000) {
  const reports: unknown[] = [];
  const system = new System({ report: (report) => reports.push(report) });
  const events: AuthenticatorEvent[] = [];
  const { authenticator, lines } = over(url);
  const log = (event: AuthenticatorEvent) => events.push(event);
  const server = spawnOk(system, authenticatorServer, { authenticator, log, timeout });
  const client = asker(system);
  let asked = 0;
  const answerTo = async (key: string) => {
    const ref = asked++;
    client.ask(server, key, ref);
    const answer = () => client.answers.find((each) => each.ref === ref);
    await eventually(() => answer() !== undefined, 'an answer');
    return answer();
  };
  return { answerTo, events, reports, lines, authenticator };
}

testWithPostgres('a server that is killed is an outage, and back without anybody’s help', async (t) => {
  const server = await ownPostgres(t);
  const key = '0b8b3c5e-4b3f-4c59-9d0f-5f3a3c1d6e0a';
  const url = await tableOf(server.url, [['a', key]]);
  const { answerTo, events, reports, lines, authenticator } = process(url);
  const { tell, told } = changes();
  const stop = authenticator.watch?.(tell);
  await told.next();
  t.like(await answerTo(key), { type: 'authorised' });
  await server.kill();
  for (let asked = 0; asked < 3; asked++) t.like(await answerTo(key), { type: 'unavailable' });
  t.is(events.length, 1, 'once for each outage');
  t.like(events, [{ type: 'authenticator-unavailable', why: 'threw' }]);
  await server.start();
  const answer = await answerTo(key);
  t.is(answer?.type, 'authorised');
  t.true(answer?.type === 'authorised' && allows(answer.permissions, 'write', 'a/t'));
  await told.next();
  stop?.();
  const written = printed([events, reports, lines.all, authenticator]);
  for (const secret of [key, server.password, encodeURIComponent(server.password)]) {
    t.false(written.includes(secret));
  }
});

testWithPostgres('a server that hangs is late, and nobody waits longer than that', async (t) => {
  const server = await ownPostgres(t);
  const url = await tableOf(server.url, [['a', 'k']]);
  const { answerTo, events } = process(url, 1500);
  t.like(await answerTo('k'), { type: 'authorised' });
  server.freeze();
  const took = servedTime(t);
  t.like(await answerTo('k'), { type: 'unavailable' });
  t.true(took() < 4000, `${took()} ms`);
  t.like(events, [{ why: 'late' }]);
  server.thaw();
  let answer = await answerTo('k');
  while (answer?.type !== 'authorised') answer = await answerTo('k');
  t.true(allows(answer.permissions, 'write', 'a/t'));
});

testWithPostgres('a connection that has gone silent is noticed, and replaced', async (t) => {
  const server = await ownPostgres(t);
  const { authenticator, lines } = over(await tableOf(server.url, []), { recheck: 5 });
  const { tell, told } = changes();
  const stop = authenticator.watch?.(tell);
  await told.next();
  server.freeze();
  await lines.find(({ msg }) => msg === 'changes of API keys are not heard until the database is back');
  server.thaw();
  await told.next();
  stop?.();
  t.is(lines.all.length, 2);
});

testWithPostgres('a wrong password and a missing table are outages, not refusals', async (t) => {
  const server = await postgres();
  const url = await server.database('tcp');
  const wrong = url.replace(/:[^:@/]*@/, ':hunter2@');
  const bare = process(url);
  t.like(await bare.answerTo('k'), { type: 'unavailable' });
  t.like(bare.events, [{ error: '42P01' }]);
  const refused = process(wrong);
  t.like(await refused.answerTo('k'), { type: 'unavailable' });
  t.like(refused.events, [{ error: '28P01' }]);
});

testWithPostgres('the URL says whether the connection is encrypted, and whom it trusts', async (t) => {
  const { certificate, database } = await postgres();
  if (certificate === null) return t.log('there is no openssl to make a certificate with');
  const url = await tableOf(await database('tcp'), [['a', 'k']]);
  const { opens } = over(`${url}?sslmode=verify-full&sslrootcert=${certificate}`);
  t.true(await opens('k'));
  const { rows } = await queryOn(
    url,
    `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
     WHERE datname = current_database() AND application_name = 'fanfare'`,
  );
  t.deepEqual(rows, [{ ssl: true }]);
  await t.throwsAsync(over(`${url}?sslmode=verify-full`).opens('k'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  await t.throwsAsync(over(`${url}?sslmode=verify-full&sslrootcert=/nowhere.pem`).opens('k'), {
    code: 'ENOENT',
  });
  t.true(await over(`${url}?sslmode=no-verify`).opens('k'));
  return undefined;
});

testWithPostgres('the right to read the table is all that a relay needs', async (t) => {
  const server = await postgres();
  const url = await tableOf(await server.database(), [['a', 'k']]);
  const reader = `reader_${databaseOf(url)}`;
  await queryOn(url, `CREATE ROLE ${reader} LOGIN; GRANT SELECT ON apikeys TO ${reader}`);
  const { authenticator, opens, lines } = over(url.replace('fanfare@', `${reader}@`));
  t.true(await opens('k'));
  const { tell, told } = changes();
  const stop = authenticator.watch?.(tell);
  await told.next();
  await queryOn(url, 'UPDATE apikeys SET active = false');
  await told.next();
  t.false(await opens('k'));
  t.deepEqual(lines.all, []);
  stop?.();
});
