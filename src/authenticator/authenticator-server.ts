import { type Behaviour, type Down, keep } from '../otp/behaviour.ts';
import { isOrderly } from '../otp/exit-reason.ts';
import { monitor } from '../otp/monitor.ts';
import { inform, isAlive, type Pid, type Self, send } from '../otp/process.ts';
import { informNamed, type ProcessName, sendNamed } from '../otp/registry.ts';
import { now, sendAfter, type Timer } from '../otp/timer.ts';
import { Hidden } from '../secret/hidden.ts';
import { type Authorisation, grantOf, isAnswer, termsOf } from './authorisation.ts';
import type { Answer, Authenticator, Question } from './contract.ts';
import { type AuthenticatorEvent, type Fault, Outage } from './outage.ts';
import { attempt, failure, isThenable, type Outcome } from './outcome.ts';
import { isEmpty } from './permissions.ts';
import { Questions } from './questions.ts';
import { Review } from './review.ts';
import { CREDENTIALS, type Keeper, type Standing, StandingAnswers } from './standing.ts';

/**
 * The process around one authenticator: takes questions, and answers each exactly once, within the time limit. All that
 * is not a good answer is `unavailable` and grants nothing: a throw, a rejection, something that is no permission,
 * silence, too many questions at once, and the death of this process.
 *
 * Where the authenticator says when it changes its mind, all that stands is asked about again, and its asker is told.
 *
 * What it knows has an owner each, pure and tested without it: the questions that are with the authenticator
 * (`questions.ts`), what was granted and stands (`standing.ts`, which outlives this process), what of that is to be asked
 * about again and when (`review.ts`), and whether the authenticator is out (`outage.ts`).
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

/**
 * Leaves a credential that nothing is asked about now, because topics are judged here: whoever judges credentials after
 * this one will be asked. What comes to `from` by then has the same `ref`.
 */
export function offer(
  server: ProcessName<AuthenticatorMessage>,
  question: Question,
  from: Self<Authorisation>,
  ref: number,
): void {
  sendNamed(from.system, server, { type: 'offer', question: new Hidden(question), from, ref });
}

/** Has what another server has granted asked about again, and the answer told. */
export function confirm(
  server: ProcessName<AuthenticatorMessage>,
  from: Self<Authorisation>,
  ref: number,
): void {
  informNamed(from.system, server, { type: 'confirm', from, ref });
}

/** An answer is no longer used, and need not be asked about again. */
export function forget(
  server: ProcessName<AuthenticatorMessage>,
  from: Self<Authorisation>,
  ref: number,
): void {
  informNamed(from.system, server, { type: 'forget', from, ref });
}

export interface AuthenticatorServerArgs {
  readonly authenticator: Authenticator;
  /** Told of outages, not of questions. It must not throw. */
  readonly log: (event: AuthenticatorEvent) => void;
  /** Milliseconds that an answer may take. Default: 2,000. */
  readonly timeout?: number;
  /** Questions that may be with the authenticator at once. Default: 10,000. */
  readonly limit?: number;
  /**
   * Outlives this process: a successor asks about all of it again, whether it was started after a crash or with other
   * settings. Default: a new one.
   */
  readonly standing?: StandingAnswers<Authorisation>;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly wallClock?: () => number;
}

export type AuthenticatorMessage =
  | (Standing<Authorisation> & { readonly type: 'authorise' | 'offer' })
  | { readonly type: 'confirm' | 'forget'; readonly from: Pid<Authorisation>; readonly ref: number }
  | { readonly type: 'settled'; readonly id: number; readonly outcome: Outcome }
  | { readonly type: 'wake' }
  | Down;

/** A question that is with the authenticator; `review`: it is this server's own, about an answer that stands already. */
interface Asked extends Standing<Authorisation> {
  readonly review: boolean;
  /** How often the authenticator had changed its mind when it was asked. */
  readonly changes: number;
}

interface State {
  readonly self: Self<AuthenticatorMessage>;
  readonly authenticator: Authenticator;
  readonly log: (event: AuthenticatorEvent) => void;
  readonly wallClock: () => number;
  readonly questions: Questions<Asked>;
  readonly standing: StandingAnswers<Authorisation>;
  /** This server's place in `standing`, where it is the one that looks after them. */
  readonly keeper: Keeper<Authorisation>;
  /** The server that had that place. */
  readonly before: Keeper<Authorisation> | null;
  readonly review: Review<Authorisation>;
  /** Null where the authenticator never says that it has changed its mind. */
  readonly endWatch: (() => void) | null;
  readonly outage: Outage;
  alarm: { readonly at: number; readonly timer: Timer } | null;
}

