import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileKeyStore } from '../authenticator/api-keys/file-key-store.ts';
import { type KeyRow, type KeyStore, type NewKey, StoreFault } from '../authenticator/api-keys/key-store.ts';
import { postgresKeyStore } from '../authenticator/api-keys/postgres-key-store.ts';
import type { ApiKeysConfig } from '../config/api-keys.ts';
import { argumentsIn, BadUsage, type Command, DONE, FAILED, type Place } from './command.ts';
import { faultOf, parseKeyCsv } from './key-csv.ts';
import { load } from './node-options.ts';

/** Looks after the keys of wspubsub's publishers, in the store of the configuration. */
export const apikeyCommand: Command = {
  usage: [
    'apikey add DOMAIN [USERNAME] [--replace] [--config FILE]',
    'apikey list [--config FILE]',
    'apikey revoke DOMAIN [--config FILE]',
    'apikey import FILE.csv [--replace] [--config FILE]',
  ],
  async run(args, place) {
    const { action, operands, options } = parsed(args);
    const loaded = load({ config: options.config, set: options.set ?? [] }, place);
    const { doors, apiKeys } = loaded.config;
    try {
      const store = await storeOf(doors.wspubsub?.apiKeys ?? apiKeys, loaded.file);
      try {
        return await actions[action](store, operands, options.replace ?? false, place);
      } finally {
        await store.close();
      }
    } catch (error) {
      if (!(error instanceof StoreFault)) throw error;
      place.err(error.message);
      return FAILED;
    }
  },
};

type Action = (
  store: KeyStore,
  operands: readonly string[],
  replace: boolean,
  place: Place,
) => Promise<number>;

const actions = { add, list, revoke, import: importKeys } satisfies Record<string, Action>;

/** How many operands each action takes, at least and at most. */
const arity: Readonly<Record<keyof typeof actions, readonly [number, number]>> = {
  add: [1, 2],
  list: [0, 0],
  revoke: [1, 1],
  import: [1, 1],
};

function parsed(args: readonly string[]) {
  const { values, positionals } = argumentsIn(args, {
    config: { type: 'string' },
    set: { type: 'string', multiple: true },
    replace: { type: 'boolean' },
  });
  const [name, ...operands] = positionals;
  const action = (Object.keys(actions) as (keyof typeof actions)[]).find((each) => each === name);
  if (action === undefined) throw new BadUsage();
  const [least, most] = arity[action];
  if (operands.length < least || operands.length > most) throw new BadUsage();
  if (values.replace && action !== 'add' && action !== 'import') {
    throw new BadUsage(`--replace is for add and import`);
  }
  return { action, operands, options: values };
}

function storeOf(config: ApiKeysConfig, configFile: string): Promise<KeyStore> {
  switch (config.store) {
    case 'list':
      throw new StoreFault(`the keys are in ${configFile} itself, under apikeys.list: change them there`);
    case 'file':
      return Promise.resolve(fileKeyStore(config.file, configFile));
    case 'postgres':
      return postgresKeyStore(config.url);
  }
}

async function add(
  store: KeyStore,
  [domain = '', username]: readonly string[],
  replace: boolean,
  { out, err }: Place,
): Promise<number> {
  const added: NewKey = { domain, username: username ?? null, key: randomUUID() };
  const why = faultOf(added);
  if (why !== null) throw new StoreFault(`expected ${why}`);
  const result = await store.put([added], replace);
  if (!result.ok) {
    err(`${domain} has a key; --replace puts another one in its place`);
    return FAILED;
  }
  err('the key, which is shown this once:');
  out(added.key);
  return DONE;
}

async function list(store: KeyStore, _: readonly string[], __: boolean, { out }: Place): Promise<number> {
  const rows = (await store.list()).map(({ domain, username, created, active }: KeyRow) => [
    domain,
    username,
    created,
    active ? 'active' : 'revoked',
  ]);
  const table = [['DOMAIN', 'USERNAME', 'CREATED', 'STATE'], ...rows];
  const widths = [0, 1, 2].map((column) =>
    table.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
  for (const row of table) {
    out(row.map((cell, column) => cell.replace(/\p{Cc}/gu, '?').padEnd(widths[column] ?? 0)).join('  '));
  }
  return DONE;
}

async function revoke(
  store: KeyStore,
  [domain = '']: readonly string[],
  _: boolean,
  { out, err }: Place,
): Promise<number> {
  if (await store.revoke(domain)) {
    out(`the key of ${domain} is revoked`);
    return DONE;
  }
  err(`${domain} has no key`);
  return FAILED;
}

async function importKeys(
  store: KeyStore,
  [file = '']: readonly string[],
  replace: boolean,
  { out, err }: Place,
): Promise<number> {
  const result = parseKeyCsv(textOf(file));
  if (!result.ok) {
    for (const fault of result.faults) err(`${file}: expected ${fault}`);
    return FAILED;
  }
  const { keys, inactive } = result;
  const put = await store.put(keys, replace);
  if (!put.ok) {
    for (const domain of put.taken) err(`${domain} has another key; --replace puts this one in its place`);
    err('nothing was imported');
    return FAILED;
  }
  out(`${put.written} imported, ${put.unchanged} there already, ${inactive} not active and left out`);
  return DONE;
}

function textOf(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new StoreFault(`${file} cannot be read (${code})`);
  }
}
