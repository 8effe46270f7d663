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

/** `lost`: why the old place could not be had back either; null: the child is there still; undefined: it had no place. */
export type Moved =
  | { readonly ok: true; readonly how: 'beside' | 'made way' }
  | { readonly ok: false; readonly error: string; readonly lost: string | null | undefined };

/** What a child with a place is made of. */
export interface MovableArgs<Place> {
  readonly system: System;
  readonly supervisor: ProcessName<SupervisorMessage>;
  /** The id of the child at its first place; at the ones after that a number follows. */
  readonly id: string;
  specAt(place: Place, id: string): ChildSpec;
  /** Whether the child cannot be at both places at once, as the failure to start at the next one tells. */
  collide(old: Place, next: Place, failure: string): boolean;
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

  /**
   * Starts at the next place and then stops at the old one. Where the two cannot be at once, the old one makes way first,
   * and is started again when the next one fails nevertheless. Never rejects.
   */
  async move(place: Place | null): Promise<Moved> {
    const { system, supervisor, id, specAt, collide } = this.#args;
    const from = this.#place;
    const [old] = this.specs;
    if (place === null) {
      this.#place = null;
      if (old !== undefined) await removeChild(system, supervisor, old.id);
      return { ok: true, how: 'beside' };
    }
    const next = specAt(place, `${id}.${++this.#moves}`);
    const arrive = () => {
      this.#place = place;
      this.#id = next.id;
    };
    const beside = await addChild(system, supervisor, next);
    if (beside.ok) {
      arrive();
      if (old !== undefined) await removeChild(system, supervisor, old.id);
      return { ok: true, how: 'beside' };
    }
    await removeChild(system, supervisor, next.id);
    if (from === null || old === undefined) return { ok: false, error: beside.error, lost: undefined };
    if (!collide(from, place, beside.error)) return { ok: false, error: beside.error, lost: null };
    await removeChild(system, supervisor, old.id);
    const instead = await addChild(system, supervisor, next);
    if (instead.ok) {
      arrive();
      return { ok: true, how: 'made way' };
    }
    await removeChild(system, supervisor, next.id);
    const back = await addChild(system, supervisor, old);
    return { ok: false, error: instead.error, lost: back.ok ? null : back.error };
  }
}
