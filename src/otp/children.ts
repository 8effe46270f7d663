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

/** Stops it and takes it out. Where its supervisor is gone, so is the child. Never rejects. */
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

/** `lost`: why `old` is not there any more either; null: it is as it was. */
export type Replaced =
  | { readonly ok: true; readonly madeWay: boolean }
  | { readonly ok: false; readonly error: string; readonly lost: string | null };

/**
 * Starts `next`, and then stops `old`. Where the two cannot be at once, which `collide` tells from the failure, `old` is
 * stopped first, and is started again when `next` fails nevertheless. Never rejects.
 */
export async function replaceChild(
  system: System,
  supervisor: ProcessName<SupervisorMessage>,
  { old, next }: { readonly old: ChildSpec; readonly next: ChildSpec },
  collide: (error: string) => boolean,
): Promise<Replaced> {
  const beside = await addChild(system, supervisor, next);
  if (beside.ok) {
    await removeChild(system, supervisor, old.id);
    return { ok: true, madeWay: false };
  }
  await removeChild(system, supervisor, next.id);
  if (!collide(beside.error)) return { ok: false, error: beside.error, lost: null };
  await removeChild(system, supervisor, old.id);
  const instead = await addChild(system, supervisor, next);
  if (instead.ok) return { ok: true, madeWay: true };
  await removeChild(system, supervisor, next.id);
  const back = await addChild(system, supervisor, old);
  return { ok: false, error: instead.error, lost: back.ok ? null : back.error };
}
