import { type Behaviour, type Down, keep } from '../otp/behaviour.ts';
import { isOrderly } from '../otp/exit-reason.ts';
import { monitor } from '../otp/monitor.ts';
import { isAlive, type Pid, type Self, send } from '../otp/process.ts';
import { informNamed, type ProcessName, sendNamed } from '../otp/registry.ts';
import { now } from '../otp/timer.ts';
import { Hidden } from '../secret/hidden.ts';
import {
  ask,
  askAgain,
  isJudgedBy,
  refuse,
  remember,
  review,
  type State,
  settled,
  WAKE,
} from './answering.ts';
import type { Authorisation } from './authorisation.ts';
import type { Authenticator, Question } from './contract.ts';
import { endAlarm, expire } from './deadlines.ts';
import type { AuthenticatorEvent } from './outage.ts';
import type { Outcome } from './outcome.ts';
import { Review } from './review.ts';
import { type Keeper, type Standing, StandingAnswers } from './standing.ts';

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
   * settings. Default: a new one, where the authenticator has a `watch`.
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

export const authenticatorServer: Behaviour<AuthenticatorServerArgs, State, AuthenticatorMessage> = {
  name: 'authenticator-server',

  init(self, args) {
    const { authenticator, log, timeout = 2000, limit = 10_000, wallClock = Date.now } = args;
    const { standing = new StandingAnswers() } = args;
    const { watch, recheck } = authenticator;
    const remembers = args.standing !== undefined || watch !== undefined || recheck !== undefined;
    for (const asker of standing.askers) monitor(self, asker);
    const review = new Review<Authorisation>(recheck?.rate);
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
    const before = standing.keeper;
    standing.keeper = keeper;
    // What changed while no server was there to hear of it is found out now. A living one is being replaced: who is
    // told of that asks, and must not hear of answers before.
    if (standing.size > 0 && (before === null || !isAlive(before.pid))) changed();
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
      keeper,
      before,
      review,
      recheckAt: recheck === undefined ? null : now(self) + recheck.every,
      endWatch,
      revocable: remembers,
      outage: null,
      alarm: null,
    };
  },

  handle(state, message) {
    switch (message.type) {
      case 'authorise':
        ask(state, { ...message, review: false, changes: state.review.changes });
        return keep;
      case 'offer':
        if (state.revocable && isAlive(message.from)) remember(state, message);
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
        endAlarm(state);
        return keep;
    }
  },

  // What is due is looked for here and not in `wake`, which a full mailbox refuses.
  settle(state) {
    review(state);
    return expire(state);
  },

  terminate(state, reason) {
    const { standing, keeper, before } = state;
    // A reload that could not be done goes back to the one that it wanted to replace.
    if (standing.keeper === keeper) standing.keeper = isOrderly(reason) ? before : null;
    state.endWatch?.();
    for (const asked of state.open.values()) refuse(asked, false);
  },

  undelivered(message) {
    if (message.type === 'authorise') refuse({ ...message, review: false, changes: 0 }, false);
  },
};
