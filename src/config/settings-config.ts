import { authenticatorOf } from './authenticators.ts';
import type { AuthenticatorConfig, Config } from './config.ts';
import type { DoorSettings, Settings } from './keys.ts';

/** The configuration that checked settings stand for; `hostName` names a relay that has no name of its own. */
export function configOf(settings: Settings, hostName: string): Config {
  const { allowedChannels, relays, network, admin, varDir, attach, limits, log } = settings;
  const { pusu, wspubsub, pinghub } = settings.doors;
  return {
    node: settings.node ?? defaultNode(hostName, network.port),
    authenticator: authenticatorOf(settings.authenticator, settings),
    allowedChannels,
    relays,
    doors: {
      pusu: pusu && doorOf(pusu),
      wspubsub: wspubsub && { ...doorOf(wspubsub), grace: wspubsub.grace, apiKeys: wspubsub.apikeys.list },
      pinghub: pinghub && {
        ...doorOf(pinghub),
        origin: pinghub.origin,
        socket: pinghub.socket,
        metricsPort: pinghub.metricsPort,
      },
    },
    network,
    admin,
    varDir,
    attach,
    limits,
    log,
  };
}

interface DoorBase {
  readonly host: string;
  readonly port: number;
  readonly realm: string;
  readonly authenticator: AuthenticatorConfig | null;
}

function doorOf(door: DoorSettings): DoorBase {
  const { host, port, realm, authenticator } = door;
  return {
    host,
    port,
    realm,
    authenticator: authenticator === null ? null : authenticatorOf(authenticator, door),
  };
}

/** Relays on one host differ by their network port. */
function defaultNode(hostName: string, networkPort: number): string {
  return networkPort === 55001 ? hostName : `${hostName}-${networkPort}`;
}
