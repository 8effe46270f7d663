import { monitor } from '../otp/monitor.ts';
import { inform, isAlive, type Self, send } from '../otp/process.ts';
import { now, type Timer } from '../otp/timer.ts';
import { Hidden } from '../secret/hidden.ts';
import type { AuthenticatorMessage } from './authenticator-server.ts';
import { type Authorisation, termsOf } from './authorisation.ts';
import type { Answer, Authenticator, Question } from './contract.ts';
import { grantOf, isAnswer } from './grant.ts';
import { type AuthenticatorEvent, answer, type Fault, fault, type Outage } from './outage.ts';
import { attempt, failure, isThenable, type Outcome } from './outcome.ts';
import { isEmpty } from './permissions.ts';
import type { Review } from './review.ts';
import { CREDENTIALS, type Keeper, type Standing, type StandingAnswers } from './standing.ts';

/** How a question that has come to an authenticator's process is answered, exactly once; see `authenticator-server.ts`. */

/** A question that is with the authenticator; `review`: nobody has asked it, the answer stands already. */
export interface Asked extends Standing<Authorisation> {
  readonly review: boolean;
  /** How often the authenticator had changed its mind when it was asked. */
  readonly changes: number;
}

export interface State {
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
  /** This server's place in `standing`, where it is the one that looks after them. */
  readonly keeper: Keeper<Authorisation>;
  /** Who had that place. */
  readonly before: Keeper<Authorisation> | null;
  readonly review: Review<Authorisation>;
  /** When the next round of what is asked again in any case begins; null: there is none. */
  recheckAt: number | null;
  /** Who was granted what is remembered, and may be asked about again. */
  readonly revocable: boolean;
  /** Null where the authenticator never says that it has changed its mind. */
  readonly endWatch: (() => void) | null;
  outage: Outage | null;
  alarm: { readonly at: number; readonly timer: Timer } | null;
}

export const WAKE: AuthenticatorMessage = { type: 'wake' };

export function ask(state: State, asked: Asked): void {
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
  const kept = state.revocable ? asked : { ...asked, question: NOT_KEPT };
  state.open.set(id, { ...kept, deadline: now(self) + state.timeout });
  const report = (result: Outcome) => {
    if (isAlive(self)) inform(self, { type: 'settled', id, outcome: result });
  };
  // A promise of our own: whatever odd thing the other one's methods do, this one is at worst rejected.
  new Promise((resolve) => resolve(outcome.value)).then(
    (value) => report({ ok: true, value }),
    (error: unknown) => report(failure(error)),
  );
}

/** Answers of one asker that stand. Of those about topics the asker itself says which it no longer needs. */
export function mostStanding({ authenticator }: State): number {
  return authenticator.needs === 'topic' ? Number.POSITIVE_INFINITY : CREDENTIALS;
}

const NOT_KEPT: Hidden<Question> = new Hidden({ authorization: '', door: '', address: '' });

export function settled(state: State, id: number, outcome: Outcome): void {
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
  state.outage = answer(state.outage, now(state.self));
  reply(state, asked, value as Answer);
}

function reply(state: State, asked: Asked, answered: Answer): void {
  const { standing, revocable } = state;
  const { from, ref } = asked;
  const granted = termsOf(answered, state.wallClock(), revocable);
  if (!asked.review) {
    const unrecognised = grantOf(answered).recognised === false;
    inform(from, { type: 'authorised', ref, ...granted, ...(unrecognised ? { unrecognised } : {}) });
    if (!revocable || isEmpty(granted.permissions) || !isAlive(from)) return;
    remember(state, asked);
    // It may have been answered by what held before the last change.
    if (asked.changes !== state.review.changes) state.review.add(asked);
    return;
  }
  state.review.done();
  if (!standing.has(asked)) return;
  if (isEmpty(granted.permissions)) {
    standing.drop(asked);
    inform(from, { type: 'revoked', ref });
  } else {
    inform(from, { type: 'regranted', ref, ...granted });
    if (asked.changes !== state.review.changes) state.review.add(asked);
  }
}

/** It may be asked about again. */
export function remember(state: State, answer: Standing<Authorisation>): void {
  const { standing, self, keeper, authenticator } = state;
  const { recheck } = authenticator;
  // The first round begins with the first answer.
  if (recheck !== undefined && standing.size === 0) state.recheckAt = now(self) + recheck.every;
  if (standing.add(answer, mostStanding(state))) monitor(self, answer.from);
  if (standing.keeper !== keeper) standing.keeper?.take(answer);
}

export function failed(state: State, asked: Asked, why: Fault, error: string | null, faulty: boolean): void {
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
export function refuse({ from, ref, review }: Asked, faulty: boolean): void {
  if (!review) inform(from, { type: 'unavailable', ref, ...(faulty ? { faulty } : {}) });
}

/**
 * Asks about what stands again, as much of it as may be under way at once. A server that has been replaced takes nothing
 * back, and gives nothing: what it knows is no longer what counts.
 */
export function review(state: State): void {
  const { review, standing, self, authenticator, keeper } = state;
  if (standing.keeper !== keeper) return;
  const time = now(self);
  const ours = { [Symbol.iterator]: () => judgedBy(authenticator, standing) };
  review.begin(ours, time);
  const { recheck } = authenticator;
  if (recheck !== undefined && state.recheckAt !== null && state.recheckAt <= time && !review.isBusy) {
    review.again(ours);
    state.recheckAt = time + recheck.every;
  }
  for (const each of review.take(time)) ask(state, { ...each, review: true, changes: review.changes });
  if (review.waiting) send(self, WAKE);
}

/** Somebody wants to know whether what was granted holds here. */
export function askAgain(state: State, { from, ref }: Pick<Standing<Authorisation>, 'from' | 'ref'>): void {
  const found = state.standing.get({ from, ref });
  if (found === undefined) inform(from, { type: 'revoked', ref });
  else state.review.add(found);
}

/** Where topics are judged credentials are remembered too, for whoever judges those after this one. */
function* judgedBy(
  authenticator: Authenticator,
  standing: Iterable<Standing<Authorisation>>,
): Iterator<Standing<Authorisation>> {
  for (const each of standing) if (isJudgedBy(authenticator, each)) yield each;
}

export function isJudgedBy({ needs }: Authenticator, { question }: Standing<Authorisation>): boolean {
  return (needs === 'topic') === (question.reveal().access !== undefined);
}
