import { type Behaviour, type Exit, keep, type Next, starting, stop } from './behaviour.ts';
import { call, type Reply } from './call.ts';
import {
  addRestart,
  type ChildCounts,
  type ChildInfo,
  type ChildOptions,
  type ChildSpec,
  DEFAULT_INTENSITY,
  type RestartIntensity,
  starter,
} from './child-spec.ts';
import { describeReason, type ExitReason, isOrderly } from './exit-reason.ts';
import { type ChildStarted, nameOf, type Pid, type Process, type Self } from './process.ts';
import type { SupervisorReport } from './reports.ts';
import { exit } from './signal.ts';
import { now, sendAfter, type Timer } from './timer.ts';

/**
 * A supervisor with a fixed order of children: they start in that order and stop in the reverse one, each awaited.
 * Rules and names are those of OTP's `supervisor`.
 *
 * All that takes several steps is a plan, a list of stops and starts that is carried out one by one; a step may have
 * to wait for a child's exit or start. What arrives meanwhile and is not part of the plan waits in `deferred`, as it
 * would in the mailbox of an OTP supervisor, which blocks.
 */

export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

export interface SupervisorFlags extends Partial<RestartIntensity> {
  readonly strategy?: Strategy;
}

/** The answer to a change of the children. */
export type ChildResult =
  | { readonly ok: true; readonly pid: Pid<never> | null }
  | { readonly ok: false; readonly error: string };

/**
 * The spec of a supervisor as a child: it may take as long as it needs to stop. `children`: as a function it is asked at
 * every start of the supervisor, as `init/1` is in OTP.
 */
export function supervisor(
  id: string,
  flags: SupervisorFlags,
  children: readonly ChildSpec[] | (() => readonly ChildSpec[]),
  options: ChildOptions<SupervisorMessage> = {},
): ChildSpec {
  return {
    id,
    restart: options.restart ?? 'permanent',
    shutdown: options.shutdown ?? 'infinity',
    type: 'supervisor',
    start: starter(supervisorBehaviour, { id, flags, children }, options),
  };
}

/** What supervisors of either kind tell of their children. */
export type ListsChildren = { readonly type: 'which'; readonly reply: Reply<ChildInfo[]> };
export type CountsChildren = { readonly type: 'count'; readonly reply: Reply<ChildCounts> };

/** `timeout`: milliseconds; 0: none. */
export function whichChildren(supervisor: Pid<ListsChildren>, timeout?: number): Promise<ChildInfo[]> {
  return call<ListsChildren, ChildInfo[]>(supervisor, (reply) => ({ type: 'which', reply }), timeout);
}

export function countChildren(supervisor: Pid<CountsChildren>, timeout?: number): Promise<ChildCounts> {
  return call<CountsChildren, ChildCounts>(supervisor, (reply) => ({ type: 'count', reply }), timeout);
}

/** Adds a child behind the others and starts it. */
export function startChild(supervisor: Pid<SupervisorMessage>, spec: ChildSpec): Promise<ChildResult> {
  return call<SupervisorMessage, ChildResult>(
    supervisor,
    (reply) => ({ type: 'start-child', spec, reply }),
    0,
  );
}

/** Stops a child; its spec stays, unless it is temporary. */
export function terminateChild(supervisor: Pid<SupervisorMessage>, id: string): Promise<ChildResult> {
  return call<SupervisorMessage, ChildResult>(
    supervisor,
    (reply) => ({ type: 'terminate-child', id, reply }),
    0,
  );
}

/** Starts a child that was stopped. */
export function restartChild(supervisor: Pid<SupervisorMessage>, id: string): Promise<ChildResult> {
  return call<SupervisorMessage, ChildResult>(
    supervisor,
    (reply) => ({ type: 'restart-child', id, reply }),
    0,
  );
}

/** Forgets a child that is stopped. */
export function deleteChild(supervisor: Pid<SupervisorMessage>, id: string): Promise<ChildResult> {
  return call<SupervisorMessage, ChildResult>(supervisor, (reply) => ({ type: 'delete-child', id, reply }));
}

