import { rereadTls, stopAccepting } from '../acceptor/listener.ts';
import { AuthenticatorMeters } from '../authenticator/metered.ts';
import type { Plugins } from '../authenticator/plugin.ts';
import type { Config } from '../config/config.ts';
import { mustMakeWay, whyNotMoved } from '../http/port.ts';
import type { ChildSpec } from '../otp/child-spec.ts';
import { addChild, beginMoves, type Move, type Moving, type NotMoved, removeChild } from '../otp/children.ts';
import type { Prepared } from '../otp/prepared.ts';
import type { Reloadable } from '../reload/running-config.ts';
import type { DoorView } from '../view/relay-view.ts';
import { ACCEPTOR, AUTHENTICATORS } from './application.ts';
import { type DoorSettings, doorSettings } from './doors.ts';
import { type GuardOptions, type Guards, guardsOf, type Standings } from './guards.ts';
import { type DoorMoves, type DoorPlan, type Entrance, OpenDoor } from './open-door.ts';

/** Milliseconds that old authenticators have for the questions that they were asked. */
const LAST_ANSWERS = 10_000;
/** Keys that a door's authenticators come from. */
const GUARD_KEYS =
  /^(authenticator|authenticator_timeout|apikeys|allowed_channels|doors\.\w+(\.(authenticator|authenticator_timeout|apikeys).*)?)$/;

type DoorPlace = DoorSettings['at'];
type Begun = Extract<Moving<DoorPlace>, { readonly ok: true }>;

/** What becomes of one door. */
interface Change extends DoorMoves {
  readonly name: string;
  readonly door: OpenDoor;
  /** Null: it closes. */
  readonly plan: DoorPlan | null;
  readonly fault: string | null;
}

const NO_MOVES: DoorMoves = { listener: [], metrics: [] };

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

  /** Starts the new guards, and opens the new places; nobody is judged by the ones or let in at the others yet. */
  async prepare(next: Config, changed: readonly string[], plugins: Plugins): Promise<Prepared> {
    this.#generation++;
    const wanted = doorSettings(next);
    const guards = changed.some((key) => GUARD_KEYS.test(key))
      ? guardsOf(wanted, next, this.#guardOptions(plugins))
      : null;
    const doors = wanted.map((settings): Change => {
      const { name } = settings.door;
      const plan = { settings, limits: next.limits, guards: guards?.of.get(name) };
      const open = this.#open.get(name);
      const door = open ?? new OpenDoor(this.#entrance, plan);
      const fault = door.fault(settings);
      if (fault !== null) return { name, door, plan, fault, ...NO_MOVES };
      return { name, door, plan, fault, ...(open === undefined ? door.arrival() : door.movesTo(settings)) };
    });
    const closing = [...this.#open]
      .filter(([name]) => !doors.some((one) => one.name === name))
      .map(([name, door]): Change => ({ name, door, plan: null, fault: null, ...door.movesTo(null) }));
    const changes = [...closing, ...doors];
    const faults = guards === null ? [] : await this.#startGuards(guards);
    for (const { name, fault } of doors) if (fault !== null) faults.push(`doors.${name}: ${fault}`);
    const site = { system: this.#entrance.system, supervisor: ACCEPTOR, collide: mustMakeWay };
    const moving = await beginMoves(
      site,
      changes.flatMap(({ listener, metrics }) => [...listener, ...metrics]),
    );
    if (!moving.ok) faults.push(...sayNotMoved(changes, moving.failed));
    const undo = async () => {
      const lost = moving.ok ? sayNotMoved(changes, await moving.back()) : [];
      if (guards !== null) await this.#removeGuards(guards);
      return lost;
    };
    if (!moving.ok || faults.length > 0) return { faults: [...faults, ...(await undo())] };
    return { faults: null, commit: () => this.#commit(changes, moving, guards), undo };
  }

  /** What is stricter counts before anything that takes time. */
  async #commit(changes: readonly Change[], moving: Begun, guards: Guards | null): Promise<void> {
    const { counters } = this.#entrance.system;
    const last = counters.spawned;
    const madeWay = moving.arrive();
    for (const { name, door, plan } of changes) {
      if (plan === null) this.#open.delete(name);
      else {
        this.#open.set(name, door);
        door.take(plan);
      }
    }
    if (guards !== null) this.#retire(guards);
    for (const { door, plan } of changes) if (plan !== null) await door.reconfigure();
    await moving.leave();
    for (const { door, plan, listener } of changes) {
      if (plan === null) await door.drain(counters.spawned);
      else if (listener.some((move) => hasLeft(move, madeWay))) await door.drain(last);
    }
  }

  #guardOptions(plugins: Plugins): GuardOptions {
    const { meters } = this;
    const { log } = this.#entrance;
    return { log, plugins, meters, before: this.#standings, generation: this.#generation };
  }

  async #startGuards({ specs }: Guards): Promise<string[]> {
    const errors: string[] = [];
    for (const spec of specs) {
      const result = await addChild(this.#entrance.system, AUTHENTICATORS, spec);
      if (!result.ok) errors.push(`${spec.id}: ${result.error}`);
    }
    return errors;
  }

  async #removeGuards({ specs }: Guards): Promise<void> {
    for (const { id } of specs) await removeChild(this.#entrance.system, AUTHENTICATORS, id);
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

function sayNotMoved(changes: readonly Change[], failed: readonly NotMoved<DoorPlace>[]): string[] {
  return changes.flatMap(({ name, listener, metrics }) => {
    const moves = [...listener, ...metrics];
    const why = failed.filter(({ move }) => moves.includes(move)).map(whyNotMoved);
    return why.length === 0 ? [] : [`doors.${name}: ${why.join('; ')}`];
  });
}

/**
 * Whether a door's clients are told to come again. Where the old place had to make way for the new one they stay: they
 * are at the same port still.
 */
function hasLeft(move: Move<DoorPlace>, madeWay: ReadonlySet<Move<DoorPlace>>): boolean {
  const { old, next } = move;
  if (old === null || next === null) return false;
  const isSamePort = 'port' in old.place && 'port' in next.place && old.place.port === next.place.port;
  return !(isSamePort && madeWay.has(move));
}