const WAKE: AuthenticatorMessage = { type: 'wake' };

export const authenticatorServer: Behaviour<AuthenticatorServerArgs, State, AuthenticatorMessage> = {
  name: 'authenticator-server',

  init(self, args) {
    const { authenticator, log, timeout = 2000, limit = 10_000, wallClock = Date.now } = args;
    const { standing = new StandingAnswers() } = args;
    for (const asker of standing.askers) monitor(self, asker);
    const review = new Review<Authorisation>(authenticator.recheck, now(self));
    const keeper: Keeper<Authorisation> = {
      pid: self,
      take(late) {
        monitor(self, late.from);
        if (isJudgedBy(authenticator, late)) review.add(late);
        if (isAlive(self)) send(self, WAKE);
      },
    };
    const changed = () => {
      review.changed();
      if (isAlive(self)) send(self, WAKE);
      // It has been killed, and has ended nothing.
      else endWatch?.();
    };
    const endWatch = authenticator.watch?.(changed) ?? null;
    const before = standing.lookAfter(keeper);
    // What changed while no server was there to hear of it is found out now. A living one is being replaced: connections
    // that are told of that ask, and must not hear of answers before.
    if (standing.size > 0 && (before === null || !isAlive(before.pid))) changed();
    return {
      self,
      authenticator,
      log,
      wallClock,
      questions: new Questions(timeout, limit),
      standing,
      keeper,
      before,
      review,
      endWatch,
      outage: new Outage(),
      alarm: null,
    };
  },

  handle(state, message) {
    switch (message.type) {
      case 'authorise':
        ask(state, { ...message, review: false, changes: state.review.changes });
        return keep;
      case 'offer':
        if (isAlive(message.from)) remember(state, message);
        return keep;
      case 'confirm':
        askAgain(state, message);
        return keep;
      case 'forget':
        state.standing.drop(message);
        return keep;
      case 'settled':
        settled(state, message.id, message.outcome);
        return keep;
      case 'down':
        state.standing.leave(message.pid);
        return keep;
      case 'wake':
        // The alarm has gone off, early perhaps: Node counts from the beginning of a turn. Then `settle` sets the next.
        state.alarm?.timer.cancel();
        state.alarm = null;
        return keep;
    }
  },

  // What is due is looked for here and not in `wake`, which a full mailbox refuses.
  settle(state) {
    review(state);
    expire(state);
    setAlarm(state);
    return keep;
  },

  terminate(state, reason) {
    const { standing, keeper, before } = state;
    // A reload that could not be done goes back to the server that it wanted to replace.
    standing.leaveTo(keeper, isOrderly(reason) ? before : null);
    state.endWatch?.();
    for (const asked of state.questions.open) refuse(asked, false);
  },

  undelivered(message) {
    if (message.type === 'authorise') refuse({ ...message, review: false, changes: 0 }, false);
  },
};

function ask(state: State, asked: Asked): void {
  const { self, questions } = state;
  if (questions.isFull) {
    failed(state, asked, 'busy', null, false);
    return;
  }
  const outcome = attempt(() => state.authenticator.authorise(asked.question.reveal()));
  if (!outcome.ok || !isThenable(outcome.value)) {
    conclude(state, asked, outcome);
    return;
  }
  const id = questions.add(asked, now(self));
  const report = (result: Outcome) => {
    if (isAlive(self)) inform(self, { type: 'settled', id, outcome: result });
  };
  // A promise of our own: whatever odd things the methods of the foreign one do, it is at worst rejected.
  new Promise((resolve) => resolve(outcome.value)).then(
    (value) => report({ ok: true, value }),
    (error: unknown) => report(failure(error)),
  );
}

function settled(state: State, id: number, outcome: Outcome): void {
  const asked = state.questions.settle(id);
  if (asked !== undefined) conclude(state, asked, outcome);
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
  state.outage.answered(now(state.self));
  reply(state, asked, value as Answer);
}

