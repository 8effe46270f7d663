import { Connection, type ConnectionMessage } from '../connection/connection.ts';
import type { DoorContext } from '../connection/door-context.ts';
import type { ChildInfo } from '../otp/child-spec.ts';
import { resident } from '../otp/inspect.ts';
import { inform, type Pid } from '../otp/process.ts';
import { informNamed, type ProcessName } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';

/** The connections of one door, as what the door asks of them changes. */

type ListsChildren = { readonly type: 'which'; readonly reply: (children: ChildInfo[]) => void };

/** Whether a process is the handler of one of the door's connections. */
export function isOf(context: DoorContext, pid: Pid<never>): boolean {
  const { state } = resident(pid);
  return state instanceof Connection && state.context === context;
}

/**
 * Tells all of them that their guards or limits have changed. One that has not begun yet begins with what it finds in the
 * context, which is new already.
 */
export function tellConnections(
  system: System,
  partitions: readonly ProcessName<ListsChildren>[],
  context: DoorContext,
  news: Extract<ConnectionMessage, { readonly type: 'reguarded' | 'relimited' }>,
): void {
  const reply = (children: readonly ChildInfo[]) => {
    for (const { pid } of children)
      if (pid !== null && isOf(context, pid)) inform(pid as Pid<ConnectionMessage>, news);
  };
  for (const name of partitions) informNamed(system, name, { type: 'which', reply });
}
