import { type Behaviour, type Exit, keep, type Next, stop } from './behaviour.ts';
import type { Reply } from './call.ts';
import {
  addRestart,
  type ChildCounts,
  type ChildInfo,
  type ChildOptions,
  type ChildSpec,
  DEFAULT_INTENSITY,
  type Restart,
  type RestartIntensity,
  type Shutdown,
  starter,
  WORKER_SHUTDOWN,
} from './child-spec.ts';
import { describeReason, type ExitReason, isOrderly } from './exit-reason.ts';
import { aboutOf, spawn } from './incarnation.ts';
import { inform, nameOf, type Pid, type Process, type Self, type Started, send } from './process.ts';
import type { SupervisorReport } from './reports.ts';
import { exit } from './signal.ts';
import { now, sendAfter } from './timer.ts';

/**
 * A supervisor of any number of alike children that are started on demand, as OTP's `simple_one_for_one`: one
 * template, restarts one by one, and all children stopped at the same time.
 */

export interface Template<Args, State, Message> extends Partial<RestartIntensity> {
  readonly behaviour: Behaviour<Args, State, Message>;
  readonly restart: Restart;
  readonly shutdown?: Shutdown;
  readonly mailboxLimit?: number;
  /** A restarted child goes on with the mailbox of the one that crashed; see `SpawnOptions.keepMailbox`. */
  readonly keepMailbox?: boolean;
  /** Told, within the supervisor, of a child that crashed or was killed and is not coming back. It must not throw. */
  readonly abandoned?: (args: Args) => void;
}

export type DynamicSupervisorMessage<Args, Message> =
  | Exit
  | {
      readonly type: 'start-child';
      readonly args: Args;
      /** Called with the outcome, within the supervisor: it must not throw. */
      readonly started?: ((result: Started<Message>) => void) | undefined;
    }
  | { readonly type: 'try-again'; readonly args: Args; readonly dead: Process; readonly restarts: number }
  | { readonly type: 'too-slow' }
  | { readonly type: 'which'; readonly reply: Reply<ChildInfo[]> }
  | { readonly type: 'count'; readonly reply: Reply<ChildCounts> };

export function dynamicSupervisor<Args, State, Message>(
  id: string,
  template: Template<Args, State, Message>,
  options: ChildOptions<DynamicSupervisorMessage<Args, Message>> = {},
): ChildSpec {
  return {
    id,
    restart: options.restart ?? 'permanent',
    shutdown: options.shutdown ?? 'infinity',
    type: 'supervisor',
    start: starter(behaviourOf<Args, State, Message>(), template, options),
  };
}

/** Starts a child. False: the supervisor is dead or its mailbox full, and `started` is never called. */
export function startDynamicChild<Args, Message>(
  supervisor: Pid<DynamicSupervisorMessage<Args, Message>>,
  args: Args,
  started?: (result: Started<Message>) => void,
): boolean {
  return send(supervisor, { type: 'start-child', args, started });
}

function behaviourOf<Args, State, Message>(): Behaviour<
  Template<Args, State, Message>,
  Children<Args, State, Message>,
  DynamicSupervisorMessage<Args, Message>
> {
  return {
    name: 'dynamic-supervisor',
    trapExit: true,
    init: (self, template) => new Children(self, template),
    handle: (children, message) => children.handle(message),
    terminate: (children) => children.abandonRetrying(),
    salvage: (children) => children.abandonRetrying(),

    // Ended with the news of a crash still in the mailbox: nobody is left to hand that child's mailbox on.
    undelivered(message, reason, children) {
      if (message.type === 'try-again') message.dead.discard(reason);
      else if (message.type === 'start-child') message.started?.({ ok: false, reason });
      else if (message.type === 'exit') {
        (message.from as Process | null)?.discard(message.reason);
        children?.abandonDead(message);
      }
    },
  };
}

class Children<Args, State, Message> {
  readonly #self: Self<DynamicSupervisorMessage<Args, Message>>;
  readonly #template: Template<Args, State, Message>;
  readonly #intensity: RestartIntensity;
  /** Every child with what it was started with. */
  readonly #children = new Map<Process, Args>();
  /** Children that crashed and are to be tried again. */
  readonly #retrying = new Map<Process, Args>();
  #restarts: readonly number[] = [];
  /** Set while the children stop. */
  #stopping: ExitReason | undefined = undefined;

  constructor(self: Self<DynamicSupervisorMessage<Args, Message>>, template: Template<Args, State, Message>) {
    this.#self = self;
    this.#template = template;
    this.#intensity = { ...DEFAULT_INTENSITY, ...template };
  }

