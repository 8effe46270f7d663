import type { Behaviour } from './behaviour.ts';
import { spawn } from './incarnation.ts';
import type { Pid, ProcessSystem, SpawnOptions, Started } from './process.ts';
import type { ProcessName } from './registry.ts';

/** permanent: always restarted. transient: only after a crash. temporary: never, and forgotten when it ends. */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** How long a child may take to stop, in milliseconds, before it is killed. */
export type Shutdown = number | 'infinity' | 'brutal_kill';

/** How a supervisor starts, restarts and stops one child. */
export interface ChildSpec {
  readonly id: string;
  readonly restart: Restart;
  readonly shutdown: Shutdown;
  readonly type: 'worker' | 'supervisor';
  readonly start: (system: ProcessSystem, options: SpawnOptions) => Started<never>;
}

export interface ChildOptions<Message> {
  readonly restart?: Restart;
  readonly shutdown?: Shutdown;
  readonly name?: ProcessName<Message>;
  readonly mailboxLimit?: number;
}

/** Five seconds, as in OTP. */
export const WORKER_SHUTDOWN = 5000;

export function worker<Args, State, Message>(
  id: string,
  behaviour: Behaviour<Args, State, Message>,
  args: Args,
  options: ChildOptions<Message> = {},
): ChildSpec {
  return {
    id,
    restart: options.restart ?? 'permanent',
    shutdown: options.shutdown ?? WORKER_SHUTDOWN,
    type: 'worker',
    start: starter(behaviour, args, options),
  };
}

/** What all specs share: the name and the mailbox limit go with every incarnation. */
export function starter<Args, State, Message>(
  behaviour: Behaviour<Args, State, Message>,
  args: Args,
  options: ChildOptions<Message>,
): ChildSpec['start'] {
  return (system, spawnOptions) =>
    spawn(system, behaviour, args, {
      ...spawnOptions,
      ...(options.name === undefined ? {} : { name: options.name.value }),
      ...(options.mailboxLimit === undefined ? {} : { mailboxLimit: options.mailboxLimit }),
    }) as Started<never>;
}

/** A child as `whichChildren` shows it. */
export interface ChildInfo {
  readonly id: string;
  readonly pid: Pid<never> | null;
  readonly type: 'worker' | 'supervisor';
  readonly restart: Restart;
}

/** As `supervisor:count_children/1`. */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

/** More than `intensity` restarts within `period` milliseconds, and a supervisor gives up. */
export interface RestartIntensity {
  readonly intensity: number;
  readonly period: number;
}

/** OTP's defaults: 1 restart in 5 seconds. */
export const DEFAULT_INTENSITY: RestartIntensity = { intensity: 1, period: 5000 };

/**
 * Adds a restart at `now` to the times of the earlier ones (newest first), as `supervisor:add_restart/1`: times up to
 * and including `period` ago count. Returns the times that count, and whether there are too many.
 */
export function addRestart(
  earlier: readonly number[],
  now: number,
  { intensity, period }: RestartIntensity,
): { readonly restarts: readonly number[]; readonly exceeded: boolean } {
  const restarts = [now, ...earlier.filter((time) => now - time <= period)];
  return { restarts, exceeded: restarts.length > intensity };
}
