-- The table of wspubsub's API keys, and the trigger that tells running relays of every change.
--
--   psql --single-transaction --set=ON_ERROR_STOP=1 --file=rel/sql/apikeys.sql DATABASE
--
-- It may run again at any time, and on a table that is there already: that one keeps its rows and gets what it lacks.
-- A row is a dead key unless it says active = true, as active is false by default: "bin/fanfare apikey add"
-- makes active ones. A relay itself needs SELECT on the table and nothing more.

SET client_min_messages = warning;

CREATE SEQUENCE IF NOT EXISTS apikeys_id_seq AS integer;

CREATE TABLE IF NOT EXISTS apikeys (
  id integer NOT NULL DEFAULT nextval('apikeys_id_seq'::regclass),
  domain varchar(64) NOT NULL,
  username varchar(254) NOT NULL,
  apikey varchar(36) NOT NULL,
  insert_ts timestamp NOT NULL DEFAULT now(),
  active boolean NOT NULL DEFAULT false,
  CONSTRAINT apikeys_pkey PRIMARY KEY (id)
);

-- The primary key has an index of its own, apikeys_pkey.
CREATE UNIQUE INDEX IF NOT EXISTS unique_id ON apikeys (id);
CREATE UNIQUE INDEX IF NOT EXISTS unique_domain ON apikeys (domain);
CREATE UNIQUE INDEX IF NOT EXISTS unique_apikey ON apikeys (apikey);

-- The notice is empty: whoever may connect may listen, and is to learn of no key.
CREATE OR REPLACE FUNCTION apikeys_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NOTIFY apikeys;
  RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS apikeys_changed ON apikeys;
CREATE TRIGGER apikeys_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON apikeys
  FOR EACH STATEMENT EXECUTE PROCEDURE apikeys_changed();
