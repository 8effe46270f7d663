import { type Behaviour, type Exit, keep, type Next } from '../../src/otp/behaviour.ts';
import type { ExitReason } from '../../src/otp/exit-reason.ts';
import { spawn } from '../../src/otp/incarnation.ts';
import type { Pid, Self, SpawnOptions } from '../../src/otp/process.ts';
import type { CrashReport, Report, SupervisorReport } from '../../src/otp/reports.ts';
import { System } from '../../src/otp/system.ts';
import { VirtualClock } from './virtual-clock.ts';

/** A system on a clock that is wound by hand, and what it has reported. */
export interface TestSystem {
  readonly system: System;
  readonly clock: VirtualClock;
  readonly reports: Report[];
  crashes(): CrashReport[];
  supervisorReports(): SupervisorReport[];
  /** Waits until no process has anything left to do. */
  quiet(): Promise<void>;
  /** Winds the clock, then waits as `quiet` does. */
  advance(milliseconds: number): Promise<void>;
}

export function testSystem(): TestSystem {
  const clock = new VirtualClock();
  const reports: Report[] = [];
  const system = new System({ clock, report: (report) => reports.push(report) });
  const quiet = () => quiescence(system);
  return {
    system,
    clock,
    reports,
    crashes: () => reports.filter((report) => report.type === 'crash'),
    supervisorReports: () => reports.filter((report) => report.type === 'supervisor'),
    quiet,
    advance: (milliseconds) => {
      clock.advance(milliseconds);
      return quiet();
    },
  };
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export async function quiescence(system: System): Promise<void> {
  do await turn();
  while (!system.scheduler.idle);
}

/** A message that a scripted process acts on by calling it. */
export type Act<State = unknown> = (self: Self<unknown>, state: State) => Next<State> | undefined;

/** What a scripted process has been through, in order. */
export interface Script {
  /** Messages that were not acts. */
  readonly got: unknown[];
  /** The reasons that `terminate` was given. */
  readonly terminated: ExitReason[];
  readonly undelivered: unknown[];
  settled: number;
}

export function script(): Script {
  return { got: [], terminated: [], undelivered: [], settled: 0 };
}

type Extra = Partial<Behaviour<unknown, unknown, unknown>>;

/** A process that does what it is sent: functions are called, everything else is written down. */
export function scripted(log: Script, extra: Extra = {}): Behaviour<unknown, unknown, unknown> {
  return {
    name: 'scripted',
    init: (_self, args) => args ?? null,
    handle(state, message, self) {
      if (typeof message === 'function') return (message as Act)(self, state) ?? keep;
      log.got.push(message);
      return keep;
    },
    settle() {
      log.settled++;
      return keep;
    },
    terminate(_state, reason) {
      log.terminated.push(reason);
    },
    undelivered(message) {
      log.undelivered.push(message);
    },
    ...extra,
  };
}

export interface Spawned {
  readonly pid: Pid<unknown>;
  readonly log: Script;
}

export function spawnScripted(system: System, extra: Extra = {}, options: SpawnOptions = {}): Spawned {
  const log = script();
  return { pid: spawnOk(system, scripted(log, extra), null, options), log };
}

/** Spawns, and throws when that fails. */
export function spawnOk<Args, State, Message>(
  system: System,
  behaviour: Behaviour<Args, State, Message>,
  args: Args,
  options: SpawnOptions = {},
): Pid<Message> {
  const result = spawn(system, behaviour, args, options);
  if (!result.ok) throw new Error(`not started: ${JSON.stringify(result.reason)}`);
  return result.pid;
}

export function isExit(message: unknown): message is Exit {
  return typeof message === 'object' && message !== null && (message as Exit).type === 'exit';
}
