import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { queryOn, sharedPostgres, testWithPostgres } from '../support/postgres.ts';
import { packageRoot } from '../support/relay-process.ts';

const postgres = sharedPostgres();
const ddl = readFileSync(join(packageRoot, 'rel', 'sql', 'apikeys.sql'), 'utf8');

/** As users have it deployed, with what was missing of it, and without the index that could not be made. */
const deployed = `
  create sequence apikeys_id_seq;
  create table "apikeys" (
    "id" integer not null default nextval('apikeys_id_seq'::regclass),
    "domain" varchar(64) not null, "username" varchar(254) not null, "apikey" varchar(36) not null,
    "insert_ts" timestamp not null default now(), "active" boolean not null default false, primary key ("id"));
  create unique index "unique_id" on "apikeys" ("id");
  create unique index "unique_domain" on "apikeys" ("domain");
  create unique index "unique_apikey" on "apikeys" ("apikey");
`;

const COLUMNS = `SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
  FROM information_schema.columns WHERE table_name = 'apikeys' ORDER BY ordinal_position`;
const INDEXES = `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'apikeys' ORDER BY indexname`;
const TRIGGERS = `SELECT tgname FROM pg_trigger WHERE tgrelid = 'apikeys'::regclass`;

async function shapeOf(url: string) {
  return [(await queryOn(url, COLUMNS)).rows, (await queryOn(url, INDEXES)).rows];
}

testWithPostgres('the table is the deployed one, and making it twice changes nothing', async (t) => {
  const server = await postgres();
  const [ours, theirs] = [await server.database(), await server.database()];
  await queryOn(theirs, deployed);
  await queryOn(ours, ddl);
  const shape = await shapeOf(ours);
  t.deepEqual(shape, await shapeOf(theirs));
  t.is(shape[0]?.length, 6);
  t.is(shape[1]?.length, 4);
  await queryOn(ours, ddl);
  t.deepEqual(await shapeOf(ours), shape);
  t.deepEqual((await queryOn(ours, TRIGGERS)).rows, [{ tgname: 'apikeys_changed' }]);
});

testWithPostgres('a table that is deployed keeps its rows and gets the trigger', async (t) => {
  const url = await (await postgres()).database();
  await queryOn(url, deployed);
  await queryOn(url, `INSERT INTO apikeys (domain, username, apikey) VALUES ('a', 'u', 'k')`);
  await queryOn(url, ddl);
  await queryOn(url, ddl);
  const { rows } = await queryOn(url, 'SELECT id, domain, username, apikey, active FROM apikeys');
  t.deepEqual(rows, [{ id: 1, domain: 'a', username: 'u', apikey: 'k', active: false }]);
  t.is((await queryOn(url, TRIGGERS)).rows.length, 1);
});

test('the notice of a change holds nothing', (t) => {
  t.regex(ddl, /NOTIFY apikeys;/);
  t.notRegex(ddl, /pg_notify|NOTIFY apikeys,/i);
});
