import { rereadTls, stopAccepting } from '../acceptor/listener.ts';
import { AuthenticatorMeters } from '../authenticator/metered.ts';
import type { Plugins } from '../authenticator/plugin.ts';
import type { Config } from '../config/config.ts';
import type { ChildSpec } from '../otp/child-spec.ts';
import { addChild, removeChild } from '../otp/children.ts';
import type { Reloadable } from '../reload/running-config.ts';
import type { DoorView } from '../view/relay-view.ts';
import { AUTHENTICATORS } from './application.ts';
import { doorSettings } from './doors.ts';
import { type GuardOptions, type Guards, guardsOf, type Standings } from './guards.ts';
import { type DoorPlan, type Entrance, OpenDoor } from './open-door.ts';

/** Milliseconds that old authenticators have for the questions that they were asked. */
const LAST_ANSWERS = 10_000;
/** Keys that a door's authenticators come from. */
const GUARD_KEYS =
  /^(authenticator|authenticator_timeout|apikeys|allowed_channels|doors\.\w+(\.(authenticator|authenticator_timeout|apikeys).*)?)$/;

/** The doors that are open, and their guards. */
export class OpenDoors implements Reloadable {
  readonly keys = [
    'doors',
    'authenticator',
    'authenticator_timeout',
    'apikeys',
    'allowed_channels',
    'limits',
  ];
  /** A connection's topics stay in the realm of its door: the realm of an open door cannot change. */
  readonly except = ['doors.*.realm'];
  readonly meters = new AuthenticatorMeters();
  readonly #entrance: Entrance;
  readonly #open = new Map<string, OpenDoor>();
  #authenticators: readonly ChildSpec[];
  /** What the authenticators have granted so far: after a reload the new ones are asked about all of it again. */
  #standings: Standings = new Map();
  #generation = 0;

  constructor(entrance: Entrance, config: Config, plugins: Plugins) {
    this.#entrance = entrance;
    const doors = doorSettings(config);
    const guards = guardsOf(doors, config, this.#guardOptions(plugins));
    for (const settings of doors) {
      const { name } = settings.door;
      const plan = { settings, limits: config.limits, guards: guards.of.get(name) };
      this.#open.set(name, new OpenDoor(entrance, plan));
    }
    this.#standings = guards.standings;
    this.#authenticators = guards.specs;
  }

  /** The authenticators that judge now, to be started by their supervisor. */
  get authenticators(): readonly ChildSpec[] {
    return this.#authenticators;
  }

  /** The listeners of the doors that are open, to be started by their supervisor. */
  get listeners(): ChildSpec[] {
    return [...this.#open.values()].flatMap(({ specs }) => specs);
  }

  /** As metrics and health see them. */
  get views(): DoorView[] {
    return Array.from(this.#open.values(), ({ view }) => view);
  }

  /** Has the doors read their certificates and keys again. */
  rereadTls(): void {
    for (const { listener } of this.#open.values()) rereadTls(this.#entrance.system, listener);
  }

  /** Has the doors accept nothing more. */
  stopAccepting(): void {
    for (const { listener } of this.#open.values()) stopAccepting(this.#entrance.system, listener);
  }

  async apply(next: Config, changed: readonly string[], plugins: Plugins): Promise<readonly string[]> {
    this.#generation++;
    const errors: string[] = [];
    const wanted = doorSettings(next);
    const guards = changed.some((key) => GUARD_KEYS.test(key))
      ? guardsOf(wanted, next, this.#guardOptions(plugins))
      : null;
    const plans = wanted.map((settings) => ({
      settings,
      limits: next.limits,
      guards: guards?.of.get(settings.door.name),
    }));
    if (guards !== null) for (const error of await this.#startGuards(guards)) errors.push(error);
    if (errors.length > 0) return errors;
    for (const [name, door] of this.#open) {
      if (wanted.some((settings) => settings.door.name === name)) continue;
      this.#open.delete(name);
      await door.close();
    }
    for (const plan of plans) {
      const { name } = plan.settings.door;
      const door = this.#open.get(name);
      const error = door === undefined ? await this.#openLate(name, plan) : await door.change(plan);
      if (error !== null) errors.push(`doors.${name}: ${error}`);
    }
    if (guards !== null) this.#retire(guards);
    return errors;
  }

  #guardOptions(plugins: Plugins): GuardOptions {
    const { meters } = this;
    const { log } = this.#entrance;
    return { log, plugins, meters, before: this.#standings, generation: this.#generation };
  }

  async #openLate(name: string, plan: DoorPlan): Promise<string | null> {
    const door = new OpenDoor(this.#entrance, plan);
    const error = await door.start();
    if (error === null) this.#open.set(name, door);
    return error;
  }

  async #startGuards({ specs }: Guards): Promise<string[]> {
    const errors: string[] = [];
    for (const spec of specs) {
      const result = await addChild(this.#entrance.system, AUTHENTICATORS, spec);
      if (!result.ok) errors.push(`${spec.id}: ${result.error}`);
    }
    if (errors.length > 0)
      for (const { id } of specs) await removeChild(this.#entrance.system, AUTHENTICATORS, id);
    return errors;
  }

  /** The old authenticators get time to answer the questions that they were asked. */
  #retire({ specs, standings }: Guards): void {
    this.#standings = standings;
    const old = this.#authenticators;
    this.#authenticators = specs;
    const { system } = this.#entrance;
    system.clock.after(LAST_ANSWERS, () => {
      for (const { id } of old) void removeChild(system, AUTHENTICATORS, id);
    });
  }
}
