import { keep, type Next } from '../otp/behaviour.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { failed, type State } from './answering.ts';
import { endsAt } from './outage.ts';

/** What an authenticator's process has to do at some time: one alarm, for whatever is due next. */

/** A promise that is so many time limits late will hardly settle; its place is given to another question. */
const FORGOTTEN_AFTER = 30;

/** Refuses what has waited too long, ends an outage that is over, and sets the alarm for what is due next. */
export function expire(state: State): Next<State> {
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
    const { faults, since, answeredAt } = state.outage;
    const authenticator = state.authenticator.name;
    const durationMs = Math.round((answeredAt ?? time) - since);
    state.log({ type: 'authenticator-available', authenticator, faults, durationMs });
    state.outage = null;
  }
  setAlarm(state, time);
  return keep;
}

function setAlarm(state: State, time: number): void {
  const { review, standing, keeper } = state;
  const due = [first(state.open)?.deadline, first(state.late), endsAt(state.outage)];
  if (standing.keeper === keeper) due.push(review.retryAt, review.pacedUntil);
  // Where nothing stands there is nothing to ask; what comes to stand sets the alarm.
  if (standing.keeper === keeper && standing.size > 0 && !review.isBusy) due.push(state.recheckAt);
  const next = Math.min(...due.filter((at) => at != null));
  if (state.alarm !== null && state.alarm.at > time && state.alarm.at <= next) return;
  state.alarm?.timer.cancel();
  // Rounded up, as a timer that goes off early costs a second turn.
  state.alarm = Number.isFinite(next)
    ? { at: next, timer: sendAfter(state.self, Math.ceil(next - time), { type: 'wake' }) }
    : null;
}

/** It has gone off, early perhaps: Node counts from the beginning of a turn. Then `settle` sets another one. */
export function endAlarm(state: State): void {
  state.alarm?.timer.cancel();
  state.alarm = null;
}

function first<T>(map: ReadonlyMap<number, T>): T | undefined {
  for (const value of map.values()) return value;
  return undefined;
}
