import { isDeepStrictEqual } from 'node:util';
import type { ChildSpec } from './child-spec.ts';
import { type ProcessName, whereis } from './registry.ts';
import {
  type ChildResult,
  deleteChild,
  type SupervisorMessage,
  startChild,
  terminateChild,
} from './supervisor.ts';
import type { System } from './system.ts';

/** Adds a child to the supervisor of that name, and starts it. Never rejects. */
export async function addChild(
  system: System,
  supervisor: ProcessName<SupervisorMessage>,
  spec: ChildSpec,
): Promise<ChildResult> {
  const pid = whereis(system, supervisor);
  if (pid === undefined) return { ok: false, error: 'its supervisor is not there' };
  try {
    return await startChild(pid, spec);
  } catch (error) {
    return { ok: false, error: (error as Error).message };
  }
}

/** Stops a child and forgets its spec. Where its supervisor is gone, so is the child. Never rejects. */
export async function removeChild(
  system: System,
  supervisor: ProcessName<SupervisorMessage>,
  id: string,
): Promise<void> {
  const pid = whereis(system, supervisor);
  if (pid === undefined) return;
  try {
    await terminateChild(pid, id);
    await deleteChild(pid, id);
  } catch {
    // The supervisor has ended meanwhile.
  }
}

/** Adds all of `specs`, or none. Null, or why a child could not be started. Never rejects. */
export async function addChildren(
  system: System,
  supervisor: ProcessName<SupervisorMessage>,
  specs: readonly ChildSpec[],
): Promise<string | null> {
  for (const spec of specs) {
    const result = await addChild(system, supervisor, spec);
    if (result.ok) continue;
    for (const { id } of specs) await removeChild(system, supervisor, id);
    return result.error;
  }
  return null;
}

/** What a child with a place is made of. */
export interface MovableArgs<Place> {
  /** The id of the child at its first place; at the ones after that a number follows. */
  readonly id: string;
  specAt(place: Place, id: string): ChildSpec;
}

/** A child that has a place, such as a port, and may get another one while its supervisor runs. Null: it has none. */
export class MovableChild<Place> {
  readonly #args: MovableArgs<Place>;
  #place: Place | null;
  #id: string;
  #moves = 0;

  constructor(args: MovableArgs<Place>, place: Place | null) {
    this.#args = args;
    this.#place = place;
    this.#id = args.id;
  }

  get id(): string {
    return this.#id;
  }

  get specs(): ChildSpec[] {
    return this.#place === null ? [] : [this.#args.specAt(this.#place, this.#id)];
  }

  /** Its first start, where its supervisor runs already. */
  arrival(): Move<Place>[] {
    const next = this.#here;
    return next === null ? [] : [{ old: null, next, arrive: () => undefined }];
  }

  /** Its move to another place, or (null) its end; none where it is there already. */
  moveTo(place: Place | null): Move<Place>[] {
    if (isDeepStrictEqual(place, this.#place)) return [];
    const { id, specAt } = this.#args;
    const next = place === null ? null : { place, spec: specAt(place, `${id}.${++this.#moves}`) };
    const arrive = () => {
      this.#place = place;
      if (next !== null) this.#id = next.spec.id;
    };
    return [{ old: this.#here, next, arrive }];
  }

  get #here(): Located<Place> | null {
    const [spec] = this.specs;
    return this.#place === null || spec === undefined ? null : { place: this.#place, spec };
  }
}

interface Located<Place> {
  readonly place: Place;
  readonly spec: ChildSpec;
}

/** What one child is to leave, and where it is to be; null: nothing, nowhere. */
export interface Move<Place> {
  readonly old: Located<Place> | null;
  readonly next: Located<Place> | null;
  /** The child is at the next place from here on. */
  arrive(): void;
}

/** Where children move. */
export interface Site<Place> {
  readonly system: System;
  readonly supervisor: ProcessName<SupervisorMessage>;
  /** Whether nothing can be at the next place while a child is at the old one, as the failure to start there tells. */
  collide(old: Place, next: Place, failure: string): boolean;
}

/** `lost`: why the old place could not be had back; null: the child is there; undefined: it had no place. */
export interface NotMoved<Place> {
  readonly move: Move<Place>;
  /** Null: it could have moved, and has only made way for others. */
  readonly error: string | null;
  readonly lost: string | null | undefined;
}

/** Moves that have begun: each child is at its next place, and at its old one as well unless that had to make way. */
export type Moving<Place> =
  | {
      readonly ok: true;
      /** The next places count from here on. Returns the children that left their old place before. */
      arrive(): ReadonlySet<Move<Place>>;
      /** Ends what is at the old places. */
      leave(): Promise<void>;
      /** All goes back to the old places, of which some may be lost. */
      back(): Promise<readonly NotMoved<Place>[]>;
    }
  | { readonly ok: false; readonly failed: readonly NotMoved<Place>[] };

/**
 * Begins all of `moves`, or none. Each child starts at its next place beside the old one; where that cannot be, whoever is
 * to leave the place makes way, be it the same child or another one. Never rejects.
 */
export async function beginMoves<Place>(
  { system, supervisor, collide }: Site<Place>,
  moves: readonly Move<Place>[],
): Promise<Moving<Place>> {
  const started = new Set<Move<Place>>();
  const madeWay = new Set<Move<Place>>();
  const errors = new Map<Move<Place>, string>();
  const start = async (move: Move<Place>) => {
    if (move.next === null) return;
    const result = await addChild(system, supervisor, move.next.spec);
    if (!result.ok) {
      await removeChild(system, supervisor, move.next.spec.id);
      errors.set(move, result.error);
      return;
    }
    errors.delete(move);
    started.add(move);
  };
  const makeWayFor = async ({ next }: Move<Place>, error: string) => {
    for (const move of moves) {
      const { old } = move;
      if (old === null || next === null || madeWay.has(move) || !collide(old.place, next.place, error))
        continue;
      await removeChild(system, supervisor, old.spec.id);
      madeWay.add(move);
    }
  };
  const back = async () => {
    for (const { next } of started) if (next !== null) await removeChild(system, supervisor, next.spec.id);
    const lost = new Map<Move<Place>, string>();
    for (const move of madeWay) {
      if (move.old === null) continue;
      const result = await addChild(system, supervisor, move.old.spec);
      if (!result.ok) lost.set(move, result.error);
    }
    return moves
      .filter((move) => errors.has(move) || lost.has(move))
      .map((move) => ({
        move,
        error: errors.get(move) ?? null,
        lost: move.old === null ? undefined : (lost.get(move) ?? null),
      }));
  };
  for (const move of moves) await start(move);
  for (const [move, error] of [...errors]) await makeWayFor(move, error);
  if (madeWay.size > 0) for (const move of [...errors.keys()]) await start(move);
  if (errors.size > 0) return { ok: false, failed: await back() };
  return {
    ok: true,
    arrive() {
      for (const move of moves) move.arrive();
      return madeWay;
    },
    async leave() {
      for (const move of moves)
        if (move.old !== null && !madeWay.has(move)) await removeChild(system, supervisor, move.old.spec.id);
    },
    back,
  };
}
