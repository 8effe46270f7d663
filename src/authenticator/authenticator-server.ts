import { type Behaviour, keep, type Next } from '../otp/behaviour.ts';
import { isAlive, type Pid, type Self, send } from '../otp/process.ts';
import { type ProcessName, sendNamed } from '../otp/registry.ts';
import { now, sendAfter, type Timer } from '../otp/timer.ts';
import type { Authenticator, Question } from './contract.ts';
import {
  type AuthenticatorEvent,
  answer,
  endsAt,
  type Fault,
  fault,
  labelOf,
  type Outage,
} from './outage.ts';
import { isPermissions, type Permissions } from './permissions.ts';
import { Hidden } from './secret.ts';

/**
 * The process around one authenticator: takes questions, and answers each exactly once, within the time limit. All that
 * is not a good answer is `unavailable` and grants nothing: a throw, a rejection, something that is no permission,
 * silence, too many questions at once, and the death of this process.
 */

/** What a question is answered with. */
export type Authorisation =
  | { readonly type: 'authorised'; readonly ref: number; readonly permissions: Permissions }
  | { readonly type: 'unavailable'; readonly ref: number };

/**
 * Asks for the permissions of a credential; the answer comes to `from` as an `Authorisation` with the same `ref`.
 * False: the server is not there or its mailbox is full, and no answer will come. When it is killed, none comes either.
 */
export function authorise(
  server: Pid<AuthenticatorMessage> | ProcessName<AuthenticatorMessage>,
  question: Question,
  from: Self<Authorisation>,
  ref: number,
): boolean {
  const message: AuthenticatorMessage = { type: 'authorise', question: new Hidden(question), from, ref };
  return 'value' in server ? sendNamed(from.system, server, message) : send(server, message);
}

export interface AuthenticatorServerArgs {
  readonly authenticator: Authenticator;
  /** Told of outages, not of questions. It must not throw. */
  readonly log: (event: AuthenticatorEvent) => void;
  /** Milliseconds that an answer may take. Default: 2,000. */
  readonly timeout?: number;
  /** Questions that may be with the authenticator at once. Default: 10,000. */
  readonly limit?: number;
}

export type AuthenticatorMessage =
  | {
      readonly type: 'authorise';
      readonly question: Hidden<Question>;
      readonly from: Pid<Authorisation>;
      readonly ref: number;
    }
  | { readonly type: 'settled'; readonly id: number; readonly outcome: Outcome }
  | { readonly type: 'wake' };

/** What the authenticator's function came to. Of an error only its label is kept: it may quote the credential. */
type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string | null };

interface Asker {
  readonly from: Pid<Authorisation>;
  readonly ref: number;
}

interface State {
  readonly authenticator: Authenticator;
  readonly log: (event: AuthenticatorEvent) => void;
  readonly timeout: number;
  readonly limit: number;
  lastId: number;
  /** Questions that wait for an answer, the oldest first. Never the question itself. */
  readonly open: Map<number, Asker & { readonly deadline: number }>;
  /**
   * Questions whose asker was told `unavailable` while the authenticator still works on them, with the time when they
   * are forgotten. They take up room, or an authenticator that hangs would pile up promises without end.
   */
  readonly late: Map<number, number>;
  outage: Outage | null;
  alarm: { readonly at: number; readonly timer: Timer } | null;
}

/** A promise that is so many time limits late will hardly settle; its place is given to another question. */
const FORGOTTEN_AFTER = 30;

export const authenticatorServer: Behaviour<AuthenticatorServerArgs, State, AuthenticatorMessage> = {
  name: 'authenticator-server',

  init: (_self, { authenticator, log, timeout = 2000, limit = 10_000 }) => ({
    authenticator,
    log,
    timeout,
    limit,
    lastId: 0,
    open: new Map(),
    late: new Map(),
    outage: null,
    alarm: null,
  }),

  handle(state, message, self) {
    if (message.type === 'authorise') ask(state, message, self);
    else if (message.type === 'settled') settled(state, message.id, message.outcome, self);
    else endAlarm(state);
    return keep;
  },

  // What is due is looked for here and not in `wake`, which a full mailbox refuses.
  settle: (state, self) => expire(state, self),

  terminate(state) {
    for (const asker of state.open.values()) refuse(asker);
  },

  undelivered(message) {
    if (message.type === 'authorise') refuse(message);
  },
};

