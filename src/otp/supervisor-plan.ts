import { type Exit, keep, type Next, stop } from './behaviour.ts';
import type { Reply } from './call.ts';
import type { ChildSpec } from './child-spec.ts';
import { describeReason, type ExitReason, isOrderly } from './exit-reason.ts';
import type { Pid, Process, Self } from './process.ts';
import { nameOf, type SupervisorReport } from './reports.ts';
import { addRestart, type RestartIntensity } from './restart-intensity.ts';
import { exit } from './signal.ts';
import type { ChildResult, SupervisorMessage } from './supervisor.ts';
import { now, sendAfter, type Timer } from './timer.ts';

/**
 * What a supervisor does in several steps: a list of stops and starts that is carried out one by one, where a step may
 * have to wait for a child's exit or start.
 */

export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

export interface Child {
  readonly spec: ChildSpec;
  pid: Pid<never> | undefined;
  restarts: number;
  /** A restart that failed is tried again, once the supervisor has looked at its mailbox. */
  retrying: boolean;
}

export interface Step {
  readonly action: 'stop' | 'start';
  readonly child: Child;
}

/** What the plan is for. `idle`: there is none. */
export type Phase =
  | { readonly name: 'idle' | 'starting' | 'restarting' }
  | { readonly name: 'changing'; readonly child: Child; readonly reply: Reply<ChildResult> }
  | { readonly name: 'stopping'; readonly reason: ExitReason };

export interface SupervisorState {
  readonly self: Self<SupervisorMessage>;
  readonly id: string;
  readonly strategy: Strategy;
  readonly intensity: RestartIntensity;
  /** In start order. */
  children: Child[];
  restarts: readonly number[];
  phase: Phase;
  plan: Step[];
  /** The step under way, when it has to wait. */
  current: Step | undefined;
  timer: Timer | undefined;
  deferred: SupervisorMessage[];
}

/** Restarts a child, and its siblings as the strategy says, unless there were too many restarts. */
export function restartWithin(state: SupervisorState, child: Child): Next<SupervisorState> {
  const { restarts, exceeded } = addRestart(state.restarts, now(state.self), state.intensity);
  state.restarts = restarts;
  const offender = { ...child };
  child.pid = undefined;
  child.retrying = false;
  if (exceeded) {
    report(state, 'shutdown', { stop: 'reached_max_restart_intensity' }, offender);
    return stopAll(state, 'shutdown');
  }
  const at = state.children.indexOf(child);
  const affected =
    state.strategy === 'one_for_one'
      ? []
      : state.children.slice(state.strategy === 'rest_for_one' ? at + 1 : 0);
  const siblings = affected.filter((other) => other !== child);
  const restarting = new Set([child, ...siblings.filter(({ spec }) => spec.restart !== 'temporary')]);
  const stops: Step[] = siblings.toReversed().map((other) => ({ action: 'stop', child: other }));
  const starts: Step[] = state.children
    .filter((other) => restarting.has(other))
    .map((other) => ({ action: 'start', child: other }));
  child.restarts++;
  state.phase = { name: 'restarting' };
  state.plan = [...stops, ...starts];
  return advance(state);
}

/** Stops all children in the reverse order of their start, and then ends with `reason`. */
export function stopAll(state: SupervisorState, reason: ExitReason): Next<SupervisorState> {
  state.timer?.cancel();
  state.current = undefined;
  state.phase = { name: 'stopping', reason };
  state.plan = state.children.toReversed().map((child) => ({ action: 'stop', child }));
  return advance(state);
}

