import { apiKeysFrom, authenticatorFrom, withinChannels } from '../authenticator/authenticator-from.ts';
import { type AuthenticatorMessage, authenticatorServer } from '../authenticator/authenticator-server.ts';
import type { Authorisation } from '../authenticator/authorisation.ts';
import type { Authenticator } from '../authenticator/contract.ts';
import { type AuthenticatorMeters, metered } from '../authenticator/metered.ts';
import { readEverything, restrict, union } from '../authenticator/permissions.ts';
import type { Plugins } from '../authenticator/plugin.ts';
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

/** Who judges the clients of which door: a process for each authenticator, bound to the channels that are allowed. */
export interface Guards {
  /** By the name of the door. */
  readonly of: ReadonlyMap<string, DoorContext['guards']>;
  readonly specs: readonly ChildSpec[];
  /** For the guards of a later configuration: they ask again about all that these have granted. */
  readonly standings: Standings;
}

export interface GuardOptions {
  readonly log: Log;
  readonly plugins: Plugins;
  readonly meters: AuthenticatorMeters;
  /** Of the guards before; empty: there were none. */
  readonly before: Standings;
  /** Part of the names, so that new authenticators can start while the old ones still answer. */
  readonly generation: number;
}

export function guardsOf(doors: readonly DoorSettings[], config: Config, options: GuardOptions): Guards {
  const { log, plugins, meters, before, generation } = options;
  const specs: ChildSpec[] = [];
  const standings = new Map<string, StandingAnswers<Authorisation>>();
  const guardOf = (guard: string, authenticator: Authenticator, timeout: number): Guard => {
    const name = `authenticator.${guard}`;
    const id = generation === 0 ? name : `${name}.${generation}`;
    const server = processName<AuthenticatorMessage>(id);
    const standing = before.get(name) ?? new StandingAnswers<Authorisation>();
    standings.set(name, standing);
    const meter = meters.of(guard, authenticator.name);
    const common = { authenticator: metered(authenticator, meter), log: log.authenticator, timeout };
    // The answers of `None` are kept as well: after a reload another authenticator may judge the same clients.
    specs.push(worker(id, authenticatorServer, { ...common, standing }, { name: server }));
    const { anonymous, needs, asksAll } = authenticator;
    return {
      anonymous,
      server,
      ...(needs === undefined ? {} : { needs }),
      ...(asksAll === undefined ? {} : { asksAll }),
      patience: timeout + PATIENCE,
    };
  };
  const of = doors.map(({ door: { name }, realm, openToSubscribers: isOpen, apiKeys, ...own }) => {
    const patterns = realm === config.doors.pusu?.realm ? config.allowedChannels : null;
    const bound = (authenticator: Authenticator) =>
      patterns === null ? authenticator : withinChannels(authenticator, patterns);
    const timeout = (own.authenticator === null ? config : own).authenticatorTimeout;
    const judge = authenticatorFrom(own.authenticator ?? config.authenticator, timeout, plugins, log);
    const guard = guardOf(name, bound(judge), timeout);
    const ofKeys = bound(apiKeysFrom(apiKeys, log, own.authenticatorTimeout));
    const apikeys = guardOf(`${name}.apikeys`, ofKeys, own.authenticatorTimeout);
    const readAll = patterns === null ? readEverything : restrict(readEverything, patterns);
    // Clients that came before a reload keep their guard object, into which the new settings are copied.
    const { anonymous, server, patience = timeout + PATIENCE } = guard;
    const authenticator = isOpen ? { anonymous: union(anonymous, readAll), server, patience } : guard;
    const open = { anonymous: isOpen ? readAll : anonymous, server: null };
    return [name, { authenticator, apikeys, open }] as const;
  });
  return { of: new Map(of), specs, standings };
}
