import type { Pid, Process } from './process.ts';
import { nameOf } from './reports.ts';
import type { System } from './system.ts';

/** A live process for those who look at all of them: the process itself, to be read and not to be kept. */
export interface Resident {
  readonly id: number;
  readonly name: string | undefined;
  readonly label: string | undefined;
  readonly behaviour: { readonly name: string };
  readonly parent: Resident | undefined;
  readonly status: Process['status'];
  readonly suspended: boolean;
  readonly mailboxLength: number;
  readonly highWater: number;
  readonly handled: number;
  readonly restarts: number;
  readonly startedAt: number;
  readonly state: unknown;
}

/** Every live process in the order of its start. It makes nothing for each of them: there may be ten thousand. */
export function residents(system: System): Iterable<Resident> {
  return system.processes.values();
}

export function resident(system: System, id: number): Resident | undefined {
  return system.processes.get(id);
}

/** Whoever has that name, or none. */
export function residentNamed(system: System, name: string): Resident | undefined {
  return system.names.get(name);
}

export function pidOf(of: Resident): Pid<never> {
  return of as Process;
}

export function residentOf(pid: Pid<never>): Resident {
  return pid as Process;
}

/** For people: its name, or what it is or runs and its pid. */
export function displayName(of: Resident): string {
  return nameOf(of as Process);
}

/** A name that outlives incarnations: for what is counted by process. */
export function lastingName(of: Resident): string {
  return of.name ?? of.label ?? of.behaviour.name;
}
