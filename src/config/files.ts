import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { embeddedIn } from './api-keys.ts';
import { authenticatorsOf, type Config, doorTls, type TlsFiles } from './config.ts';
import type { ConfigError } from './config-error.ts';
import type { FileText, Place } from './value.ts';
import { longestText } from './yaml.ts';

/** `doing`: `reading`. */
function whyNot(error: unknown, doing: string): string {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'there is no file of this name';
    case 'EISDIR':
      return 'this is a directory';
    case 'EACCES':
    case 'EPERM':
      return `${doing} it is not permitted`;
    default:
      return `${doing} it failed with ${codeOf(error)}`;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

/**
 * At most a little more than a configuration may hold, so that a device or a log named by mistake is not read whole.
 */
export function readTextFile(path: string): FileText {
  const buffer = Buffer.alloc(longestText * 3);
  let length = 0;
  try {
    const descriptor = openSync(path, 'r');
    try {
      for (let read = -1; read !== 0 && length < buffer.length; length += read) {
        read = readSync(descriptor, buffer, length, buffer.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const why = whyNot(error, 'reading');
    return codeOf(error) === 'ENOENT' ? { why, missing: true } : { why };
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length)) };
  } catch {
    return { why: 'it is no text in UTF-8' };
  }
}

/** What is wrong with the certificate or the key. Never quotes the files. */
interface TlsFault {
  readonly file: 'cert' | 'key';
  readonly expected: string;
}

/** A certificate with those between it and a root, and its key: texts in PEM that go together. */
interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** A door's certificate and key, as they are in the files now, or the first thing that is wrong with them. */
export function readTls({ cert, key }: TlsFiles): TlsPair | TlsFault {
  const certFile = readTextFile(cert);
  if ('why' in certFile) return { file: 'cert', expected: `a certificate; ${certFile.why}` };
  const certificate = attempt(() => new X509Certificate(certFile.text));
  if (certificate === null) return { file: 'cert', expected: 'a file with a certificate in PEM' };
  const keyFile = readTextFile(key);
  if ('why' in keyFile) return { file: 'key', expected: `a private key; ${keyFile.why}` };
  const privateKey: KeyObject | null = attempt(() => createPrivateKey(keyFile.text));
  if (privateKey === null) {
    return { file: 'key', expected: 'a file with a private key in PEM, without a passphrase' };
  }
  if (!certificate.checkPrivateKey(privateKey))
    return { file: 'key', expected: 'the key of the certificate' };
  const pair = { cert: certFile.text, key: keyFile.text };
  if (attempt(() => createSecureContext(pair)) === null) {
    return { file: 'cert', expected: 'a certificate that is strong enough for TLS, in one chain' };
  }
  return pair;
}

function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}

type Fault = readonly [key: string, expected: string];

/** What is wrong with the files that a configuration names: an error now is better than a relay that is half of one. */
interface FileFaults {
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
function tlsFaults(config: Config): Fault[] {
  const links = config.network.tls;
  const pairs = [...doorTls(config), ...(links === null ? [] : [['network.tls', links] as const])];
  const faults = pairs.flatMap(([key, files]) => pairFaults(key, files));
  return links === null ? faults : [...faults, ...authorityFaults('network.tls.ca', links.ca)];
}

function pairFaults(key: string, files: TlsFiles): Fault[] {
  const result = readTls(files);
  return 'expected' in result ? [[`${key}.${result.file}`, result.expected]] : [];
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
  if (tls.cert !== null && tls.key !== null)
    faults.push(...pairFaults('cluster.tls', { cert: tls.cert, key: tls.key }));
  return faults;
}

function jwksFaults(config: Config): Fault[] {
  return authenticatorsOf(config).flatMap(([above, one]) =>
    one.name === 'JWT' && one.jwks !== null && 'file' in one.jwks
      ? textFaults(`${above}jwt.jwks`, one.jwks.file, 'a file with a JSON Web Key Set', isKeySet)
      : [],
  );
}

/** Only whether they are there: their code is not run before the configuration is found good. */
function pluginFaults(config: Config): Fault[] {
  return authenticatorsOf(config).flatMap(([, one]): Fault[] => {
    if (one.name !== 'Plugin') return [];
    const path = resolve(one.file);
    try {
      accessSync(path, constants.R_OK);
      return [];
    } catch {
      return [[one.key, `the path of a plugin; there is no ${path} that we can read`]];
    }
  });
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
