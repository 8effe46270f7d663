import { nameOf, type Pid, type Process, type ProcessSystem, type Trace } from './process.ts';

/**
 * Looks into a live process and takes hold of it, as OTP's `sys`. A callback always runs to its end before anything
 * else does, so these act at once, between two messages, and need no message of their own.
 */

export interface Statistics
  extends Pick<ProcessView, 'name' | 'status' | 'mailboxHighWater' | 'handled' | 'restarts' | 'uptime'> {
  readonly pid: string;
  readonly initialCall: string;
  readonly mailboxLength: number;
}

export function getState(pid: Pid<never>): unknown {
  return (pid as Process).state;
}

/** Replaces the state with what `change` makes of it. False: the process is dead. A throw leaves it as it was. */
export function replaceState(pid: Pid<never>, change: (state: unknown) => unknown): boolean {
  const process = pid as Process;
  if (!process.alive) return false;
  process.state = change(process.state);
  return true;
}

/** Handles no message any more until `resume`; mail piles up, to the mailbox's limit. */
export function suspend(pid: Pid<never>): void {
  (pid as Process).suspended = true;
}

export function resume(pid: Pid<never>): void {
  (pid as Process).resume();
}

export function statistics(pid: Pid<never>): Statistics {
  const { ref, name, behaviour, status, mailbox, mailboxHighWater, handled, restarts, uptime } = viewOf(pid);
  const counted = { mailboxLength: mailbox, mailboxHighWater, handled, restarts, uptime };
  return { pid: ref, name, initialCall: behaviour, status, ...counted };
}

/**
 * Shows the next `max` messages to `see` before they are handled, for `period` milliseconds at the most. `see` gets
 * the messages themselves, and must neither keep nor change them; what it throws ends the trace. Replaces a trace
 * that is under way. Returns what ends it early.
 */
export function trace(
  pid: Pid<never>,
  max: number,
  period: number,
  see: (message: unknown) => void,
): () => void {
  const process = pid as Process;
  let left = max;
  const end = () => {
    timer.cancel();
    if (process.trace === current) process.trace = undefined;
  };
  const timer = process.system.clock.after(period, end);
  const current: Trace = {
    record: (message) => {
      if (--left <= 0) end();
      try {
        see(message);
      } catch {
        end();
      }
    },
  };
  if (max > 0) process.trace = current;
  return end;
}

/** A live process for those who look at all of them at once: the process itself, to be read and not to be kept. */
export interface Resident extends Pid<never> {
  readonly name: string | undefined;
  readonly label: string | undefined;
  readonly behaviour: { readonly name: string };
  readonly parent: Resident | undefined;
  readonly about: string | null;
  readonly mailboxLength: number;
  readonly highWater: number;
  readonly handled: number;
  readonly restarts: number;
  readonly startedAt: number;
  readonly state: unknown;
  readonly timers: Process['timers'];
}

/** Every live process in the order of its start. It makes nothing for each of them: there may be ten thousand. */
export function residents(system: ProcessSystem): Iterable<Resident> {
  return system.processes.values();
}

/** How many timers a process has set. */
export function timersOf({ timers }: Resident): number {
  return timers === undefined ? 0 : timers instanceof Set ? timers.size : 1;
}

export function resident(pid: Pid<never>): Resident {
  return pid as Process;
}

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
  /** What it is about, in the words of its behaviour, such as its topic; null: the behaviour does not say. */
  readonly about: string | null;
  readonly type: 'supervisor' | 'worker';
  readonly parent: number | null;
  readonly status: 'starting' | 'running' | 'suspended' | 'exited';
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
    about: process.about,
    type: isSupervisor(process) ? 'supervisor' : 'worker',
    parent: process.parent?.id ?? null,
    status: statusOf(process),
    mailbox,
    mailboxHighWater: Math.max(process.highWater, mailbox),
    handled: process.handled,
    restarts: process.restarts,
    uptime: process.system.clock.now() - process.startedAt,
  };
}

function statusOf({ alive, suspended, status }: Process): ProcessView['status'] {
  if (!alive) return 'exited';
  return suspended ? 'suspended' : status === 'starting' ? 'starting' : 'running';
}

/** True for what ends its children with itself. */
export function isSupervisor(pid: Pid<never>): boolean {
  const { name } = (pid as Process).behaviour;
  return name === 'supervisor' || name === 'dynamic-supervisor' || name === 'application-master';
}

/** The live process of that registered name or number. */
export function findProcess(system: ProcessSystem, ref: string | number): Pid<never> | undefined {
  return typeof ref === 'number' ? system.processes.get(ref) : system.names.get(ref);
}
