import type { Clock, ClockTimer } from './clock.ts';
import type { ExitReason, ExitSignal } from './exit-reason.ts';
import type { Report } from './reports.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * The address of one incarnation of a process. A pid outlives its process and never reaches another one; it prints as
 * `<88>`. Only `send` and the functions of this folder look inside.
 */
export interface Pid<in Message> {
  readonly id: number;
  /** Type only: what may be sent here. */
  readonly accepts?: (message: Message) => void;
}

/** A process as its own callbacks see it: its pid and the system it lives in. */
export interface Self<in Message> extends Pid<Message> {
  readonly system: ProcessSystem;
}

/** What a process sees of the `System` that it lives in. */
export interface ProcessSystem {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly report: (report: Report) => void;
  readonly counters: SystemCounters;
  /** Every live process by the number of its pid. */
  readonly processes: Map<number, Process>;
  /** Every live process that has a name; see `registry.ts`. */
  readonly names: Map<string, Process>;
  /** Restarts of children by their supervisor's name or id. */
  readonly restarts: Map<string, number>;
  /** Timers that have rung, and wait for the sockets to be read; see `timer.ts`. */
  lateTimers: number;
  /** The number of the last pid. Numbers are never used again: a pid names one incarnation for ever. */
  lastId: number;
  /** Ends the scheduler. What still runs stays as it is, and never runs again. */
  halt(): void;
}

/** What the system has counted since it started. */
export interface SystemCounters {
  /** Messages sent to a process that was dead. */
  deadLetters: number;
  /** Messages refused by a full mailbox. */
  refused: number;
  spawned: number;
  exited: number;
  crashed: number;
}

export interface SpawnOptions {
  /** Told of the start, when `init` is `starting`, and of the exit; its death is the child's death. */
  readonly parent?: Process;
  /** A name in the registry, taken before `init` runs. A taken name fails the start. */
  readonly name?: string;
  /** What to call it in reports and tools when it has no name: the id of its child spec. */
  readonly label?: string;
  /** Messages that may wait; more are refused and counted. */
  readonly mailboxLimit?: number;
  /** Keeps the mailbox of a crashed process, which goes on accepting, until `inherit` or `discard`. */
  readonly keepMailbox?: boolean;
  /** Takes over the mailbox that was kept. */
  readonly inherit?: Process;
  /** How often this child has been restarted before. */
  readonly restarts?: number;
}

/** What a parent gets from its children, beside `Exit`. */
export interface ChildStarted {
  readonly type: 'child-started';
  readonly pid: Pid<never>;
}

/** The outcome of starting a process: its pid, or why it never was. */
export type Started<Message> =
  | { readonly ok: true; readonly pid: Pid<Message> }
  | { readonly ok: false; readonly reason: ExitReason };

export type Status = 'starting' | 'running' | 'limbo' | 'exited';

/** One process watching another one. Its two places make taking it back cheap however many others there are. */
export interface Watch {
  readonly target: Process;
  /** The process that is told; null when `notify` is called in its place. */
  readonly owner: Process | null;
  readonly notify: ((reason: ExitReason) => void) | null;
  targetIndex: number;
  ownerIndex: number;
}

/** A look at the next messages of a process; it ends by itself. */
export interface Trace {
  record(message: unknown): void;
}

/**
 * A process as the modules of this folder see it; the class is `incarnation.ts`. The rest
 * of the program holds a `Pid` or `Self`.
 */
export interface Process extends Self<unknown> {
  readonly behaviour: { readonly name: string };
  readonly parent: Process | undefined;
  readonly restarts: number;
  readonly startedAt: number;
  readonly status: Status;
  readonly alive: boolean;
  readonly name: string | undefined;
  readonly label: string | undefined;
  readonly handled: number;
  /** What it is about, in the words of its behaviour; null: its behaviour does not say, or there is no state. */
  readonly about: string | null;
  /** Messages waiting in the mailbox, and the most that there have been when the process came to run. */
  readonly mailboxLength: number;
  readonly highWater: number;
  /** Its children, and those that it is linked with. */
  links: Set<Process> | undefined;
  /** Written by `sys.ts`. */
  state: unknown;
  suspended: boolean;
  trace: Trace | undefined;
  /** The timers that it has set; written by `timer.ts`. */
  timers: ClockTimer | Set<ClockTimer> | undefined;
  /** Watches of this process, and those that it has set itself; written by `monitor.ts`. */
  watchers: Watch[] | undefined;
  watching: Watch[] | undefined;

  /** The mailbox's entrance. False: the process is dead or its mailbox full, and the message was not taken. */
  receive(message: unknown): boolean;
  /** Takes what no limit may lose; see the function `inform`. */
  inform(message: unknown): boolean;
  /** Called by the scheduler: handles what waits, up to the budget, and then settles. */
  run(): void;
  /** Says that a `starting` process is ready for its parent to go on. */
  becomeStarted(): void;
  /** Takes an exit signal; see `exit`. */
  signal(from: Process | null, signal: ExitSignal): void;
  adopt(child: Process): void;
  resume(): void;
  /** Ends a process in limbo: nobody takes over what waits in its mailbox. */
  discard(reason: ExitReason): void;
}

/** A process for people: its name, or what it is or runs and its pid. */
export function nameOf(process: Process): string {
  return process.name ?? `${process.label ?? process.behaviour.name}${process.toString()}`;
}

/**
 * Sends a message. Never blocks and never throws; messages of one sender arrive in order.
 * False: the process is dead (counted as a dead letter) or its mailbox is full (counted as refused).
 */
export function send<Message>(to: Pid<Message>, message: Message): boolean {
  return (to as Process).receive(message);
}

/**
 * Sends news: an answer, a notice of an end, a timer's message, whatever is bounded by what was asked before and by no
 * mailbox. A full mailbox takes it too, because the process that waits for it would wait for ever. False: the process is
 * dead; nobody misses the message there, so it is no dead letter.
 */
export function inform<Message>(to: Pid<Message>, message: Message): boolean {
  return (to as Process).inform(message);
}

export function isAlive(pid: Pid<never>): boolean {
  return (pid as Process).alive;
}

/** True once nothing sent to this pid can be handled any more, by this process or by one that takes over its mailbox. */
export function isGone(pid: Pid<never>): boolean {
  return (pid as Process).status === 'exited';
}

/** Says that a process whose `init` returned `starting(state)` has started. */
export function started(self: Self<never>): void {
  (self as Process).becomeStarted();
}
