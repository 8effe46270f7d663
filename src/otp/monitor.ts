import type { Down } from './behaviour.ts';
import type { ExitReason } from './exit-reason.ts';
import type { Pid, Process, Self, Watch } from './process.ts';

/** A `targetIndex`: the watch was taken back while the target's watchers were being told of its death. */
const TAKEN_BACK = -1;

/** A monitor, to be taken back with `demonitor`. */
export type MonitorRef = Watch | null;

/**
 * Watches a process: a `Down` message comes exactly once, when it ends, or at once with `noproc` when it is dead.
 * It says nothing about why the two know each other: watching one process twice brings two messages.
 */
export function monitor(self: Self<Down>, target: Pid<never>): MonitorRef {
  const owner = self as Process;
  const process = target as Process;
  if (!owner.alive) return null;
  if (!process.alive) {
    owner.inform({ type: 'down', pid: target, reason: 'noproc' } satisfies Down);
    return null;
  }
  const watch = add({ target: process, owner, notify: null, targetIndex: 0, ownerIndex: 0 });
  if (owner.watching === undefined) owner.watching = [watch];
  else watch.ownerIndex = owner.watching.push(watch) - 1;
  return watch;
}

/** Watches from outside the processes. `notify` runs at once when the target is dead already; it must not throw. */
export function watch(target: Pid<never>, notify: (reason: ExitReason) => void): MonitorRef {
  const process = target as Process;
  if (!process.alive) {
    notify('noproc');
    return null;
  }
  return add({ target: process, owner: null, notify, targetIndex: 0, ownerIndex: 0 });
}

/** Takes a monitor back. A `Down` that is in the mailbox already still arrives. */
export function demonitor(ref: MonitorRef): void {
  if (ref === null) return;
  removeFromTarget(ref);
  removeFromOwner(ref);
  ref.targetIndex = TAKEN_BACK;
}

/** Tells all who watch `target`. */
export function fireMonitors(target: Process, reason: ExitReason): void {
  const watchers = target.watchers;
  target.watchers = undefined;
  if (watchers === undefined) return;
  for (const watch of watchers) {
    removeFromOwner(watch);
    if (watch.targetIndex === TAKEN_BACK) continue;
    watch.owner?.inform({ type: 'down', pid: target, reason } satisfies Down);
    watch.notify?.(reason);
  }
}

/** Takes back all that `owner` watches. */
export function dropMonitors(owner: Process): void {
  const watching = owner.watching;
  owner.watching = undefined;
  if (watching !== undefined) for (const watch of watching) removeFromTarget(watch);
}

function add(watch: Watch): Watch {
  // Most processes are watched by one other: a literal is as small as that, a pushed array is not.
  const { target } = watch;
  if (target.watchers === undefined) target.watchers = [watch];
  else watch.targetIndex = target.watchers.push(watch) - 1;
  return watch;
}

function removeFromTarget(watch: Watch): void {
  const list = watch.target.watchers;
  if (list?.[watch.targetIndex] !== watch) return;
  const last = list.pop() as Watch;
  if (last === watch) return;
  list[watch.targetIndex] = last;
  last.targetIndex = watch.targetIndex;
}

function removeFromOwner(watch: Watch): void {
  const list = watch.owner?.watching;
  if (list?.[watch.ownerIndex] !== watch) return;
  const last = list.pop() as Watch;
  if (last === watch) return;
  list[watch.ownerIndex] = last;
  last.ownerIndex = watch.ownerIndex;
}
