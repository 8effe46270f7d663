import type { Behaviour } from './behaviour.ts';
import { type Clock, systemClock } from './clock.ts';
import type { ExitReason } from './exit-reason.ts';
import { type Pid, Process, type SpawnOptions } from './process.ts';
import type { Report } from './reports.ts';
import { Scheduler } from './scheduler.ts';

export interface SystemOptions {
  /** Takes crash and supervisor reports; it must not throw. Default: nobody hears of them. */
  readonly report?: (report: Report) => void;
  readonly clock?: Clock;
}

/** The outcome of starting a process: its pid, or why it never was. */
export type Started<Message> =
  | { readonly ok: true; readonly pid: Pid<Message> }
  | { readonly ok: false; readonly reason: ExitReason };

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

/** One node's worth of processes: a scheduler, a clock, names and pids. Nothing here is global. */
export class System {
  readonly clock: Clock;
  readonly scheduler = new Scheduler();
  readonly report: (report: Report) => void;
  readonly counters: SystemCounters = { deadLetters: 0, refused: 0, spawned: 0, exited: 0, crashed: 0 };
  /** Every live process by the number of its pid. */
  readonly processes = new Map<number, Process>();
  /** Every live process that has a name; see `registry.ts`. */
  readonly names = new Map<string, Process>();
  /** Restarts of children by their supervisor's name or id. */
  readonly restarts = new Map<string, number>();
  /** Timers that have rung, and wait for the sockets to be read; see `timer.ts`. */
  lateTimers = 0;
  #lastId = 0;

  constructor(options: SystemOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.report = options.report ?? (() => undefined);
  }

  /** A number that no process of this system ever had: a pid names one incarnation for ever. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** Starts a process and runs its `init`. Children are started by their supervisor. */
  spawn<Args, State, Message>(
    behaviour: Behaviour<Args, State, Message>,
    args: Args,
    options: SpawnOptions = {},
  ): Started<Message> {
    const process = new Process(this, behaviour as Behaviour<unknown, unknown, unknown>, options);
    const failure = process.start(args, options.inherit);
    return failure === undefined
      ? { ok: true, pid: process as Pid<Message> }
      : { ok: false, reason: failure };
  }

  /** Ends the scheduler. What still runs stays as it is, and never runs again. */
  halt(): void {
    this.scheduler.stop();
  }
}
