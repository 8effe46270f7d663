import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileKeyStore } from '../authenticator/api-keys/file-key-store.ts';
import { type KeyRow, type KeyStore, type NewKey, StoreFault } from '../authenticator/api-keys/key-store.ts';
import { postgresKeyStore } from '../authenticator/api-keys/postgres-key-store.ts';
import type { ApiKeysConfig } from '../config/api-keys.ts';
import { audited } from './audit.ts';
import { argumentsIn, BadUsage, type Command, DONE, FAILED, Failed, type Place } from './command.ts';
import { faultOf, parseKeyCsv } from './key-csv.ts';
import { folderOf, load } from './node-options.ts';

/** Looks after the keys of wspubsub's publishers, in the store of the configuration. */
export const apikeyCommand: Command = {
  usage: [
    'apikey add DOMAIN [USERNAME] [--replace] [--config FILE]',
    'apikey list [--config FILE]',
    'apikey revoke DOMAIN [--config FILE]',
    'apikey import FILE.csv [--replace] [--config FILE]',
  ],
  async run(args, place) {
    const { name, action, operands, options } = parsed(args);
    const { config, file } = load({ config: options.config, set: options.set ?? [] }, place);
    try {
      const store = await storeOf(config.doors.wspubsub?.apiKeys ?? config.apiKeys, file);
      try {
        const run = () => action.run({ ...place, store, operands, replace: options.replace ?? false });
        if (action.changes)
          await audited(folderOf(config, file), place, ['apikey', name, ...operands].join(' '), run);
        else await run();
        return DONE;
      } finally {
        await store.close();
      }
    } catch (error) {
      throw error instanceof StoreFault ? new Failed(FAILED, error.message) : error;
    }
  },
};

/** What is asked of a store. */
interface Asked extends Place {
  readonly store: KeyStore;
  readonly operands: readonly string[];
  readonly replace: boolean;
}

interface Action {
  /** How many operands it takes, at least and at most. */
  readonly arity: readonly [least: number, most: number];
  readonly replaces: boolean;
  readonly changes: boolean;
  run(asked: Asked): Promise<void>;
}

const actions: ReadonlyMap<string, Action> = new Map([
  ['add', { arity: [1, 2], replaces: true, changes: true, run: add }],
  ['list', { arity: [0, 0], replaces: false, changes: false, run: list }],
  ['revoke', { arity: [1, 1], replaces: false, changes: true, run: revoke }],
  ['import', { arity: [1, 1], replaces: true, changes: true, run: importKeys }],
]);

function parsed(args: readonly string[]) {
  const { values, positionals } = argumentsIn(args, {
    config: { type: 'string' },
    set: { type: 'string', multiple: true },
    replace: { type: 'boolean' },
  });
  const [name = '', ...operands] = positionals;
  const action = actions.get(name);
  if (action === undefined) throw new BadUsage();
  const [least, most] = action.arity;
  if (operands.length < least || operands.length > most) throw new BadUsage();
  if (values.replace && !action.replaces) throw new BadUsage('--replace is for add and import');
  return { name, action, operands, options: values };
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

async function add({ store, operands: [domain = '', username], replace, out, err }: Asked): Promise<void> {
  const added: NewKey = { domain, username: username ?? null, key: randomUUID() };
  const why = faultOf(added);
  if (why !== null) throw new StoreFault(`expected ${why}`);
  const result = await store.put([added], replace);
  if (!result.ok) throw new StoreFault(`${domain} has a key; --replace puts another one in its place`);
  err('the key, which is shown this once:');
  out(added.key);
}

async function list({ store, out }: Asked): Promise<void> {
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
}

async function revoke({ store, operands: [domain = ''], out }: Asked): Promise<void> {
  if (!(await store.revoke(domain))) throw new StoreFault(`${domain} has no key`);
  out(`the key of ${domain} is revoked`);
}

async function importKeys({ store, operands: [file = ''], replace, out }: Asked): Promise<void> {
  const result = parseKeyCsv(textOf(file));
  if (!result.ok) throw new Failed(FAILED, ...result.faults.map((fault) => `${file}: expected ${fault}`));
  const { keys, inactive } = result;
  const put = await store.put(keys, replace);
  if (!put.ok) {
    const taken = put.taken.map(
      (domain) => `${domain} has another key; --replace puts this one in its place`,
    );
    throw new Failed(FAILED, ...taken, 'nothing was imported');
  }
  out(`${put.written} imported, ${put.unchanged} there already, ${inactive} not active and left out`);
}

function textOf(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new StoreFault(`${file} cannot be read (${code})`);
  }
}
