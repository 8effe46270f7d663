import type { Pid, Process } from './process.ts';
import { nameOf } from './reports.ts';
import type { System } from './system.ts';

/** What tools may see of a process, as plain values. */
export interface ProcessView {
  readonly id: number;
  /** As tools print it: `<88>`. */
  readonly ref: string;
  /** Its registered name; null: none. */
  readonly registered: string | null;
  /** Its name for people. */
  readonly name: string;
  readonly behaviour: string;
  readonly type: 'supervisor' | 'worker';
  readonly parent: number | null;
  readonly status: 'starting' | 'running' | 'suspended';
  readonly mailbox: number;
  readonly mailboxHighWater: number;
  readonly handled: number;
  /** How often the child has been restarted before this incarnation. */
  readonly restarts: number;
  /** Milliseconds. */
  readonly uptime: number;
}

export function viewOf(pid: Pid<never>): ProcessView {
  const process = pid as Process;
  const mailbox = process.mailboxLength;
  return {
    id: process.id,
    ref: process.toString(),
    registered: process.name ?? null,
    name: nameOf(process),
    behaviour: process.behaviour.name,
    type: isSupervisor(process) ? 'supervisor' : 'worker',
    parent: process.parent?.id ?? null,
    status: process.suspended ? 'suspended' : process.status === 'starting' ? 'starting' : 'running',
    mailbox,
    mailboxHighWater: Math.max(process.highWater, mailbox),
    handled: process.handled,
    restarts: process.restarts,
    uptime: process.system.clock.now() - process.startedAt,
  };
}

/** Every live process, in the order of their pids. */
export function* liveProcesses(system: System): Iterable<Pid<never>> {
  yield* system.processes.values();
}

/** True for what ends its children with itself. */
export function isSupervisor(pid: Pid<never>): boolean {
  const { name } = (pid as Process).behaviour;
  return name === 'supervisor' || name === 'dynamic-supervisor' || name === 'application-master';
}

/** The live process of that registered name or number. */
export function findProcess(system: System, ref: string | number): Pid<never> | undefined {
  return typeof ref === 'number' ? system.processes.get(ref) : system.names.get(ref);
}

/** What was given to a process by its behaviour's name and state; for tools that know the behaviour. */
export function stateOf(pid: Pid<never>): { readonly behaviour: string; readonly state: unknown } {
  const process = pid as Process;
  return { behaviour: process.behaviour.name, state: process.state };
}
