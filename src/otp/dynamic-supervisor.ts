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
import { spawn } from './incarnation.ts';
import { nameOf, type Pid, type Process, type Self, type Started, send } from './process.ts';
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

interface State<Args, ChildState, Message> {
  readonly self: Self<DynamicSupervisorMessage<Args, Message>>;
  readonly template: Template<Args, ChildState, Message>;
  readonly intensity: RestartIntensity;
  /** Every child with what it was started with. */
  readonly children: Map<Process, Args>;
  /** Children that crashed and are to be tried again. */
  readonly retrying: Map<Process, Args>;
  restarts: readonly number[];
  /** Set while the children stop. */
  stopping: ExitReason | undefined;
}

function behaviourOf<Args, S, Message>(): Behaviour<
  Template<Args, S, Message>,
  State<Args, S, Message>,
  DynamicSupervisorMessage<Args, Message>
> {
  return {
    name: 'dynamic-supervisor',
    trapExit: true,

    init(self, template) {
      const { intensity, period } = { ...DEFAULT_INTENSITY, ...template };
      return {
        self,
        template,
        intensity: { intensity, period },
        children: new Map(),
        retrying: new Map(),
        restarts: [],
        stopping: undefined,
      };
    },

    handle(state, message) {
      switch (message.type) {
        case 'start-child':
          start(state, message.args, message.started);
          return keep;
        case 'exit':
          return onExit(state, message);
        case 'try-again':
          return tryAgain(state, message.dead, message.args, message.restarts);
        case 'too-slow':
          for (const child of state.children.keys()) exit(child, 'kill');
          return keep;
        case 'which':
          message.reply([...state.children.keys()].map((child) => childInfo(child, state.template)));
          return keep;
        case 'count': {
          const active = state.children.size;
          message.reply({ specs: 1, active, supervisors: 0, workers: active });
          return keep;
        }
      }
    },

    terminate: abandonRetrying,
    salvage: abandonRetrying,

    // Ended with the news of a crash still in the mailbox: nobody is left to hand that child's mailbox on.
    undelivered(message, reason, state) {
      if (message.type === 'exit') abandonDead(state, message);
      else if (message.type === 'try-again') message.dead.discard(reason);
      else if (message.type === 'start-child') message.started?.({ ok: false, reason });
    },
  };
}

function start<Args, S, Message>(
  state: State<Args, S, Message>,
  args: Args,
  started?: (result: Started<Message>) => void,
): void {
  if (state.stopping !== undefined) {
    started?.({ ok: false, reason: 'shutdown' });
    return;
  }
  const result = spawnChild(state, args, 0);
  if (!result.ok) report(state, 'start_error', result.reason, null);
  started?.(result);
}

function spawnChild<Args, S, Message>(
  state: State<Args, S, Message>,
  args: Args,
  restarts: number,
  inherit?: Process,
): Started<Message> {
  const { self, template } = state;
  const result = spawn(self.system, template.behaviour, args, {
    parent: self as Process,
    restarts,
    keepMailbox: template.keepMailbox ?? false,
    ...(template.mailboxLimit === undefined ? {} : { mailboxLimit: template.mailboxLimit }),
    ...(inherit === undefined ? {} : { inherit }),
  });
  if (result.ok) state.children.set(result.pid as Process, args);
  return result;
}

function onExit<Args, S, Message>(state: State<Args, S, Message>, { from, reason }: Exit): Next<never> {
  const child = from as Process | null;
  const args = child === null ? undefined : state.children.get(child);
  if (child === null || child === (state.self as Process).parent) return stopAll(state, reason);
  if (args === undefined && !state.children.has(child)) return keep;
  state.children.delete(child);
  const crashed = !isOrderly(reason);
  if (state.stopping !== undefined) {
    child.discard(reason);
    if (crashed) {
      report(state, 'shutdown_error', reason, child);
      state.template.abandoned?.(args as Args);
    }
    return state.children.size === 0 ? stop(state.stopping) : keep;
  }
  if (crashed) report(state, 'child_terminated', reason, child);
  const { restart: kind } = state.template;
  if (kind === 'permanent' || (kind === 'transient' && crashed)) {
    return restart(state, child, args as Args, child.restarts + 1);
  }
  child.discard(reason);
  if (crashed) state.template.abandoned?.(args as Args);
  return keep;
}

function restart<Args, S, Message>(
  state: State<Args, S, Message>,
  dead: Process,
  args: Args,
  restarts: number,
): Next<never> {
  const added = addRestart(state.restarts, now(state.self), state.intensity);
  state.restarts = added.restarts;
  if (added.exceeded) {
    report(state, 'shutdown', { stop: 'reached_max_restart_intensity' }, dead);
    state.retrying.set(dead, args);
    return stopAll(state, 'shutdown');
  }
  const result = spawnChild(state, args, restarts, dead);
  if (result.ok) return keep;
  report(state, 'start_error', result.reason, null);
  state.retrying.set(dead, args);
  const again: DynamicSupervisorMessage<Args, Message> = {
    type: 'try-again',
    args,
    dead,
    restarts: restarts + 1,
  };
  (state.self as Process).inform(again);
  return keep;
}

function tryAgain<Args, S, Message>(
  state: State<Args, S, Message>,
  dead: Process,
  args: Args,
  restarts: number,
): Next<never> {
  // While the others stop nobody is started any more: this one is abandoned when they have.
  if (state.stopping !== undefined) return keep;
  state.retrying.delete(dead);
  return restart(state, dead, args, restarts);
}

function stopAll<Args, S, Message>(state: State<Args, S, Message>, reason: ExitReason): Next<never> {
  if (state.stopping !== undefined) return keep;
  if (state.children.size === 0) return stop(reason);
  state.stopping = reason;
  const shutdown = state.template.shutdown ?? WORKER_SHUTDOWN;
  if (typeof shutdown === 'number') sendAfter(state.self, shutdown, { type: 'too-slow' });
  const signal = shutdown === 'brutal_kill' ? 'kill' : 'shutdown';
  for (const child of [...state.children.keys()]) exit(child, signal, state.self);
  return keep;
}

/** Children that wait for another try go with their supervisor. */
function abandonRetrying<Args, S, Message>({ retrying, template }: State<Args, S, Message>): void {
  for (const [dead, args] of retrying) {
    dead.discard('shutdown');
    template.abandoned?.(args);
  }
  retrying.clear();
}

/** A child ended when its supervisor was about to. */
function abandonDead<Args, S, Message>(
  state: State<Args, S, Message> | undefined,
  { from, reason }: Exit,
): void {
  const child = from as Process | null;
  child?.discard(reason);
  const args = child === null ? undefined : state?.children.get(child);
  if (child === null || state?.children.delete(child) !== true) return;
  if (!isOrderly(reason)) state.template.abandoned?.(args as Args);
}

function childInfo(child: Process, { restart }: { readonly restart: Restart }): ChildInfo {
  return { id: nameOf(child), pid: child, type: 'worker', restart };
}

function report<Args, S, Message>(
  state: State<Args, S, Message>,
  context: SupervisorReport['context'],
  reason: ExitReason,
  child: Process | null,
): void {
  const { self, template } = state;
  self.system.report({
    type: 'supervisor',
    supervisor: nameOf(self as Process),
    context,
    reason: describeReason(reason),
    offender: {
      id: template.behaviour.name,
      pid: child?.toString() ?? null,
      restart: template.restart,
      type: 'worker',
    },
  });
}
