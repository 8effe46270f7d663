import { withinChannels } from './authenticator/allowed-channels.ts';
import { apiKeysFrom } from './authenticator/api-keys/api-keys-from.ts';
import { authenticatorFrom } from './authenticator/authenticator-from.ts';
import { type AuthenticatorMessage, authenticatorServer } from './authenticator/authenticator-server.ts';
import type { Authenticator } from './authenticator/contract.ts';
import { AuthenticatorMeters, metered } from './authenticator/metered.ts';
import { readEverything, restrict } from './authenticator/permissions.ts';
import type { Config } from './config/config.ts';
import type { DoorContext, Guard } from './connection/door-context.ts';
import type { DoorSettings } from './doors.ts';
import type { Log } from './log.ts';
import { type ChildSpec, worker } from './otp/child-spec.ts';
import { processName } from './otp/registry.ts';

/** Which authenticator judges the clients of which door: one process for each, bound to the channels that are allowed. */
export class Guards {
  readonly specs: ChildSpec[] = [];
  readonly #config: Config;
  readonly #log: Log;
  readonly #suffix: string;
  readonly #meters: AuthenticatorMeters;

  /** `generation`: set apart by their names, those of a new configuration start while the old ones still answer. */
  constructor(config: Config, log: Log, generation = 0, meters = new AuthenticatorMeters()) {
    this.#meters = meters;
    this.#suffix = generation === 0 ? '' : `.${generation}`;
    this.#config = config;
    this.#log = log;
  }

  of(settings: DoorSettings): DoorContext['guards'] {
    const { door, realm } = settings;
    const patterns = realm === this.#config.doors.pusu?.realm ? this.#config.allowedChannels : null;
    const bound = (authenticator: Authenticator) =>
      patterns === null ? authenticator : withinChannels(authenticator, patterns);
    const own = authenticatorFrom(settings.authenticator ?? this.#config.authenticator);
    return {
      authenticator: this.#guard(`authenticator.${door.name}`, bound(own)),
      apikeys: this.#guard(
        `authenticator.${door.name}.apikeys`,
        bound(apiKeysFrom(settings.apiKeys, this.#log)),
      ),
      open: {
        anonymous: patterns === null ? readEverything : restrict(readEverything, patterns),
        server: null,
      },
    };
  }

  #guard(name: string, authenticator: Authenticator): Guard {
    const id = name + this.#suffix;
    const server = processName<AuthenticatorMessage>(id);
    const meter = this.#meters.of(name.replace('authenticator.', ''), authenticator.name);
    const args = { authenticator: metered(authenticator, meter), log: this.#log.authenticator };
    this.specs.push(worker(id, authenticatorServer, args, { name: server }));
    return { anonymous: authenticator.anonymous, server };
  }
}
