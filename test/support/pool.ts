import { type Behaviour, type Exit, keep, stop } from '../../src/otp/behaviour.ts';
import {
  type DynamicSupervisorMessage,
  dynamicSupervisor,
  startDynamicChild,
  type Template,
} from '../../src/otp/dynamic-supervisor.ts';
import { describeReason, type ExitReason } from '../../src/otp/exit-reason.ts';
import { type Pid, type Process, type Started, send } from '../../src/otp/process.ts';
import { type TestSystem, testSystem } from './otp.ts';

/** What a worker of the pool may be sent; a text is handled by writing it down. */
export type Job = string | { readonly type: 'end'; readonly reason: ExitReason } | Exit;

/** A dynamic supervisor under test, and what became of its children and their messages. */
export interface Pool extends TestSystem {
  readonly pid: Pid<DynamicSupervisorMessage<string, Job>>;
  /** `a:text`: handled by the child started with `a`. */
  readonly handled: string[];
  readonly undelivered: string[];
  readonly abandoned: string[];
  /** The starts and terminations: `+a`, `-a`, and `!a` for a failed start. */
  readonly events: string[];
  /** How many of the next starts of this child fail. */
  readonly failing: Map<string, number>;
  add(...ids: string[]): Promise<void>;
  /** The newest incarnation. */
  child(id: string): Pid<Job>;
  send(id: string, ...jobs: Job[]): void;
}

export interface PoolOptions extends Partial<Omit<Template<string, null, Job>, 'behaviour' | 'abandoned'>> {
  readonly parent?: Process;
  /** Traps exits, and ends only when told to. */
  readonly slowStop?: boolean;
}

export function pool({ parent, slowStop, ...options }: PoolOptions = {}): Pool {
  const world = testSystem();
  const log = {
    handled: [] as string[],
    undelivered: [] as string[],
    abandoned: [] as string[],
    events: [] as string[],
  };
  const failing = new Map<string, number>();
  const children = new Map<string, Pid<Job>>();
  const behaviour: Behaviour<string, string, Job> = {
    name: 'pool-worker',
    trapExit: slowStop ?? false,
    about: (id) => `job ${id}`,
    init(self, id) {
      const left = failing.get(id) ?? 0;
      if (left > 0) {
        failing.set(id, left - 1);
        log.events.push(`!${id}`);
        return stop({ stop: 'cannot start' });
      }
      log.events.push(`+${id}`);
      children.set(id, self);
      return id;
    },
    handle(id, job) {
      if (job === 'crash') throw new Error(`${id} crashed`);
      if (typeof job === 'string') log.handled.push(`${id}:${job}`);
      else if (job.type === 'end') return stop(job.reason);
      return keep;
    },
    terminate(id) {
      log.events.push(`-${id}`);
    },
    undelivered(job) {
      if (typeof job === 'string') log.undelivered.push(job);
    },
  };
  const spec = dynamicSupervisor('pool', {
    restart: 'permanent',
    ...options,
    behaviour,
    abandoned: (id) => log.abandoned.push(id),
  });
  const result = spec.start(world.system, { label: 'pool', ...(parent === undefined ? {} : { parent }) });
  if (!result.ok) throw new Error(describeReason(result.reason));
  const pid = result.pid as Pid<DynamicSupervisorMessage<string, Job>>;
  const child = (id: string): Pid<Job> => {
    const found = children.get(id);
    if (found === undefined) throw new Error(`${id} never started`);
    return found;
  };
  return {
    ...world,
    ...log,
    pid,
    failing,
    child,
    async add(...ids) {
      for (const id of ids) startDynamicChild(pid, id);
      await world.quiet();
    },
    send(id, ...jobs) {
      for (const job of jobs) send(child(id), job);
    },
  };
}

/** Starts a child, and waits for the outcome. */
export function addOne({ pid }: Pool, id: string): Promise<Started<Job>> {
  return new Promise((resolve) => startDynamicChild(pid, id, resolve));
}
