import type { ExitSignal } from './exit-reason.ts';
import type { Pid, Process, Self } from './process.ts';

/**
 * Sends an exit signal, as `exit/2`: `kill` ends any process at once, without `terminate`; another reason reaches a
 * process that traps exits as an `Exit` message and ends any other one, except that `normal` is ignored.
 */
export function exit(to: Pid<never>, signal: ExitSignal, from: Pid<never> | null = null): void {
  (to as Process).signal(from as Process | null, signal);
}

/** Ties two processes: when one ends, the other gets an exit signal with the same reason. */
export function link(self: Self<never>, other: Pid<never>): void {
  const a = self as Process;
  const b = other as Process;
  if (!a.alive) return;
  if (!b.alive) {
    a.signal(b, 'noproc');
    return;
  }
  a.adopt(b);
  b.adopt(a);
}

export function unlink(self: Self<never>, other: Pid<never>): void {
  (self as Process).links?.delete(other as Process);
  (other as Process).links?.delete(self as Process);
}
