import { isAbsolute, join } from 'node:path';
import { apiKeysOf } from './api-key-stores.ts';
import { authenticatorOf, timeoutOf } from './authenticators.ts';
import type { Config, PusuDoorConfig, TlsFiles } from './config.ts';
import type { DoorSettings, Settings } from './keys.ts';

/**
 * The configuration that checked settings stand for. `hostName` names a relay that has no name of its own; files are
 * relative to `folder`, that of the configuration file.
 */
export function configOf(settings: Settings, hostName: string, folder: string): Config {
  const { allowedChannels, relays, network, admin, varDir, attach, limits, log } = settings;
  const { pusu, wspubsub, pinghub } = settings.doors;
  const door = (name: string, own: DoorSettings) => doorOf(name, own, settings.authenticatorTimeout, folder);
  return {
    node: settings.node ?? defaultNode(hostName, network.port),
    authenticator: authenticatorOf(settings.authenticator, settings, 'authenticator', folder),
    authenticatorTimeout: timeoutOf(settings.authenticator, settings),
    apiKeys: apiKeysOf([settings.apikeys], folder),
    allowedChannels,
    relays,
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
    network,
    admin,
    varDir: varDir === null || isAbsolute(varDir) ? varDir : join(folder, varDir),
    attach,
    limits,
    log,
  };
}

function doorOf(name: string, door: DoorSettings, relayTimeout: number, folder: string): PusuDoorConfig {
  const { host, port, realm, authenticator, origin, tls, trustedProxies, proxyProtocol } = door;
  const settings = { ...door, authenticatorTimeout: door.authenticatorTimeout ?? relayTimeout };
  return {
    host,
    port,
    realm,
    authenticator:
      authenticator === null
        ? null
        : authenticatorOf(authenticator, settings, `doors.${name}.authenticator`, folder),
    authenticatorTimeout: timeoutOf(authenticator ?? 'None', settings),
    origin,
    tls: tlsOf(tls, folder),
    trustedProxies,
    proxyProtocol,
  };
}

function tlsOf({ cert, key }: DoorSettings['tls'], folder: string): TlsFiles | null {
  const path = (name: string): string => (isAbsolute(name) ? name : join(folder, name));
  return cert === null || key === null ? null : { cert: path(cert), key: path(key) };
}

/** Relays on one host differ by their network port. */
function defaultNode(hostName: string, networkPort: number): string {
  return networkPort === 55001 ? hostName : `${hostName}-${networkPort}`;
}
