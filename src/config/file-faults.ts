import { X509Certificate } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { embeddedIn } from './api-key-stores.ts';
import type { AuthenticatorConfig, Config } from './config.ts';
import type { ConfigError, Place } from './config-error.ts';
import { type FileText, readTextFile, whyNot } from './text-file.ts';
import { readTls } from './tls-files.ts';

type Fault = readonly [key: string, expected: string];

/** What is wrong with the files that a configuration names: an error now is better than a relay that is half of one. */
export interface FileFaults {
  readonly errors: readonly ConfigError[];
  readonly warnings: readonly ConfigError[];
}

/** `top` is the place of what stands nowhere. Never quotes a file. */
export function fileFaults(config: Config, places: ReadonlyMap<string, Place>, top: Place): FileFaults {
  const placed = ([key, expected]: Fault): ConfigError => ({ ...(places.get(key) ?? top), key, expected });
  const faults = [
    ...tlsFaults(config),
    ...natsFaults(config),
    ...jwksFaults(config),
    ...pluginFaults(config),
    ...logFaults(config),
  ];
  const [errors, warnings] = apiKeyFaults(config, dirname(top.file));
  return { errors: [...faults, ...errors].map(placed), warnings: warnings.map(placed) };
}

/** Those of doors, and of links between relays. */
function tlsFaults({ doors, network }: Config): Fault[] {
  const pairs = Object.entries(doors).map(
    ([name, door]) => [`doors.${name}.tls`, door?.tls ?? null] as const,
  );
  const faults = [...pairs, ['network.tls', network.tls] as const].flatMap(([key, files]): Fault[] => {
    const result = files === null ? null : readTls(files);
    return result === null || !('expected' in result) ? [] : [[`${key}.${result.file}`, result.expected]];
  });
  return network.tls === null ? faults : [...faults, ...authorityFaults('network.tls.ca', network.tls.ca)];
}

/** A server of NATS that cannot be reached may come; a file that is not there will not. */
function natsFaults({ cluster }: Config): Fault[] {
  const { backplane, credentials, tls } = cluster;
  if (backplane !== 'nats') return [];
  const faults: Fault[] = [];
  if (credentials !== null) {
    const wanted = 'a file of credentials (.creds)';
    const isGood = (text: string) =>
      /^-+BEGIN NATS USER JWT-+\s/m.test(text) && /^-+BEGIN USER NKEY SEED-+\s/m.test(text);
    faults.push(...textFaults('cluster.credentials', credentials, wanted, isGood));
  }
  if (tls.ca !== null) faults.push(...authorityFaults('cluster.tls.ca', tls.ca));
  if (tls.cert !== null && tls.key !== null) {
    const result = readTls({ cert: tls.cert, key: tls.key });
    if ('expected' in result) faults.push([`cluster.tls.${result.file}`, result.expected]);
  }
  return faults;
}

function jwksFaults({ authenticator, doors }: Config): Fault[] {
  const faultsOf = (key: string, one: AuthenticatorConfig | null | undefined): Fault[] =>
    one?.name === 'JWT' && one.jwks !== null && 'file' in one.jwks
      ? textFaults(key, one.jwks.file, 'a file with a JSON Web Key Set', isKeySet)
      : [];
  return [
    ...faultsOf('jwt.jwks', authenticator),
    ...Object.entries(doors).flatMap(([name, door]) =>
      faultsOf(`doors.${name}.jwt.jwks`, door?.authenticator),
    ),
  ];
}

/** Only whether they are there: their code is not run before the configuration is found good. */
function pluginFaults({ authenticator, doors }: Config): Fault[] {
  return [authenticator, ...Object.values(doors).map((door) => door?.authenticator)].flatMap(
    (one): Fault[] => {
      if (one?.name !== 'Plugin') return [];
      const path = resolve(one.file);
      try {
        accessSync(path, constants.R_OK);
        return [];
      } catch {
        return [[one.key, `the path of a plugin; there is no ${path} that we can read`]];
      }
    },
  );
}

/** The command `apikey` makes the file: one that is missing is no fault, and without a name of its own not even odd. */
function apiKeyFaults(
  { apiKeys, doors }: Config,
  folder: string,
): readonly [errors: Fault[], warnings: Fault[]] {
  const errors: Fault[] = [];
  const warnings: Fault[] = [];
  const seen = new Set([embeddedIn(folder)]);
  const stores = [
    ['apikeys.file', apiKeys],
    ['doors.wspubsub.apikeys.file', doors.wspubsub?.apiKeys],
  ] as const;
  for (const [key, store] of stores) {
    if (store?.store !== 'file' || seen.has(store.file)) continue;
    seen.add(store.file);
    const read = readTextFile(store.file);
    if ('text' in read) continue;
    (read.missing ? warnings : errors).push([key, `a file with API keys; ${read.why}`]);
  }
  return [errors, warnings];
}

/** The folder is made at start, as deep as need be. */
function logFaults({ log: { file } }: Config): Fault[] {
  if (file === null) return [];
  try {
    const at = statSync(file, { throwIfNoEntry: false });
    if (at?.isDirectory()) return [['log.file', 'the path of a file to write; this is a directory']];
    // Within a file there is no folder: some versions of Node say so here, and others that nothing is there.
    const written = at === undefined ? `${standing(dirname(file))}/` : file;
    accessSync(written, constants.W_OK);
    return [];
  } catch (error) {
    return [['log.file', `the path of a file to write; ${whyNot(error, 'writing')}`]];
  }
}

/** The first folder upwards that is there. */
function standing(folder: string): string {
  const above = dirname(folder);
  return above === folder || statSync(folder, { throwIfNoEntry: false }) !== undefined
    ? folder
    : standing(above);
}

function authorityFaults(key: string, file: string): Fault[] {
  return textFaults(key, file, 'a file with a certificate in PEM', isCertificate);
}

function textFaults(key: string, file: string, wanted: string, isGood: (text: string) => boolean): Fault[] {
  const read: FileText = readTextFile(file);
  if ('why' in read) return [[key, `${wanted}; ${read.why}`]];
  return isGood(read.text) ? [] : [[key, wanted]];
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text) !== undefined;
  } catch {
    return false;
  }
}

function isKeySet(text: string): boolean {
  try {
    const set: unknown = JSON.parse(text);
    return typeof set === 'object' && set !== null && 'keys' in set && Array.isArray(set.keys);
  } catch {
    return false;
  }
}
