import { type Behaviour, type Down, keep, type Next } from '../otp/behaviour.ts';
import { monitor } from '../otp/monitor.ts';
import { isAlive, type Pid, type Self, send } from '../otp/process.ts';
import { type ProcessName, sendNamed } from '../otp/registry.ts';
import { now, sendAfter, type Timer } from '../otp/timer.ts';
import { type Authorisation, termsOf } from './authorisation.ts';
import type { Answer, Authenticator, Question } from './contract.ts';
import { isAnswer } from './grant.ts';
import { type AuthenticatorEvent, answer, endsAt, type Fault, fault, type Outage } from './outage.ts';
import { attempt, failure, isThenable, type Outcome } from './outcome.ts';
import { isEmpty } from './permissions.ts';
import { Review } from './review.ts';
import { Hidden } from './secret.ts';
import { type Standing, StandingAnswers } from './standing.ts';

/**
 * The process around one authenticator: takes questions, and answers each exactly once, within the time limit. All that
 * is not a good answer is `unavailable` and grants nothing: a throw, a rejection, something that is no permission,
 * silence, too many questions at once, and the death of this process.
 *
 * Where the authenticator says when it changes its mind, all that stands is asked about again, and who asked is told.
 */

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
  /** Outlives this process. Default: a new one. */
  readonly standing?: StandingAnswers<Authorisation>;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly wallClock?: () => number;
}

export type AuthenticatorMessage =
  | (Standing<Authorisation> & { readonly type: 'authorise' })
  | { readonly type: 'settled'; readonly id: number; readonly outcome: Outcome }
  | { readonly type: 'wake' }
  | Down;

/** A question that is with the authenticator; `review`: nobody has asked it, the answer stands already. */
interface Asked extends Standing<Authorisation> {
  readonly review: boolean;
  /** How often the authenticator had changed its mind when it was asked. */
  readonly changes: number;
}

interface State {
  readonly self: Self<AuthenticatorMessage>;
  readonly authenticator: Authenticator;
  readonly log: (event: AuthenticatorEvent) => void;
  readonly timeout: number;
  readonly limit: number;
  readonly wallClock: () => number;
  lastId: number;
  /** Questions that wait for an answer, the oldest first. */
  readonly open: Map<number, Asked & { readonly deadline: number }>;
  /**
   * Questions whose asker was told `unavailable` while the authenticator still works on them, with the time when they
   * are forgotten. They take up room, or an authenticator that hangs would pile up promises without end.
   */
  readonly late: Map<number, number>;
  readonly standing: StandingAnswers<Authorisation>;
  readonly review: Review<Authorisation>;
  /** Null where the authenticator never changes its mind. */
  readonly endWatch: (() => void) | null;
  outage: Outage | null;
  alarm: { readonly at: number; readonly timer: Timer } | null;
}

const WAKE: AuthenticatorMessage = { type: 'wake' };

/** A promise that is so many time limits late will hardly settle; its place is given to another question. */
const FORGOTTEN_AFTER = 30;

export const authenticatorServer: Behaviour<AuthenticatorServerArgs, State, AuthenticatorMessage> = {
  name: 'authenticator-server',

  init(self, args) {
    const { authenticator, log, timeout = 2000, limit = 10_000, wallClock = Date.now } = args;
    const { standing = new StandingAnswers() } = args;
    for (const asker of standing.askers) monitor(self, asker);
    const review = new Review<Authorisation>();
    const changed = () => {
      review.changed();
      if (isAlive(self)) send(self, WAKE);
    };
    const endWatch = authenticator.watch?.(changed) ?? null;
    // What changed while no server was there to hear of it is found out now.
    if (standing.size > 0) changed();
    return {
      self,
      authenticator,
      log,
      timeout,
      limit,
      wallClock,
      lastId: 0,
      open: new Map(),
      late: new Map(),
      standing,
      review,
      endWatch,
      outage: null,
      alarm: null,
    };
  },

  handle(state, message) {
    switch (message.type) {
      case 'authorise':
        ask(state, { ...message, review: false, changes: state.review.changes });
        return keep;
      case 'settled':
        settled(state, message.id, message.outcome);
        return keep;
      case 'down':
        state.standing.leave(message.pid);
        return keep;
      case 'wake':
        return keep;
    }
  },

  // What is due is looked for here and not in `wake`, which a full mailbox refuses.
  settle(state) {
    review(state);
    return expire(state);
  },

  terminate(state) {
    state.endWatch?.();
    for (const asked of state.open.values()) refuse(asked, false);
  },

  undelivered(message) {
    if (message.type === 'authorise') refuse({ ...message, review: false, changes: 0 }, false);
  },
};

