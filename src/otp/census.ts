import type { Pid, Process } from './process.ts';
import type { System } from './system.ts';

/** A live process for those who look at all of them at once: the process itself, to be read and not to be kept. */
export interface Resident extends Pid<never> {
  readonly behaviour: { readonly name: string };
  readonly parent: Resident | undefined;
  readonly mailboxLength: number;
  readonly highWater: number;
  readonly handled: number;
  readonly restarts: number;
  readonly startedAt: number;
  readonly state: unknown;
  readonly timers: Process['timers'];
}

/** Every live process in the order of its start. It makes nothing for each of them: there may be ten thousand. */
export function residents(system: System): Iterable<Resident> {
  return system.processes.values();
}

/** Timers that it has set. */
export function timersOf({ timers }: Resident): number {
  return timers === undefined ? 0 : timers instanceof Set ? timers.size : 1;
}

export function resident(pid: Pid<never>): Resident {
  return pid as Process;
}
