import {
  apiKeysFrom,
  authenticatorFrom,
  type Plugins,
  withinChannels,
} from '../authenticator/authenticator-from.ts';
import { type AuthenticatorMessage, authenticatorServer } from '../authenticator/authenticator-server.ts';
import type { Authorisation } from '../authenticator/authorisation.ts';
import type { Authenticator } from '../authenticator/contract.ts';
import { AuthenticatorMeters, metered } from '../authenticator/metered.ts';
import { readEverything, restrict, union } from '../authenticator/permissions.ts';
import { StandingAnswers } from '../authenticator/standing.ts';
import type { Config } from '../config/config.ts';
import type { DoorContext, Guard } from '../connection/door-context.ts';
import type { Log } from '../log/log.ts';
import { type ChildSpec, worker } from '../otp/child-spec.ts';
import { processName } from '../otp/registry.ts';
import type { DoorSettings } from './doors.ts';

/** Milliseconds beyond an authenticator's own limit that a connection waits for its answer. */
const PATIENCE = 3000;

/** What was granted to whom, by the name of the authenticator's process. */
export type Standings = ReadonlyMap<string, StandingAnswers<Authorisation>>;

/** Which authenticator judges the clients of which door: one process for each, bound to the channels that are allowed. */
export class Guards {
  readonly specs: ChildSpec[] = [];
  /** For guards with other settings that follow these: with them, they ask again about all that these have granted. */
  readonly standings = new Map<string, StandingAnswers<Authorisation>>();
  readonly #config: Config;
  readonly #log: Log;
  readonly #plugins: Plugins;
  readonly #before: Standings;
  readonly #suffix: string;
  readonly #meters: AuthenticatorMeters;

  /** `generation`: part of the names, so that new authenticators can start while the old ones still answer. */
  constructor(
    config: Config,
    log: Log,
    plugins: Plugins,
    before: Standings = new Map(),
    generation = 0,
    meters = new AuthenticatorMeters(),
  ) {
    this.#meters = meters;
    this.#plugins = plugins;
    this.#before = before;
    this.#suffix = generation === 0 ? '' : `.${generation}`;
    this.#config = config;
    this.#log = log;
  }

  of(settings: DoorSettings): DoorContext['guards'] {
    const { door, realm } = settings;
    const patterns = realm === this.#config.doors.pusu?.realm ? this.#config.allowedChannels : null;
    const bound = (authenticator: Authenticator) =>
      patterns === null ? authenticator : withinChannels(authenticator, patterns);
    const { authenticator, authenticatorTimeout } = settings.authenticator === null ? this.#config : settings;
    const timeout = authenticatorTimeout;
    const own = authenticatorFrom(
      authenticator ?? this.#config.authenticator,
      timeout,
      this.#plugins,
      this.#log,
    );
    const guard = this.#guard(`authenticator.${door.name}`, bound(own), timeout);
    const readAll = patterns === null ? readEverything : restrict(readEverything, patterns);
    // Clients that came before a reload keep their guard object, into which the new settings are copied.
    const { anonymous, server, patience = timeout + PATIENCE } = guard;
    const isOpen = settings.openToSubscribers;
    return {
      authenticator: isOpen ? { anonymous: union(anonymous, readAll), server, patience } : guard,
      apikeys: this.#guard(
        `authenticator.${door.name}.apikeys`,
        bound(apiKeysFrom(settings.apiKeys, this.#log, settings.authenticatorTimeout)),
        settings.authenticatorTimeout,
      ),
      open: { anonymous: isOpen ? readAll : anonymous, server: null },
    };
  }

  #guard(name: string, authenticator: Authenticator, timeout: number): Guard {
    const id = name + this.#suffix;
    const server = processName<AuthenticatorMessage>(id);
    const meter = this.#meters.of(name.replace('authenticator.', ''), authenticator.name);
    const standing = this.#before.get(name) ?? new StandingAnswers<Authorisation>();
    this.standings.set(name, standing);
    const common = { authenticator: metered(authenticator, meter), log: this.#log.authenticator, timeout };
    // The answers of `None` are kept as well: after a reload another authenticator may judge the same clients.
    this.specs.push(worker(id, authenticatorServer, { ...common, standing }, { name: server }));
    const { anonymous, needs, asksAll } = authenticator;
    return {
      anonymous,
      server,
      ...(needs === undefined ? {} : { needs }),
      ...(asksAll === undefined ? {} : { asksAll }),
      patience: timeout + PATIENCE,
    };
  }
}