/** Carries out the plan up to a step that has to wait, or to its end. */
export function advance(state: SupervisorState): Next<SupervisorState> {
  while (state.plan.length > 0) {
    const step = state.plan.shift() as Step;
    const failure = step.action === 'stop' ? beginStop(state, step) : beginStart(state, step);
    if (failure !== undefined) return startFailed(state, step.child, failure);
    if (state.current !== undefined) return keep;
  }
  const { phase } = state;
  state.phase = phase.name === 'stopping' ? phase : { name: 'idle' };
  if (phase.name === 'stopping') return stop(phase.reason);
  if (phase.name === 'changing') phase.reply({ ok: true, pid: phase.child.pid ?? null });
  if (phase.name === 'starting') (state.self as Process).becomeStarted();
  return keep;
}

function beginStop(state: SupervisorState, step: Step): undefined {
  const { child } = step;
  child.retrying = false;
  // Its exit may have come during this plan or the one before, and no other exit will come.
  const at = state.deferred.findIndex(
    (message) => message.type === 'exit' && child.pid !== undefined && message.from === child.pid,
  );
  if (at >= 0) foundDead(state, child, (state.deferred.splice(at, 1)[0] as Exit).reason);
  const { pid, spec } = child;
  if (pid === undefined) {
    forgetIfTemporary(state, child);
    return;
  }
  state.current = step;
  if (spec.shutdown === 'brutal_kill') {
    exit(pid, 'kill', state.self);
    return;
  }
  if (spec.shutdown !== 'infinity')
    state.timer = sendAfter(state.self, spec.shutdown, { type: 'too-slow', pid });
  exit(pid, 'shutdown', state.self);
}

function beginStart(state: SupervisorState, step: Step): ExitReason | undefined {
  const { child } = step;
  const parent = state.self as Process;
  const result = child.spec.start(state.self.system, {
    parent,
    label: child.spec.id,
    restarts: child.restarts,
  });
  if (!result.ok) return result.reason;
  child.retrying = false;
  child.pid = result.pid;
  if ((result.pid as Process).status === 'starting') state.current = step;
  return undefined;
}

/** The child of the current step has exited: a stop is done, a start has failed. */
export function finishStep(state: SupervisorState, reason: ExitReason): Next<SupervisorState> {
  const { action, child } = state.current as Step;
  state.current = undefined;
  state.timer?.cancel();
  state.timer = undefined;
  if (action === 'start') {
    child.pid = undefined;
    return startFailed(state, child, reason);
  }
  const asked = isOrderly(reason) || (reason === 'killed' && child.spec.shutdown === 'brutal_kill');
  if (!asked) report(state, 'shutdown_error', reason, child);
  child.pid = undefined;
  forgetIfTemporary(state, child);
  return advance(state);
}

function startFailed(state: SupervisorState, child: Child, reason: ExitReason): Next<SupervisorState> {
  report(state, 'start_error', reason, child);
  const { phase } = state;
  state.plan = [];
  if (phase.name === 'starting') {
    return stopAll(state, { shutdown: `failed to start ${child.spec.id}: ${describeReason(reason)}` });
  }
  state.phase = { name: 'idle' };
  if (phase.name === 'changing') {
    if (child.restarts === 0) state.children = state.children.filter((other) => other !== child);
    phase.reply({ ok: false, error: describeReason(reason) });
    return keep;
  }
  child.retrying = true;
  (state.self as Process).inform({ type: 'try-again', child } satisfies SupervisorMessage);
  return keep;
}

export function forgetIfTemporary(state: SupervisorState, child: Child): void {
  if (child.spec.restart === 'temporary') state.children = state.children.filter((other) => other !== child);
}

export function foundDead(state: SupervisorState, child: Child, reason: ExitReason): void {
  if (!isOrderly(reason)) report(state, 'child_terminated', reason, child);
  child.pid = undefined;
}

export function report(
  state: SupervisorState,
  context: SupervisorReport['context'],
  reason: ExitReason,
  { spec, pid }: Child,
): void {
  state.self.system.report({
    type: 'supervisor',
    supervisor: nameOf(state.self as Process),
    context,
    reason: describeReason(reason),
    offender: { id: spec.id, pid: pid?.toString() ?? null, restart: spec.restart, type: spec.type },
  });
}
