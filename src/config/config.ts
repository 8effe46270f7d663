import { isAbsolute, join } from 'node:path';
import { type ApiKeyStores, type ApiKeysConfig, apiKeysOf } from './api-keys.ts';
import {
  type AuthenticatorConfig,
  type AuthenticatorSettings,
  authenticatorKeys,
  authenticatorOf,
  timeoutOf,
} from './authenticators.ts';
import { type DoorSettings, doorNames, type Settings } from './keys.ts';
import { camelCase } from './section.ts';

/**
 * The relay's configuration as the rest of the code sees it: complete (every default filled in), typed, and in plain
 * units: sizes in bytes, times in milliseconds. Where a limit may be switched off, 0 means none. What is in the table of
 * keys comes here by itself; only what has to be looked at together, or is the name of a file, is worked out.
 */
export interface Config
  extends Pick<
    Settings,
    'allowedChannels' | 'relays' | 'cluster' | 'topics' | 'history' | 'admin' | 'attach' | 'limits' | 'log'
  > {
  /** Name of this relay in its network; the host name unless set. */
  readonly node: string;
  /** The authenticator of every door that names none of its own. */
  readonly authenticator: AuthenticatorConfig;
  /** Milliseconds that an authenticator's answer may take. */
  readonly authenticatorTimeout: number;
  /** Where the keys of publishers are, for a door that names no store of its own. */
  readonly apiKeys: ApiKeysConfig;
  readonly doors: Doors;
  readonly network: NetworkConfig;
  readonly varDir: string | null;
}

/** What holds for the topics that a pattern matches. */
export type TopicRule = Settings['topics'][number];
export type Limits = Settings['limits'];
export type LogConfig = Settings['log'];

/** A door that is off is null. */
export type Doors = {
  readonly [Name in keyof Settings['doors']]: DoorOf<NonNullable<Settings['doors'][Name]>> | null;
};

/** What every door is set up by. */
export type DoorConfig = DoorOf<DoorSettings>;

/** A door's settings as they are in the table, but for those that its authenticator is made of. */
type DoorOf<Written extends DoorSettings> = Omit<Written, WorkedOut | 'apikeys'> & {
  /** Null: the relay's. */
  readonly authenticator: AuthenticatorConfig | null;
  /** Milliseconds that the answer of its own authenticator may take. */
  readonly authenticatorTimeout: number;
  /** Null: the door speaks plain TCP. */
  readonly tls: TlsFiles | null;
} & (Written extends { readonly apikeys: ApiKeyStores } ? { readonly apiKeys: ApiKeysConfig } : unknown);
type WorkedOut = keyof AuthenticatorSettings | 'authenticator' | 'tls';

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate, and those between it and a root. */
  readonly cert: string;
  readonly key: string;
}

/** Where other relays connect, and how relays are linked. */
export interface NetworkConfig extends Omit<Settings['network'], 'tls'> {
  /** Both sides show a certificate of the authority `ca`; null: links are not TLS. */
  readonly tls: (TlsFiles & { readonly ca: string }) | null;
}

/**
 * The configuration that checked settings stand for. `hostName` names a relay that has no name of its own; files are
 * relative to `folder`, that of the configuration file.
 */
export function configOf(settings: Settings, hostName: string, folder: string): Config {
  const { allowedChannels, relays, cluster, topics, history, network, admin } = settings;
  const { varDir, attach, limits, log } = settings;
  const apiKeys = apiKeysOf([settings.apikeys], folder);
  const door = (name: (typeof doorNames)[number]) => {
    const written = settings.doors[name];
    if (written === null) return null;
    const timeout = written.authenticatorTimeout ?? settings.authenticatorTimeout;
    const own = { ...written, authenticatorTimeout: timeout };
    const key = `doors.${name}.authenticator`;
    const worked = {
      ...own,
      authenticator: own.authenticator && authenticatorOf(own.authenticator, own, apiKeys, key, folder),
      authenticatorTimeout: timeoutOf(own.authenticator ?? 'None', own),
      tls: tlsOf(own.tls, folder),
      ...('apikeys' in own ? { apiKeys: apiKeysOf([own.apikeys, settings.apikeys], folder) } : {}),
    };
    return Object.fromEntries(Object.entries(worked).filter(([part]) => !workedIn.has(part)));
  };
  return {
    node: settings.node ?? defaultNode(hostName, network.port),
    authenticator: authenticatorOf(settings.authenticator, settings, apiKeys, 'authenticator', folder),
    authenticatorTimeout: timeoutOf(settings.authenticator, settings),
    apiKeys,
    allowedChannels,
    relays,
    cluster: clusterOf(cluster, folder),
    topics,
    history,
    doors: Object.fromEntries(doorNames.map((name) => [name, door(name)])) as unknown as Doors,
    network: { ...network, tls: networkTlsOf(network.tls, folder) },
    admin,
    varDir: inFolder(varDir, folder),
    attach,
    limits,
    log,
  };
}

/** What the authenticator and the store of keys have been made of. */
const workedIn = new Set([...Object.keys(authenticatorKeys()).map(camelCase), 'apikeys']);

/** Every authenticator, with what its keys stand below: nothing, or `doors.pusu.`. */
export function authenticatorsOf({
  authenticator,
  doors,
}: Config): (readonly [string, AuthenticatorConfig])[] {
  const own = Object.entries(doors).flatMap(([name, door]) =>
    door?.authenticator ? [[`doors.${name}.`, door.authenticator] as const] : [],
  );
  return [['', authenticator], ...own];
}

/** The certificates of doors that speak TLS, with the door's key. */
export function doorTls({ doors }: Config): (readonly [string, TlsFiles])[] {
  return Object.entries(doors).flatMap(([name, door]) =>
    door?.tls ? [[`doors.${name}.tls`, door.tls] as const] : [],
  );
}

function tlsOf({ cert, key }: DoorSettings['tls'], folder: string): TlsFiles | null {
  return cert === null || key === null ? null : { cert: inFolder(cert, folder), key: inFolder(key, folder) };
}

function networkTlsOf({ cert, key, ca }: Settings['network']['tls'], folder: string): NetworkConfig['tls'] {
  const files = tlsOf({ cert, key }, folder);
  return files === null || ca === null ? null : { ...files, ca: inFolder(ca, folder) };
}

function clusterOf({ tls, credentials, ...cluster }: Settings['cluster'], folder: string): Config['cluster'] {
  const { required, ca, cert, key } = tls;
  return {
    ...cluster,
    credentials: inFolder(credentials, folder),
    tls: { required, ca: inFolder(ca, folder), cert: inFolder(cert, folder), key: inFolder(key, folder) },
  };
}

function inFolder<Name extends string | null>(name: Name, folder: string): Name | string {
  return name === null || isAbsolute(name) ? name : join(folder, name);
}

/** Relays on one host differ by their network port. */
function defaultNode(hostName: string, networkPort: number): string {
  return networkPort === 55001 ? hostName : `${hostName}-${networkPort}`;
}
