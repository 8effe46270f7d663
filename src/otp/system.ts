import { type Clock, systemClock } from './clock.ts';
import type { Process, ProcessSystem, SystemCounters } from './process.ts';
import type { Report } from './reports.ts';
import { Scheduler } from './scheduler.ts';

export interface SystemOptions {
  /** Takes crash and supervisor reports; it must not throw. Default: nobody hears of them. */
  readonly report?: (report: Report) => void;
  readonly clock?: Clock;
}

/** One node's worth of processes: a scheduler, a clock, names and pids. Nothing here is global. */
export class System implements ProcessSystem {
  readonly clock: Clock;
  readonly scheduler = new Scheduler();
  readonly report: (report: Report) => void;
  readonly counters: SystemCounters = { deadLetters: 0, refused: 0, spawned: 0, exited: 0, crashed: 0 };
  readonly processes = new Map<number, Process>();
  readonly names = new Map<string, Process>();
  readonly restarts = new Map<string, number>();
  lateTimers = 0;
  lastId = 0;

  constructor(options: SystemOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.report = options.report ?? (() => undefined);
  }

  halt(): void {
    this.scheduler.stop();
  }
}
