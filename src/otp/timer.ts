import type { ClockTimer } from './clock.ts';
import type { Pid, Process, Self } from './process.ts';

/** A message that is still to come. */
export interface Timer {
  cancel(): void;
}

/**
 * Sends `message` to oneself after `delay` milliseconds. The timer ends with its process. `cancel` before it has fired
 * takes it back; one that has fired may have its message in the mailbox already.
 */
export function sendAfter<Message>(self: Self<Message>, delay: number, message: Message): Timer {
  const process = self as Process;
  if (!process.alive) return { cancel: () => undefined };
  const fire = () => {
    process.timers?.delete(timer);
    process.inform(message);
  };
  const timer: ClockTimer = process.system.clock.after(delay, fire);
  process.timers ??= new Set();
  process.timers.add(timer);
  return {
    cancel: () => {
      timer.cancel();
      process.timers?.delete(timer);
    },
  };
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
