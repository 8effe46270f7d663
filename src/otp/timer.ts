import type { ClockTimer } from './clock.ts';
import type { Pid, Process, ProcessSystem, Self } from './process.ts';

/** A message that is still to come. */
export interface Timer {
  cancel(): void;
}

/**
 * Sends `message` to oneself after `delay` milliseconds. The timer ends with its process. `cancel` before it has fired
 * takes it back; one that has fired may have its message in the mailbox already.
 */
export function sendAfter<Message>(self: Self<Message>, delay: number, message: Message): Timer {
  const timer = new ProcessTimer(self as Process, message);
  if (timer.process.alive) timer.start(delay);
  return timer;
}

/** Milliseconds by which a timer is late when the event loop has stood still. */
const LATE = 50;

/**
 * After the loop has stood still (for a collection, or because the whole machine did), timers come before what has
 * arrived meanwhile. Most timers wait for exactly that, and would take for silent a peer that has answered long ago: a
 * late timer lets the sockets be read first, and so do the timers behind it, to keep their order.
 */
class LateTimer implements ClockTimer {
  readonly #system: ProcessSystem;
  #immediate: NodeJS.Immediate | undefined;

  constructor(system: ProcessSystem, action: () => void) {
    this.#system = system;
    system.lateTimers++;
    this.#immediate = setImmediate(() => {
      this.cancel();
      action();
    });
  }

  cancel(): void {
    if (this.#immediate === undefined) return;
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#system.lateTimers--;
  }
}

/** Most processes have one timer at a time: `Process.timers` is that timer, and a set only when there are more. */
class ProcessTimer implements Timer {
  readonly process: Process;
  readonly message: unknown;
  #clockTimer: ClockTimer | undefined = undefined;

  constructor(process: Process, message: unknown) {
    this.process = process;
    this.message = message;
  }

  start(delay: number): void {
    const { process } = this;
    const { clock } = process.system;
    // A whole number takes no memory of its own: every connection has a timer.
    const due = Math.ceil(clock.now() + delay);
    this.#clockTimer = clock.after(delay, () => this.#ring(due));
    if (process.timers === undefined) process.timers = this;
    else if (process.timers instanceof Set) process.timers.add(this);
    else process.timers = new Set([process.timers, this]);
  }

  #ring(due: number): void {
    const { system } = this.process;
    if (system.lateTimers > 0 || system.clock.now() - due > LATE)
      this.#clockTimer = new LateTimer(system, () => this.#deliver());
    else this.#deliver();
  }

  #deliver(): void {
    this.#forget();
    this.process.inform(this.message);
  }

  cancel(): void {
    this.#clockTimer?.cancel();
    this.#forget();
  }

  #forget(): void {
    const { process } = this;
    if (process.timers === this) process.timers = undefined;
    else if (process.timers instanceof Set) process.timers.delete(this);
  }
}

/** Cancels what a process has set. */
export function cancelTimers(process: Process): void {
  const { timers } = process;
  process.timers = undefined;
  if (timers instanceof Set) for (const timer of timers) timer.cancel();
  else timers?.cancel();
}

/** Milliseconds on the clock of the process's system. */
export function now(self: Self<never>): number {
  return self.system.clock.now();
}

/** Milliseconds since the process started. */
export function uptime(pid: Pid<never>): number {
  const process = pid as Process;
  return process.system.clock.now() - process.startedAt;
}
