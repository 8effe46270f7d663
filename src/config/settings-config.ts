import { isAbsolute, join } from 'node:path';
import { apiKeysOf } from './api-key-stores.ts';
import { authenticatorOf, timeoutOf } from './authenticators.ts';
import type {
  ApiKeysConfig,
  ClusterConfig,
  Config,
  NetworkConfig,
  PusuDoorConfig,
  TlsFiles,
} from './config.ts';
import type { DoorSettings, Settings } from './keys.ts';

/**
 * The configuration that checked settings stand for. `hostName` names a relay that has no name of its own; files are
 * relative to `folder`, that of the configuration file.
 */
export function configOf(settings: Settings, hostName: string, folder: string): Config {
  const { allowedChannels, relays, cluster, topics, network, admin, varDir, attach, limits, log } = settings;
  const { pusu, wspubsub, pinghub } = settings.doors;
  const apiKeys = apiKeysOf([settings.apikeys], folder);
  const door = (name: string, own: DoorSettings) =>
    doorOf(name, own, settings.authenticatorTimeout, apiKeys, folder);
  return {
    node: settings.node ?? defaultNode(hostName, network.port),
    authenticator: authenticatorOf(settings.authenticator, settings, apiKeys, 'authenticator', folder),
    authenticatorTimeout: timeoutOf(settings.authenticator, settings),
    apiKeys,
    allowedChannels,
    relays,
    cluster: clusterOf(cluster, folder),
    topics,
    doors: {
      pusu: pusu && door('pusu', pusu),
      wspubsub: wspubsub && {
        ...door('wspubsub', wspubsub),
        grace: wspubsub.grace,
        apiKeys: apiKeysOf([wspubsub.apikeys, settings.apikeys], folder),
      },
      pinghub: pinghub && {
        ...door('pinghub', pinghub),
        socket: pinghub.socket,
        metricsPort: pinghub.metricsPort,
      },
    },
    network: { ...network, tls: networkTlsOf(network.tls, folder) },
    admin,
    varDir: varDir === null || isAbsolute(varDir) ? varDir : join(folder, varDir),
    attach,
    limits,
    log,
  };
}

function doorOf(
  name: string,
  door: DoorSettings,
  relayTimeout: number,
  apiKeys: ApiKeysConfig,
  folder: string,
): PusuDoorConfig {
  const { host, port, realm, authenticator, origin, cookie, tls, trustedProxies, proxyProtocol } = door;
  const settings = { ...door, authenticatorTimeout: door.authenticatorTimeout ?? relayTimeout };
  return {
    host,
    port,
    realm,
    authenticator:
      authenticator === null
        ? null
        : authenticatorOf(authenticator, settings, apiKeys, `doors.${name}.authenticator`, folder),
    authenticatorTimeout: timeoutOf(authenticator ?? 'None', settings),
    origin,
    cookie,
    tls: tlsOf(tls, folder),
    trustedProxies,
    proxyProtocol,
  };
}

function tlsOf({ cert, key }: DoorSettings['tls'], folder: string): TlsFiles | null {
  return cert === null || key === null ? null : { cert: inFolder(cert, folder), key: inFolder(key, folder) };
}

function networkTlsOf({ cert, key, ca }: Settings['network']['tls'], folder: string): NetworkConfig['tls'] {
  const files = tlsOf({ cert, key }, folder);
  return files === null || ca === null ? null : { ...files, ca: inFolder(ca, folder) };
}

function clusterOf({ tls, credentials, ...cluster }: Settings['cluster'], folder: string): ClusterConfig {
  const { required, ca, cert, key } = tls;
  const file = (name: string | null) => (name === null ? null : inFolder(name, folder));
  return {
    ...cluster,
    credentials: file(credentials),
    tls: { required, ca: file(ca), cert: file(cert), key: file(key) },
  };
}

function inFolder(name: string, folder: string): string {
  return isAbsolute(name) ? name : join(folder, name);
}

/** Relays on one host differ by their network port. */
function defaultNode(hostName: string, networkPort: number): string {
  return networkPort === 55001 ? hostName : `${hostName}-${networkPort}`;
}
