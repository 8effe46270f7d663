import { rereadTls, stopAccepting } from '../acceptor/listener.ts';
import type { Plugins } from '../authenticator/authenticator-from.ts';
import { AuthenticatorMeters } from '../authenticator/metered.ts';
import type { Config } from '../config/config.ts';
import type { ChildSpec } from '../otp/child-spec.ts';
import { addChild, removeChild } from '../otp/children.ts';
import { processName } from '../otp/registry.ts';
import type { SupervisorMessage } from '../otp/supervisor.ts';
import type { Reloadable } from '../reload/running-config.ts';
import type { DoorView } from '../view/relay-view.ts';
import { doorSettings } from './doors.ts';
import { Guards, type Standings } from './guards.ts';
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
  /** Of the supervisors of the authenticators and of the listeners. */
  readonly names = {
    authenticators: processName<SupervisorMessage>('authenticators'),
    acceptor: processName<SupervisorMessage>('acceptor'),
  };
  readonly meters = new AuthenticatorMeters();
  readonly #entrance: Entrance;
  readonly #open = new Map<string, OpenDoor>();
  /** The authenticators of the first configuration, to be started by their supervisor. */
  readonly authenticators: readonly ChildSpec[];
  #guardIds: readonly string[];
  /** What the authenticators have granted so far: after a reload the new ones are asked about all of it again. */
  #standings: Standings;
  #generation = 0;

  constructor(shared: Omit<Entrance, 'acceptor'>, config: Config, plugins: Plugins) {
    this.#entrance = { ...shared, acceptor: this.names.acceptor };
    const guards = new Guards(config, shared.log, plugins, new Map(), 0, this.meters);
    for (const settings of doorSettings(config)) {
      const plan = { settings, limits: config.limits, guards: guards.of(settings) };
      this.#open.set(settings.door.name, new OpenDoor(this.#entrance, plan));
    }
    this.#standings = guards.standings;
    this.authenticators = guards.specs;
    this.#guardIds = guards.specs.map(({ id }) => id);
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
      ? new Guards(next, this.#entrance.log, plugins, this.#standings, this.#generation, this.meters)
      : null;
    const plans = wanted.map((settings) => ({
      settings,
      limits: next.limits,
      guards: guards?.of(settings),
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

  async #openLate(name: string, { guards, ...rest }: DoorPlan): Promise<string | null> {
    if (guards === undefined) return 'it has no authenticator';
    const door = new OpenDoor(this.#entrance, { ...rest, guards });
    const error = await door.start();
    if (error === null) this.#open.set(name, door);
    return error;
  }

  async #startGuards({ specs }: Guards): Promise<string[]> {
    const errors: string[] = [];
    for (const spec of specs) {
      const result = await addChild(this.#entrance.system, this.names.authenticators, spec);
      if (!result.ok) errors.push(`${spec.id}: ${result.error}`);
    }
    if (errors.length > 0)
      for (const { id } of specs) await removeChild(this.#entrance.system, this.names.authenticators, id);
    return errors;
  }

  /** The old authenticators get time to answer the questions that they were asked. */
  #retire({ specs, standings }: Guards): void {
    this.#standings = standings;
    const old = this.#guardIds;
    this.#guardIds = specs.map(({ id }) => id);
    const { system } = this.#entrance;
    system.clock.after(LAST_ANSWERS, () => {
      for (const id of old) void removeChild(system, this.names.authenticators, id);
    });
  }
}
