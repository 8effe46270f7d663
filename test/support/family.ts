import { type Behaviour, type Exit, keep, starting, stop } from '../../src/otp/behaviour.ts';
import { type ChildOptions, type ChildSpec, worker } from '../../src/otp/child-spec.ts';
import { describeReason, type ExitReason } from '../../src/otp/exit-reason.ts';
import { isAlive, type Pid, send, started } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { type SupervisorFlags, type SupervisorMessage, supervisor } from '../../src/otp/supervisor.ts';
import { type TestSystem, testSystem } from './otp.ts';

/** What a member of a family may be told. */
type Told =
  | 'crash'
  | 'started'
  | { readonly type: 'end'; readonly reason: ExitReason }
  | { readonly type: 'answer'; readonly back: (id: string) => void }
  | Exit;

export interface MemberOptions extends ChildOptions<Told> {
  /** Says that it has started only when told so. */
  readonly slowStart?: boolean;
  /** Traps exits, and ends only when told to. */
  readonly slowStop?: boolean;
}

/** A supervisor and its children under test, and what happened to them in order: `+a` started, `-a` ended. */
export interface Family extends TestSystem {
  readonly events: string[];
  /** How many of the next starts of this child fail. */
  readonly failing: Map<string, number>;
  member(id: string, options?: MemberOptions): ChildSpec;
  start(flags: SupervisorFlags, children: readonly ChildSpec[]): Promise<Pid<SupervisorMessage>>;
  pid(id: string): Pid<Told>;
  /** It has been started at least once. */
  known(id: string): boolean;
  tell(id: string, message: Told): void;
  crash(...ids: string[]): Promise<void>;
  end(id: string, reason: ExitReason): Promise<void>;
  /** The ids of the members that live, in the order they started. */
  living(): string[];
  /** The events since the last look, in one line. */
  seen(): string;
}

export function family(): Family {
  const world = testSystem();
  const { system, quiet } = world;
  const events: string[] = [];
  const failing = new Map<string, number>();
  const pids = new Map<string, Pid<Told>>();

  const memberOf = (id: string, { slowStart, slowStop }: MemberOptions): Behaviour<null, null, Told> => ({
    name: 'member',
    trapExit: slowStop ?? false,
    init(self) {
      const left = failing.get(id) ?? 0;
      if (left > 0) {
        failing.set(id, left - 1);
        events.push(`!${id}`);
        return stop({ stop: `${id} cannot start` });
      }
      events.push(`+${id}`);
      pids.delete(id);
      pids.set(id, self);
      return slowStart ? starting(null) : null;
    },
    handle(_state, message, self) {
      if (message === 'crash') throw new Error(`${id} crashed`);
      if (message === 'started') started(self);
      else if (message.type === 'end') return stop(message.reason);
      else if (message.type === 'answer') message.back(id);
      else events.push(`?${id}`);
      return keep;
    },
    terminate() {
      events.push(`-${id}`);
    },
  });

  const pid = (id: string): Pid<Told> => {
    const found = pids.get(id);
    if (found === undefined) throw new Error(`${id} never started`);
    return found;
  };
  return {
    ...world,
    events,
    failing,
    member: (id, options = {}) => worker(id, memberOf(id, options), null, options),
    async start(flags, children) {
      const result = supervisor('family', flags, children).start(system, { label: 'family' });
      if (!result.ok) throw new Error(describeReason(result.reason));
      await quiet();
      return result.pid as Pid<SupervisorMessage>;
    },
    pid,
    known: (id) => pids.has(id),
    tell: (id, message) => {
      send(pid(id), message);
    },
    crash(...ids) {
      for (const id of ids) send(pid(id), 'crash');
      return quiet();
    },
    end(id, reason) {
      send(pid(id), { type: 'end', reason });
      return quiet();
    },
    living: () => [...pids].filter(([, member]) => isAlive(member)).map(([id]) => id),
    seen: () => events.splice(0).join(' '),
  };
}

/** Ends a process by a signal, as its parent would. */
export function shutdown(pid: Pid<never>): void {
  exit(pid, 'shutdown');
}