type Request =
  | ListsChildren
  | CountsChildren
  | { readonly type: 'start-child'; readonly spec: ChildSpec; readonly reply: Reply<ChildResult> }
  | {
      readonly type: 'terminate-child' | 'restart-child' | 'delete-child';
      readonly id: string;
      readonly reply: Reply<ChildResult>;
    };

export type SupervisorMessage =
  | Request
  | Exit
  | ChildStarted
  | { readonly type: 'too-slow'; readonly pid: Pid<never> }
  | { readonly type: 'try-again'; readonly child: Child };

interface Child {
  readonly spec: ChildSpec;
  pid: Pid<never> | undefined;
  restarts: number;
  /** A restart that failed is tried again, once the supervisor has looked at its mailbox. */
  retrying: boolean;
}

interface Step {
  readonly action: 'stop' | 'start';
  readonly child: Child;
}

/** What the plan is for. `idle`: there is none. */
type Phase =
  | { readonly name: 'idle' | 'starting' | 'restarting' }
  | { readonly name: 'changing'; readonly child: Child; readonly reply: Reply<ChildResult> }
  | { readonly name: 'stopping'; readonly reason: ExitReason };

interface SupervisorState {
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

interface Args {
  readonly id: string;
  readonly flags: SupervisorFlags;
  readonly children: readonly ChildSpec[] | (() => readonly ChildSpec[]);
}

const supervisorBehaviour: Behaviour<Args, SupervisorState, SupervisorMessage> = {
  name: 'supervisor',
  trapExit: true,

  init(self, { id, flags, children: given }) {
    const children = typeof given === 'function' ? given() : given;
    const state: SupervisorState = {
      self,
      id,
      strategy: flags.strategy ?? 'one_for_one',
      intensity: { ...DEFAULT_INTENSITY, ...flags },
      children: children.map((spec) => newChild(spec)),
      restarts: [],
      phase: { name: 'starting' },
      plan: [],
      current: undefined,
      timer: undefined,
      deferred: [],
    };
    if (new Set(children.map((spec) => spec.id)).size < children.length)
      return stop({ stop: 'duplicate child id' });
    state.plan = state.children.map((child) => ({ action: 'start', child }));
    const next = advance(state);
    if (next !== keep) return stop(state.phase.name === 'stopping' ? state.phase.reason : 'shutdown');
    return state.phase.name === 'idle' ? state : starting(state);
  },

  handle(state, message) {
    const next = react(state, message);
    if (next !== keep || state.phase.name !== 'idle') return next;
    return replay(state);
  },
};

function react(state: SupervisorState, message: SupervisorMessage): Next<SupervisorState> {
  switch (message.type) {
    case 'exit':
      return onExit(state, message);
    case 'child-started':
      return onChildStarted(state, message);
    case 'too-slow':
      if (state.current?.child.pid === message.pid) exit(message.pid, 'kill');
      return keep;
    case 'which':
      message.reply(state.children.map(childInfo));
      return keep;
    case 'count':
      message.reply(countOf(state.children));
      return keep;
    default:
      if (state.phase.name !== 'idle') {
        state.deferred.push(message);
        return keep;
      }
      return change(state, message);
  }
}

/** Takes up what came during a plan, in its order, as long as no new plan starts. */
function replay(state: SupervisorState): Next<SupervisorState> {
  while (state.deferred.length > 0 && state.phase.name === 'idle') {
    const message = state.deferred.shift() as SupervisorMessage;
    const next = react(state, message);
    if (next !== keep) return next;
  }
  return keep;
}

function onExit(state: SupervisorState, message: Exit): Next<SupervisorState> {
  const { self, phase } = state;
  const parent = (self as Process).parent;
  if (message.from === null || message.from === parent) {
    return phase.name === 'stopping' ? keep : stopAll(state, message.reason);
  }
  const child = state.children.find(({ pid }) => pid === message.from);
  if (child === undefined) return keep;
  if (state.current?.child === child) return finishStep(state, message.reason);
  if (phase.name === 'idle') return childExited(state, child, message.reason);
  if (!state.plan.some((step) => step.action === 'stop' && step.child === child)) {
    state.deferred.push(message);
    return keep;
  }
  // Its stop is still to come, and finds it gone.
  foundDead(state, child, message.reason);
  return keep;
}

function onChildStarted(state: SupervisorState, { pid }: ChildStarted): Next<SupervisorState> {
  if (state.current?.action !== 'start' || state.current.child.pid !== pid) return keep;
  state.current = undefined;
  return advance(state);
}

/** A running child has ended by itself. */
function childExited(state: SupervisorState, child: Child, reason: ExitReason): Next<SupervisorState> {
  if (!isOrderly(reason)) report(state, 'child_terminated', reason, child);
  const { restart } = child.spec;
  if (restart === 'permanent' || (restart === 'transient' && !isOrderly(reason)))
    return restartWithin(state, child);
  child.pid = undefined;
  if (restart === 'temporary') state.children = state.children.filter((other) => other !== child);
  return keep;
}

type Change = Exclude<SupervisorMessage, Exit | ChildStarted | { type: 'too-slow' | 'which' | 'count' }>;

function change(state: SupervisorState, message: Change): Next<SupervisorState> {
  if (message.type === 'try-again')
    return message.child.retrying ? restartWithin(state, message.child) : keep;
  const { reply } = message;
  const id = message.type === 'start-child' ? message.spec.id : message.id;
  const child = state.children.find(({ spec }) => spec.id === id);
  const refuse = (error: string) => {
    reply({ ok: false, error });
    return keep;
  };
  const carryOut = (subject: Child, action: Step['action']) => {
    state.phase = { name: 'changing', child: subject, reply };
    state.plan = [{ action, child: subject }];
    return advance(state);
  };
  if (message.type === 'start-child') {
    if (child !== undefined) return refuse(child.pid === undefined ? 'already_present' : 'already_started');
    const added = newChild(message.spec);
    state.children.push(added);
    return carryOut(added, 'start');
  }
  if (child === undefined) return refuse('not_found');
  if (message.type === 'terminate-child') return carryOut(child, 'stop');
  if (child.pid !== undefined) return refuse('running');
  if (child.retrying) return refuse('restarting');
  if (message.type === 'restart-child') {
    child.restarts++;
    return carryOut(child, 'start');
  }
  state.children = state.children.filter((other) => other !== child);
  reply({ ok: true, pid: null });
  return keep;
}

function newChild(spec: ChildSpec): Child {
  return { spec, pid: undefined, restarts: 0, retrying: false };
}

function childInfo({ spec, pid }: Child): ChildInfo {
  return { id: spec.id, pid: pid ?? null, type: spec.type, restart: spec.restart };
}

function countOf(children: readonly Child[]): ChildCounts {
  const supervisors = children.filter(({ spec }) => spec.type === 'supervisor').length;
  return {
    specs: children.length,
    active: children.filter(({ pid }) => pid !== undefined).length,
    supervisors,
    workers: children.length - supervisors,
  };
}

/** Restarts a child, and its siblings as the strategy says, unless there were too many restarts. */
function restartWithin(state: SupervisorState, child: Child): Next<SupervisorState> {
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
function stopAll(state: SupervisorState, reason: ExitReason): Next<SupervisorState> {
  state.timer?.cancel();
  state.current = undefined;
  state.phase = { name: 'stopping', reason };
  state.plan = state.children.toReversed().map((child) => ({ action: 'stop', child }));
  return advance(state);
}

/** Carries out the plan up to a step that has to wait, or to its end. */
function advance(state: SupervisorState): Next<SupervisorState> {
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
function finishStep(state: SupervisorState, reason: ExitReason): Next<SupervisorState> {
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

function forgetIfTemporary(state: SupervisorState, child: Child): void {
  if (child.spec.restart === 'temporary') state.children = state.children.filter((other) => other !== child);
}

function foundDead(state: SupervisorState, child: Child, reason: ExitReason): void {
  if (!isOrderly(reason)) report(state, 'child_terminated', reason, child);
  child.pid = undefined;
}

function report(
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
    offender: {
      id: spec.id,
      pid: pid?.toString() ?? null,
      restart: spec.restart,
      type: spec.type,
      // Its id names it.
      about: null,
    },
  });
}