function reply(state: State, asked: Asked, answered: Answer): void {
  const { standing } = state;
  const { from, ref } = asked;
  const granted = termsOf(answered, state.wallClock());
  if (!asked.review) {
    const unrecognised = grantOf(answered).recognised === false;
    inform(from, { type: 'authorised', ref, ...granted, ...(unrecognised ? { unrecognised } : {}) });
    if (isEmpty(granted.permissions) || !isAlive(from)) return;
    remember(state, asked);
    // It may have been answered by what held before the last change.
    if (asked.changes !== state.review.changes) state.review.add(asked);
    return;
  }
  state.review.done();
  if (!standing.has(asked)) return;
  if (granted.untimely || isEmpty(granted.permissions)) {
    standing.drop(asked);
    inform(from, { type: 'revoked', ref });
  } else {
    inform(from, { type: 'regranted', ref, ...granted });
    if (asked.changes !== state.review.changes) state.review.add(asked);
  }
}

/** It may be asked about again. */
function remember(
  { standing, review, self, keeper, authenticator }: State,
  answer: Standing<Authorisation>,
): void {
  if (standing.size === 0) review.stands(now(self));
  // Of answers about topics the asker itself says which it no longer needs.
  const most = authenticator.needs === 'topic' ? Number.POSITIVE_INFINITY : CREDENTIALS;
  if (standing.add(answer, most)) monitor(self, answer.from);
  if (standing.keeper !== keeper) standing.keeper?.take(answer);
}

function failed(state: State, asked: Asked, why: Fault, error: string | null, faulty: boolean): void {
  const { outage, review, authenticator, log } = state;
  const time = now(state.self);
  refuse(asked, faulty);
  if (asked.review) {
    review.done();
    review.failed(asked, time);
  }
  if (outage.fault(time))
    log({ type: 'authenticator-unavailable', authenticator: authenticator.name, why, error });
}

/** The asker gets no answer. What stands already goes on standing while nothing better is known. */
function refuse({ from, ref, review }: Asked, faulty: boolean): void {
  if (!review) inform(from, { type: 'unavailable', ref, ...(faulty ? { faulty } : {}) });
}

/**
 * Asks about what stands again, as much of it as may be under way at once. A server that has been replaced takes nothing
 * back, and gives nothing: what it knows is no longer what counts.
 */
function review(state: State): void {
  const { review, standing, self, authenticator, keeper } = state;
  if (standing.keeper !== keeper) return;
  const time = now(self);
  review.begin({ [Symbol.iterator]: () => judgedBy(authenticator, standing) }, time);
  for (const each of review.take(time)) ask(state, { ...each, review: true, changes: review.changes });
  if (review.waiting) send(self, WAKE);
}

/** An asker wants to know whether what another server has granted holds here. */
function askAgain(state: State, { from, ref }: Pick<Standing<Authorisation>, 'from' | 'ref'>): void {
  const found = state.standing.get({ from, ref });
  if (found === undefined) inform(from, { type: 'revoked', ref });
  else state.review.add(found);
}

/** Where topics are judged, credentials are remembered too, for the server that judges those after this one. */
function* judgedBy(
  authenticator: Authenticator,
  standing: Iterable<Standing<Authorisation>>,
): Iterator<Standing<Authorisation>> {
  for (const each of standing) if (isJudgedBy(authenticator, each)) yield each;
}

function isJudgedBy({ needs }: Authenticator, { question }: Standing<Authorisation>): boolean {
  return (needs === 'topic') === (question.reveal().access !== undefined);
}

/** Refuses what has waited too long, and ends an outage that is over. */
function expire(state: State): void {
  const { questions, outage, authenticator, log } = state;
  const time = now(state.self);
  for (const asked of questions.expire(time)) failed(state, asked, 'late', null, false);
  const over = outage.ended(time);
  if (over !== null) log({ type: 'authenticator-available', authenticator: authenticator.name, ...over });
}

/** For what is due next. */
function setAlarm(state: State): void {
  const { self, questions, outage, review, standing, keeper } = state;
  const time = now(self);
  const reviewAt = standing.keeper === keeper ? review.dueAt(standing.size > 0) : Number.POSITIVE_INFINITY;
  const next = Math.min(questions.dueAt, outage.endsAt, reviewAt);
  if (state.alarm !== null && state.alarm.at > time && state.alarm.at <= next) return;
  state.alarm?.timer.cancel();
  // Rounded up, as a timer that goes off early costs a second turn.
  state.alarm = Number.isFinite(next)
    ? { at: next, timer: sendAfter(self, Math.ceil(next - time), WAKE) }
    : null;
}