function ask(state: State, asked: Asked): void {
  const { self } = state;
  if (state.open.size + state.late.size >= state.limit) {
    failed(state, asked, 'busy', null, false);
    return;
  }
  const outcome = attempt(() => state.authenticator.authorise(asked.question.reveal()));
  if (!outcome.ok || !isThenable(outcome.value)) {
    conclude(state, asked, outcome);
    return;
  }
  const id = ++state.lastId;
  // What is not to be asked again is not kept either.
  const kept = state.endWatch === null ? { ...asked, question: NOT_KEPT } : asked;
  state.open.set(id, { ...kept, deadline: now(self) + state.timeout });
  const report = (result: Outcome) => {
    if (isAlive(self)) send(self, { type: 'settled', id, outcome: result });
  };
  // A promise of our own: whatever odd thing the other one's methods do, this one is at worst rejected.
  new Promise((resolve) => resolve(outcome.value)).then(
    (value) => report({ ok: true, value }),
    (error: unknown) => report(failure(error)),
  );
}

const NOT_KEPT: Hidden<Question> = new Hidden({ authorization: '', door: '', address: '' });

function settled(state: State, id: number, outcome: Outcome): void {
  state.late.delete(id);
  const asked = state.open.get(id);
  if (asked === undefined) return;
  state.open.delete(id);
  conclude(state, asked, outcome);
}

function conclude(state: State, asked: Asked, outcome: Outcome): void {
  if (!outcome.ok) {
    failed(state, asked, 'threw', outcome.error, outcome.faulty);
    return;
  }
  const { value } = outcome;
  const judged = attempt(() => isAnswer(value));
  if (!judged.ok || judged.value !== true) {
    failed(state, asked, 'shape', null, false);
    return;
  }
  state.outage = answer(state.outage);
  reply(state, asked, value as Answer);
}

function reply(state: State, asked: Asked, answered: Answer): void {
  const { standing, authenticator } = state;
  const { from, ref } = asked;
  // What is asked for every topic is never asked again: it would have no end.
  const revocable = state.endWatch !== null && authenticator.needs !== 'topic';
  const granted = termsOf(answered, state.wallClock(), revocable);
  if (!asked.review) {
    send(from, { type: 'authorised', ref, ...granted });
    if (!revocable || isEmpty(granted.permissions) || !isAlive(from)) return;
    if (standing.add(asked)) monitor(state.self, from);
    // It may have been answered by what held before the last change.
    if (asked.changes !== state.review.changes) state.review.add(asked);
    return;
  }
  state.review.done();
  if (!standing.has(asked)) return;
  if (isEmpty(granted.permissions)) {
    standing.drop(asked);
    send(from, { type: 'revoked', ref });
  } else {
    send(from, { type: 'regranted', ref, ...granted });
    if (asked.changes !== state.review.changes) state.review.add(asked);
  }
}

function failed(state: State, asked: Asked, why: Fault, error: string | null, faulty: boolean): void {
  const begins = state.outage === null;
  state.outage = fault(state.outage, now(state.self));
  refuse(asked, faulty);
  if (asked.review) {
    state.review.done();
    state.review.failed(asked, now(state.self));
  }
  if (begins) {
    const { name } = state.authenticator;
    state.log({ type: 'authenticator-unavailable', authenticator: name, why, error });
  }
}

/** What stands goes on standing while nobody can say better. */
function refuse({ from, ref, review }: Asked, faulty: boolean): void {
  if (!review) send(from, { type: 'unavailable', ref, ...(faulty ? { faulty } : {}) });
}

/** Asks about what stands again, as much of it as may be under way at once. */
function review(state: State): void {
  const { review, standing, self } = state;
  review.begin(standing, now(self));
  for (const each of review.take()) ask(state, { ...each, review: true, changes: review.changes });
  if (review.waiting) send(self, WAKE);
}

/** Refuses what has waited too long, ends an outage that is over, and sets the alarm for what is due next. */
function expire(state: State): Next<State> {
  const time = now(state.self);
  for (const [id, asked] of state.open) {
    if (asked.deadline > time) break;
    state.open.delete(id);
    state.late.set(id, asked.deadline + FORGOTTEN_AFTER * state.timeout);
    failed(state, asked, 'late', null, false);
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
  setAlarm(state, time);
  return keep;
}

function setAlarm(state: State, time: number): void {
  const due = [first(state.open)?.deadline, first(state.late), endsAt(state.outage), state.review.retryAt];
  const next = Math.min(...due.filter((at) => at != null));
  if (state.alarm !== null && state.alarm.at > time && state.alarm.at <= next) return;
  state.alarm?.timer.cancel();
  // A timer of Node's may fire a fraction of a millisecond early; rounding up spares a second turn.
  state.alarm = Number.isFinite(next)
    ? { at: next, timer: sendAfter(state.self, Math.ceil(next - time), { type: 'wake' }) }
    : null;
}

function first<T>(map: ReadonlyMap<number, T>): T | undefined {
  for (const value of map.values()) return value;
  return undefined;
}
