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
