import type { WebSocketServer } from 'ws';
import { type DrainerArgs, drainer } from '../acceptor/drainer.ts';
import type { Gate } from '../acceptor/gate.ts';
import { type Edge, type ListenerArgs, type ListenerMessage, listener } from '../acceptor/listener.ts';
import { metricsListener } from '../acceptor/metrics-listener.ts';
import type { Plugins } from '../authenticator/authenticator-from.ts';
import { AuthenticatorMeters } from '../authenticator/metered.ts';
import { isEmpty } from '../authenticator/permissions.ts';
import type { Config, Limits } from '../config/config.ts';
import { readTls } from '../config/tls-files.ts';
import type { DoorContext } from '../connection/door-context.ts';
import { newDoorCounters } from '../connection/door-counters.ts';
import type { DoorView } from '../console/relay-view.ts';
import type { Log } from '../log/log.ts';
import { type ChildSpec, worker } from '../otp/child-spec.ts';
import { addChild, removeChild } from '../otp/children.ts';
import { type ProcessName, processName, sendNamed } from '../otp/registry.ts';
import type { SupervisorMessage } from '../otp/supervisor.ts';
import type { System } from '../otp/system.ts';
import type { Reloadable } from '../reload/reload.ts';
import type { Topics } from '../topic/topics.ts';
import { type DoorSettings, doorSettings } from './doors.ts';
import { Guards, type Standings } from './guards.ts';
import { isOf, tellOfGuards } from './open-connections.ts';

/**
 * The doors that are open, and how they change while the relay runs. What all connections of a door share is one
 * object, which is changed in place: who reads a limit from it at the time of need has the new one at once.
 */
export interface OpenDoorsOptions {
  readonly system: System;
  readonly acceptor: ProcessName<SupervisorMessage>;
  readonly authenticators: ProcessName<SupervisorMessage>;
  readonly topics: Topics;
  readonly gate: Gate;
  readonly log: Log;
  readonly newWebSocketServer: (limits: Limits) => WebSocketServer;
  readonly startHandler: ListenerArgs['startHandler'];
  /** For the connections of a door that closes. */
  readonly drainerArgs: Omit<DrainerArgs, 'only'>;
}

interface OpenDoor {
  readonly context: DoorContext;
  settings: DoorSettings;
  listener: Opened;
  metrics: Opened | null;
}

/** A child of the acceptor. */
interface Opened {
  readonly id: string;
  readonly name: ProcessName<ListenerMessage>;
}

/** Milliseconds that old authenticators have for the questions that they were asked. */
const LAST_ANSWERS = 10_000;
/** Keys that a door's authenticators come from. */
const GUARD_KEYS =
  /^(authenticator|authenticator_timeout|apikeys|passwords|allow_read_by_default|allowed_channels|jwt_\w+|doors\.\w+(\.(authenticator|authenticator_timeout|apikeys).*)?)$/;
/** Keys below a door's that its listener was started with; all others are read at the time of need. */
const LISTENER_KEYS = /^doors\.\w+\.(origin|tls|trusted_proxies|proxy_protocol)(\.|$)/;

export class OpenDoors implements Reloadable {
  readonly keys = [
    'doors',
    'authenticator',
    'authenticator_timeout',
    'apikeys',
    'allowed_channels',
    'limits',
  ];
  /** A client's topics are in the realm that it came into. */
  readonly except = ['doors.*.realm'];
  readonly meters = new AuthenticatorMeters();
  readonly #options: OpenDoorsOptions;
  readonly #open = new Map<string, OpenDoor>();
  #guardIds: readonly string[] = [];
  /** What the guards before have granted: those after them ask again. */
  #standings: Standings = new Map();
  #generation = 0;

  constructor(options: OpenDoorsOptions) {
    this.#options = options;
  }