  handle(message: DynamicSupervisorMessage<Args, Message>): Next<never> {
    switch (message.type) {
      case 'start-child':
        this.#start(message.args, message.started);
        return keep;
      case 'exit':
        return this.#onExit(message);
      case 'try-again':
        return this.#tryAgain(message.dead, message.args, message.restarts);
      case 'too-slow':
        for (const child of this.#children.keys()) exit(child, 'kill');
        return keep;
      case 'which': {
        const { restart } = this.#template;
        message.reply(
          Array.from(this.#children.keys(), (pid) => ({ id: nameOf(pid), pid, type: 'worker', restart })),
        );
        return keep;
      }
      case 'count': {
        const active = this.#children.size;
        message.reply({ specs: 1, active, supervisors: 0, workers: active });
        return keep;
      }
    }
  }

  /** Children that wait for another try go with their supervisor. */
  abandonRetrying(): void {
    for (const [dead, args] of this.#retrying) {
      dead.discard('shutdown');
      this.#template.abandoned?.(args);
    }
    this.#retrying.clear();
  }

  /** A child ended when its supervisor was about to. */
  abandonDead({ from, reason }: Exit): void {
    const child = from as Process;
    const args = this.#children.get(child);
    if (this.#children.delete(child) && !isOrderly(reason)) this.#template.abandoned?.(args as Args);
  }

  #start(args: Args, started?: (result: Started<Message>) => void): void {
    if (this.#stopping !== undefined) {
      started?.({ ok: false, reason: 'shutdown' });
      return;
    }
    const result = this.#spawn(args, 0);
    if (!result.ok) this.#report('start_error', result.reason, null, args);
    started?.(result);
  }

  #spawn(args: Args, restarts: number, inherit?: Process): Started<Message> {
    const { behaviour, keepMailbox = false, mailboxLimit } = this.#template;
    const result = spawn(this.#self.system, behaviour, args, {
      parent: this.#self as Process,
      restarts,
      keepMailbox,
      ...(mailboxLimit === undefined ? {} : { mailboxLimit }),
      ...(inherit === undefined ? {} : { inherit }),
    });
    if (result.ok) this.#children.set(result.pid as Process, args);
    return result;
  }

  #onExit({ from, reason }: Exit): Next<never> {
    const child = from as Process | null;
    if (child === null || child === (this.#self as Process).parent) return this.#stopAll(reason);
    const args = this.#children.get(child) as Args;
    if (!this.#children.delete(child)) return keep;
    const crashed = !isOrderly(reason);
    if (this.#stopping !== undefined) {
      child.discard(reason);
      if (crashed) {
        this.#report('shutdown_error', reason, child, args);
        this.#template.abandoned?.(args);
      }
      return this.#children.size === 0 ? stop(this.#stopping) : keep;
    }
    if (crashed) this.#report('child_terminated', reason, child, args);
    const { restart } = this.#template;
    if (restart === 'permanent' || (restart === 'transient' && crashed))
      return this.#restart(child, args, child.restarts + 1);
    child.discard(reason);
    if (crashed) this.#template.abandoned?.(args);
    return keep;
  }

  #restart(dead: Process, args: Args, restarts: number): Next<never> {
    const added = addRestart(this.#restarts, now(this.#self), this.#intensity);
    this.#restarts = added.restarts;
    if (added.exceeded) {
      this.#report('shutdown', { stop: 'reached_max_restart_intensity' }, dead, args);
      this.#retrying.set(dead, args);
      return this.#stopAll('shutdown');
    }
    const result = this.#spawn(args, restarts, dead);
    if (result.ok) return keep;
    this.#report('start_error', result.reason, null, args);
    this.#retrying.set(dead, args);
    inform(this.#self, { type: 'try-again', args, dead, restarts: restarts + 1 });
    return keep;
  }

  #tryAgain(dead: Process, args: Args, restarts: number): Next<never> {
    // While the children stop none is started any more: this one is abandoned with the supervisor.
    if (this.#stopping !== undefined) return keep;
    this.#retrying.delete(dead);
    return this.#restart(dead, args, restarts);
  }

  #stopAll(reason: ExitReason): Next<never> {
    if (this.#stopping !== undefined) return keep;
    if (this.#children.size === 0) return stop(reason);
    this.#stopping = reason;
    const { shutdown = WORKER_SHUTDOWN } = this.#template;
    if (typeof shutdown === 'number') sendAfter(this.#self, shutdown, { type: 'too-slow' });
    const signal = shutdown === 'brutal_kill' ? 'kill' : 'shutdown';
    for (const child of [...this.#children.keys()]) exit(child, signal, this.#self);
    return keep;
  }

  #report(context: SupervisorReport['context'], reason: ExitReason, child: Process | null, args: Args): void {
    const { behaviour, restart } = this.#template;
    this.#self.system.report({
      type: 'supervisor',
      supervisor: nameOf(this.#self as Process),
      context,
      reason: describeReason(reason),
      offender: {
        id: behaviour.name,
        pid: child?.toString() ?? null,
        restart,
        type: 'worker',
        about: aboutOf(behaviour, args),
      },
    });
  }
}
