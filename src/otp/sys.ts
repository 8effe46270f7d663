import { type ProcessView, viewOf } from './inspect.ts';
import type { Pid, Process, Trace } from './process.ts';

/**
 * Looks into a live process and takes hold of it, as OTP's `sys`. A callback always runs to its end before anything
 * else does, so these act at once, between two messages, and need no message of their own.
 */

export interface Statistics {
  readonly pid: string;
  readonly name: string;
  readonly initialCall: string;
  readonly status: ProcessView['status'];
  readonly mailboxLength: number;
  /** The longest that the mailbox has been when the process came to run. */
  readonly mailboxHighWater: number;
  readonly handled: number;
  /** How often the child has been restarted before this incarnation. */
  readonly restarts: number;
  /** Milliseconds. */
  readonly uptime: number;
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
  return {
    pid: ref,
    name,
    initialCall: behaviour,
    status,
    mailboxLength: mailbox,
    mailboxHighWater,
    handled,
    restarts,
    uptime,
  };
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