function ask(
  state: State,
  { question, from, ref }: AuthenticatorMessage & { type: 'authorise' },
  self: Self<AuthenticatorMessage>,
): void {
  const asker = { from, ref };
  if (state.open.size + state.late.size >= state.limit) {
    failed(state, asker, 'busy', null, self);
    return;
  }
  const outcome = attempt(() => state.authenticator.authorise(question.reveal()));
  if (!outcome.ok || !isThenable(outcome.value)) {
    conclude(state, asker, outcome, self);
    return;
  }
  const id = ++state.lastId;
  state.open.set(id, { from, ref, deadline: now(self) + state.timeout });
  const report = (result: Outcome) => {
    if (isAlive(self)) send(self, { type: 'settled', id, outcome: result });
  };
  // A promise of our own: whatever odd thing the other one's methods do, this one is at worst rejected.
  new Promise((resolve) => resolve(outcome.value)).then(
    (value) => report({ ok: true, value }),
    (error: unknown) => report({ ok: false, error: labelOf(error) }),
  );
}

function settled(state: State, id: number, outcome: Outcome, self: Self<AuthenticatorMessage>): void {
  state.late.delete(id);
  const asker = state.open.get(id);
  if (asker === undefined) return;
  state.open.delete(id);
  conclude(state, asker, outcome, self);
}

function conclude(state: State, asker: Asker, outcome: Outcome, self: Self<AuthenticatorMessage>): void {
  if (!outcome.ok) {
    failed(state, asker, 'threw', outcome.error, self);
    return;
  }
  const { value } = outcome;
  const judged = attempt(() => isPermissions(value));
  if (!judged.ok || judged.value !== true) {
    failed(state, asker, 'shape', null, self);
    return;
  }
  state.outage = answer(state.outage);
  send(asker.from, { type: 'authorised', ref: asker.ref, permissions: value as Permissions });
}

function failed(
  state: State,
  asker: Asker,
  why: Fault,
  error: string | null,
  self: Self<AuthenticatorMessage>,
): void {
  const begins = state.outage === null;
  state.outage = fault(state.outage, now(self));
  refuse(asker);
  if (begins) {
    const { name } = state.authenticator;
    state.log({ type: 'authenticator-unavailable', authenticator: name, why, error });
  }
}

function refuse({ from, ref }: Asker): void {
  send(from, { type: 'unavailable', ref });
}

/** Refuses what has waited too long, ends an outage that is over, and sets the alarm for what is due next. */
function expire(state: State, self: Self<AuthenticatorMessage>): Next<State> {
  const time = now(self);
  for (const [id, asker] of state.open) {
    if (asker.deadline > time) break;
    state.open.delete(id);
    state.late.set(id, asker.deadline + FORGOTTEN_AFTER * state.timeout);
    failed(state, asker, 'late', null, self);
  }
  for (const [id, forgotten] of state.late) {
    if (forgotten > time) break;
    state.late.delete(id);
  }
  const over = endsAt(state.outage);
  if (state.outage !== null && over !== null && over <= time) {
    const { faults, since, lastFault } = state.outage;
    const authenticator = state.authenticator.name;
    state.log({ type: 'authenticator-available', authenticator, faults, duration: lastFault - since });
    state.outage = null;
  }
  setAlarm(state, self, time);
  return keep;
}

function setAlarm(state: State, self: Self<AuthenticatorMessage>, time: number): void {
  const due = [first(state.open)?.deadline, first(state.late), endsAt(state.outage) ?? undefined];
  const next = Math.min(...due.filter((at) => at !== undefined));
  if (state.alarm !== null && state.alarm.at > time && state.alarm.at <= next) return;
  state.alarm?.timer.cancel();
  // Rounded up, as a timer that goes off early costs a second turn.
  state.alarm = Number.isFinite(next)
    ? { at: next, timer: sendAfter(self, Math.ceil(next - time), { type: 'wake' }) }
    : null;
}

/** It has gone off, early perhaps: Node counts from the beginning of a turn. Then `settle` sets another one. */
function endAlarm(state: State): void {
  state.alarm?.timer.cancel();
  state.alarm = null;
}

function first<T>(map: ReadonlyMap<number, T>): T | undefined {
  for (const value of map.values()) return value;
  return undefined;
}

function attempt(action: () => unknown): Outcome {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return { ok: false, error: labelOf(error) };
  }
}

function isThenable(value: unknown): boolean {
  const then = attempt(() => (value as PromiseLike<unknown> | null)?.then);
  return then.ok && typeof then.value === 'function';
}