  /** The listeners of all doors. */
  get listeners(): ProcessName<ListenerMessage>[] {
    return Array.from(this.#open.values(), ({ listener: { name } }) => name);
  }

  /** As metrics and health see them. */
  get views(): DoorView[] {
    return Array.from(this.#open.values(), ({ context, settings, listener: { name } }) => ({
      name: context.door.name,
      realm: context.realm,
      listener: name.value,
      counters: context.counters,
      format: settings.formats[0] ?? null,
    }));
  }

  /** Has the doors read their certificates and keys again. */
  rereadTls(): void {
    for (const name of this.listeners) sendNamed(this.#options.system, name, { type: 'reread-tls' });
  }

  /** The doors of the first configuration, to be started by their supervisors. */
  open(
    config: Config,
    plugins: Plugins,
  ): {
    readonly authenticators: readonly ChildSpec[];
    readonly listeners: readonly ChildSpec[];
  } {
    const guards = new Guards(config, this.#options.log, plugins, new Map(), 0, this.meters);
    this.#standings = guards.standings;
    const listeners = doorSettings(config).flatMap((settings) => {
      const context = this.#newContext(settings, config.limits, guards);
      const { door, specs } = this.#newDoor(settings, context);
      this.#open.set(settings.door.name, door);
      return specs;
    });
    this.#guardIds = guards.specs.map(({ id }) => id);
    return { authenticators: guards.specs, listeners };
  }

  async apply(next: Config, changed: readonly string[], plugins: Plugins): Promise<readonly string[]> {
    this.#generation++;
    const errors: string[] = [];
    const wanted = doorSettings(next);
    const guards = changed.some((key) => GUARD_KEYS.test(key))
      ? new Guards(next, this.#options.log, plugins, this.#standings, this.#generation, this.meters)
      : null;
    const guardsOf = new Map(
      guards === null ? [] : wanted.map((settings) => [settings.door.name, guards.of(settings)] as const),
    );
    if (guards !== null) errors.push(...(await this.#startGuards(guards)));
    if (errors.length > 0) return errors;
    for (const [name, door] of this.#open) {
      if (wanted.some((settings) => settings.door.name === name)) continue;
      this.#open.delete(name);
      await this.#close(door);
    }
    for (const settings of wanted) {
      const { name } = settings.door;
      const door = this.#open.get(name);
      const own = guardsOf.get(name);
      const error =
        door === undefined
          ? await this.#openLate(settings, next.limits, own)
          : await this.#change(door, settings, next.limits, own, changed);
      if (error !== null) errors.push(`doors.${name}: ${error}`);
    }
    if (guards !== null) this.#retire(guards);
    return errors;
  }

  async #startGuards({ specs }: Guards): Promise<string[]> {
    const errors: string[] = [];
    for (const spec of specs) {
      const result = await addChild(this.#options.system, this.#options.authenticators, spec);
      if (!result.ok) errors.push(`${spec.id}: ${result.error}`);
    }
    if (errors.length > 0)
      for (const { id } of specs) await removeChild(this.#options.system, this.#options.authenticators, id);
    return errors;
  }

  /** The old ones have been asked questions that are still to be answered. */
  #retire({ specs, standings }: Guards): void {
    this.#standings = standings;
    const old = this.#guardIds;
    this.#guardIds = specs.map(({ id }) => id);
    const { system, authenticators } = this.#options;
    system.clock.after(LAST_ANSWERS, () => {
      for (const id of old) void removeChild(this.#options.system, authenticators, id);
    });
  }

  async #openLate(
    settings: DoorSettings,
    limits: Limits,
    guards: DoorContext['guards'] | undefined,
  ): Promise<string | null> {
    if (guards === undefined) return 'it has no authenticator';
    const context = this.#newContext(settings, limits, { of: () => guards });
    const { door, specs } = this.#newDoor(settings, context);
    for (const spec of specs) {
      const result = await addChild(this.#options.system, this.#options.acceptor, spec);
      if (result.ok) continue;
      for (const { id } of specs) await removeChild(this.#options.system, this.#options.acceptor, id);
      return result.error;
    }
    this.#open.set(settings.door.name, door);
    return null;
  }

  async #change(
    door: OpenDoor,
    settings: DoorSettings,
    limits: Limits,
    guards: DoorContext['guards'] | undefined,
    changed: readonly string[],
  ): Promise<string | null> {
    const { context } = door;
    const { system, newWebSocketServer, drainerArgs } = this.#options;
    const lastBefore = system.counters.spawned;
    if (guards !== undefined) {
      // The connections that are open hold these very objects, and ask the new ones from now on.
      const forgotten = { needs: undefined, asksAll: undefined, patience: undefined };
      for (const kind of ['authenticator', 'apikeys', 'open'] as const)
        Object.assign(context.guards[kind], forgotten, guards[kind]);
      tellOfGuards(system, drainerArgs.connections, context);
    }
    const { heartbeat, grace } = settings;
    const fresh = { door: settings.door, limits, heartbeat, grace, webSockets: newWebSocketServer(limits) };
    Object.assign(context, fresh satisfies Partial<DoorContext>);
    sendNamed(system, door.listener.name, { type: 'reconfigure' });
    const before = door.settings;
    const moved = !samePlace(before.at, settings.at);
    const own = changed.some(
      (key) => key.startsWith(`doors.${settings.door.name}.`) && LISTENER_KEYS.test(key),
    );
    if (!moved && !own && samePlace(before.metrics, settings.metrics)) {
      door.settings = settings;
      return null;
    }
    if (!moved) return this.#reopen(door, settings);
    const { door: opened, specs } = this.#newDoor(settings, context);
    if (!samePlace(before.metrics, settings.metrics) || specs.length === 1) {
      return this.#move(door, opened, specs, lastBefore);
    }
    // The metrics stay where they are.
    return this.#move(door, { ...opened, metrics: door.metrics }, specs.slice(0, 1), lastBefore);
  }

  /** The new place opens before the old one closes, whose clients are told to come again. */
  async #move(
    door: OpenDoor,
    opened: OpenDoor,
    specs: readonly ChildSpec[],
    lastBefore: number,
  ): Promise<string | null> {
    const { acceptor } = this.#options;
    for (const spec of specs) {
      const result = await addChild(this.#options.system, acceptor, spec);
      if (result.ok) continue;
      for (const { id } of specs) await removeChild(this.#options.system, acceptor, id);
      return `${result.error}; it stays where it is`;
    }
    const old = { listener: door.listener, metrics: door.metrics };
    door.listener = opened.listener;
    door.metrics = opened.metrics;
    door.settings = opened.settings;
    await removeChild(this.#options.system, acceptor, old.listener.id);
    if (old.metrics !== null && old.metrics !== opened.metrics)
      await removeChild(this.#options.system, acceptor, old.metrics.id);
    await this.#drain(door.context, lastBefore);
    return null;
  }

  /** In the same place, what it asks of those who come is another: nobody can connect for a moment. */
  async #reopen(door: OpenDoor, settings: DoorSettings): Promise<string | null> {
    const { acceptor } = this.#options;
    const { door: opened, specs } = this.#newDoor(settings, door.context);
    await removeChild(this.#options.system, acceptor, door.listener.id);
    if (door.metrics !== null) await removeChild(this.#options.system, acceptor, door.metrics.id);
    door.listener = opened.listener;
    door.metrics = opened.metrics;
    door.settings = settings;
    const errors: string[] = [];
    for (const spec of specs) {
      const result = await addChild(this.#options.system, acceptor, spec);
      if (!result.ok) errors.push(result.error);
    }
    return errors.length === 0 ? null : errors.join('; ');
  }

  async #close({ listener: { id }, metrics, context }: OpenDoor): Promise<void> {
    const { acceptor, system } = this.#options;
    await removeChild(this.#options.system, acceptor, id);
    if (metrics !== null) await removeChild(this.#options.system, acceptor, metrics.id);
    await this.#drain(context, system.counters.spawned);
  }

  /** Sends away the connections of a door that came up to then. */
  async #drain(context: DoorContext, last: number): Promise<void> {
    const only: DrainerArgs['only'] = (pid) => pid.id <= last && isOf(context, pid);
    const door = context.door.name;
    const { note } = this.#options.log;
    const log: DrainerArgs['log'] = {
      draining: (connections) => note('draining', { door, connections }),
      drained: (drained) => note('drained', { door, ...drained }),
    };
    const args = { ...this.#options.drainerArgs, log, listeners: () => [], only };
    const id = `drainer.${door}.${this.#generation}`;
    await addChild(
      this.#options.system,
      this.#options.acceptor,
      worker(id, drainer, args, { restart: 'temporary' }),
    );
  }

  #newContext(settings: DoorSettings, limits: Limits, guards: Pick<Guards, 'of'>): DoorContext {
    const { topics, log, newWebSocketServer, gate } = this.#options;
    return {
      door: settings.door,
      realm: settings.realm,
      guards: guards.of(settings),
      topics,
      limits,
      heartbeat: settings.heartbeat,
      grace: settings.grace,
      counters: newDoorCounters(),
      webSockets: newWebSocketServer(limits),
      attempts: gate.attempts,
      log,
    };
  }

  #newDoor(
    settings: DoorSettings,
    context: DoorContext,
  ): { readonly door: OpenDoor; readonly specs: ChildSpec[] } {
    const { gate, startHandler, log, topics } = this.#options;
    const own = this.#opened(`listener.${settings.door.name}`);
    const args: ListenerArgs = {
      context,
      at: settings.at,
      edge: edgeOf(settings, context),
      gate,
      startHandler,
      log,
    };
    const specs = [worker(own.id, listener, args, { name: own.name })];
    let metrics: Opened | null = null;
    if (settings.metrics !== null) {
      metrics = this.#opened(`listener.${settings.door.name}-metrics`);
      const channels = () => countTopicsOf(topics, settings);
      specs.push(
        worker(metrics.id, metricsListener, {
          ...settings.metrics,
          counters: context.counters,
          channels,
          log,
        }),
      );
    }
    return { door: { context, settings, listener: own, metrics }, specs };
  }

  #opened(name: string): Opened {
    const id = this.#generation === 0 ? name : `${name}.${this.#generation}`;
    return { id, name: processName(id) };
  }
}

function edgeOf(settings: DoorSettings, context: DoorContext): Edge {
  const { origin, tls, trustedProxies, proxyProtocol, openToSubscribers } = settings;
  return {
    origin,
    tls: tls === null ? null : () => readTls(tls),
    trustedProxies,
    proxyProtocol,
    open: openToSubscribers || !isEmpty(context.guards.authenticator.anonymous),
  };
}

function samePlace(a: DoorSettings['at'] | null, b: DoorSettings['at'] | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function countTopicsOf(topics: Topics, { realm, formats }: DoorSettings): number {
  let count = 0;
  for (const topic of topics.all()) {
    if (topic.realm === realm && topic.members.groups.some(({ format }) => formats.includes(format))) count++;
  }
  return count;
}
