import { demonitor, monitor } from '../otp/monitor.ts';
import { inform, isAlive, type Pid } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { fanOut, isReady } from './fan-out.ts';
import { awaitEndOfGrace } from './ownership.ts';
import type { Join, MemberMessage } from './topic.ts';
import type { TopicServerState } from './topic-server-state.ts';

/** Milliseconds that a first local member waits for the other relays to know of it. */
const INTEREST_TIMEOUT = 250;

/** Joins that were taken by a server as it crashed: its death does not undo them. */
const takenInCrash = new WeakSet<Join>();

export function wasTaken(request: Join): boolean {
  return takenInCrash.has(request);
}

/** A join from the router. The first of a local member waits until the other relays know that there is one. */
export function arrive(state: TopicServerState, request: Join): void {
  const { topic, self, elsewhere } = state;
  topic.taken++;
  state.asked = false;
  if (elsewhere === null || request.format.remote === true || topic.interest === 'held') {
    join(state, request);
    return;
  }
  if (elsewhere.alone && topic.interest === 'none') {
    topic.interest = 'held';
    join(state, request);
    return;
  }
  topic.joining.push(request);
  if (topic.interest === 'asked') return;
  topic.interest = 'asked';
  const round = ++topic.round;
  elsewhere.wanted(topic, round);
  sendAfter(self, INTEREST_TIMEOUT, { type: 'interested', round });
}

/** The other relays know, or have not said so in time: who waited comes in. */
export function interested(state: TopicServerState, round: number): void {
  const { topic } = state;
  if (topic.interest !== 'asked' || topic.round !== round) return;
  // A crash on the way leaves the rest to the next incarnation.
  for (let next = topic.joining.shift(); next !== undefined; next = topic.joining.shift()) join(state, next);
  topic.interest = 'held';
}

/** The last local member has left: the other relays need not send any more. */
export function loseInterest({ topic, elsewhere }: TopicServerState): void {
  if (topic.joining.length > 0) return;
  topic.interest = 'none';
  elsewhere?.unwanted(topic);
}

function join(state: TopicServerState, request: Join): void {
  const { member, format, while: condition, again } = request;
  const { topic, self } = state;
  if (condition === 'owned' && topic.lifetime.state === 'unowned' && again !== undefined) {
    topic.lifetime = { state: 'grace', until: now(self) + again.grace };
    awaitEndOfGrace(topic, self);
  } else if (condition === 'owned' && topic.lifetime.state === 'unowned') {
    inform(member, { type: 'refused', action: 'join', name: topic.name, why: 'missing' });
    return;
  }
  if (!topic.members.has(member)) {
    if (!isAlive(member)) return;
    try {
      // Who joins now is owed what comes from now on: the earlier messages go to the earlier members.
      if (isReady(topic)) fanOut(state);
    } catch (error) {
      takenInCrash.add(request);
      throw error;
    } finally {
      // A crash on one of them takes that message, and not the join.
      topic.members.add(member, format, monitor(self, member), condition === 'owned');
      inform(member, { type: 'joined', topic });
    }
    return;
  }
  inform(member, { type: 'joined', topic });
}

/** A member that goes of itself, and hears no more. */
export function leave(state: TopicServerState, member: Pid<MemberMessage>): void {
  const { topic } = state;
  try {
    // What was published before it left was published to it.
    if (isReady(topic)) fanOut(state);
  } finally {
    demonitor(topic.members.remove(member) ?? null);
    topic.behind.delete(member);
  }
}

/** It died, or its supervisor ended it. */
export function drop({ topic }: TopicServerState, member: Pid<MemberMessage>): void {
  topic.members.remove(member);
  topic.behind.delete(member);
}
