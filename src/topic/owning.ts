import { demonitor, monitor } from '../otp/monitor.ts';
import { inform, isAlive, type Pid, type Self } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { claim, hasEnded, ownerLeft, type RemoteOwnership, unowned } from './lifetime.ts';
import type { Claim, MemberMessage, Topic } from './topic.ts';
import { refuse, type TopicMessage, type Verdict } from './topic-requests.ts';
import { type State, takeOut } from './topic-state.ts';

/** How a topic is claimed, owned, waited for, and let go. */

/** Milliseconds that a claim waits for its judgement; whoever judges is faster, unless it crashes. */
const CLAIM_TIMEOUT = 4000;

/** Somebody wants to be the owner; where there are other relays, they are asked. */
export function takeClaim(state: State, request: Claim): void {
  const { topic, self, elsewhere } = state;
  const { lifetime } = topic;
  topic.arrived();
  state.asked = false;
  // Whether an owner elsewhere is still there is known best elsewhere.
  const isTaken = lifetime.state !== 'elsewhere' && claim(lifetime, request.member, request.grace) === null;
  if (topic.claiming !== undefined || isTaken) {
    refuse(request, 'owned');
  } else if (elsewhere === null || elsewhere.alone) {
    own(state, request);
  } else {
    topic.ask(request);
    elsewhere.claim(topic, request);
    awaitJudgement(self, request);
  }
}

/** Whoever judges a claim may crash, and so may the server that has asked, with its timers. */
export function awaitJudgement(self: Self<TopicMessage>, claim: Claim): void {
  sendAfter(self, CLAIM_TIMEOUT, { type: 'judged', claim, verdict: 'unavailable' });
}

/** The other relays have judged a claim, or it took them too long. */
export function settleClaim(state: State, request: Claim, verdict: Verdict): void {
  const { topic, elsewhere } = state;
  const isAwaited = topic.judged(request);
  if (isAwaited && verdict === 'granted' && isAlive(request.member)) {
    own(state, request);
    return;
  }
  if (isAwaited && verdict !== 'granted') refuse(request, verdict);
  // What was granted too late, or may still be, must not stand for an owner that is not there.
  const hasOwner = topic.claiming !== undefined || topic.lifetime.state === 'owned';
  if (verdict !== 'owned' && !hasOwner) elsewhere?.released(topic);
}

function own({ topic, self }: State, request: Claim): void {
  const { member, grace } = request;
  const lifetime = claim(topic.lifetime, member, grace);
  if (lifetime === null) {
    refuse(request, 'owned');
    return;
  }
  topic.become(lifetime, now(self));
  monitor(self, member);
  inform(member, { type: 'claimed', topic });
}

/** What other relays say of the topic's owner counts for all that is not owned here, and here it ends an owner. */
export function changeOwnership({ topic, self }: State, ownership: RemoteOwnership): void {
  const { lifetime } = topic;
  if (ownership !== 'none') {
    if (lifetime.state === 'owned')
      inform(lifetime.owner, { type: 'refused', action: 'publish', name: topic.name, why: 'owned' });
    topic.become({ state: 'elsewhere', grace: ownership === 'grace' }, now(self));
  } else if (lifetime.state === 'elsewhere') {
    end(topic, self);
  }
}

/** Whoever died may have been the owner: then its grace begins. */
export function ownerGone({ topic, self, elsewhere }: State, pid: Pid<MemberMessage>): void {
  const lifetime = ownerLeft(topic.lifetime, pid, now(self));
  if (lifetime === topic.lifetime) return;
  topic.become(lifetime, now(self));
  awaitEndOfGrace(topic, self);
  elsewhere?.released(topic);
}

/** Sets the timer for the end of a grace, if there is one. */
export function awaitEndOfGrace({ lifetime }: Topic, self: Self<TopicMessage>): void {
  if (lifetime.state === 'grace')
    sendAfter(self, Math.ceil(lifetime.until - now(self)), { type: 'grace-over' });
}

/** The timer of a grace that another owner has ended comes too, and finds nothing to do. */
export function endOfGrace({ topic, self }: State): void {
  if (hasEnded(topic.lifetime, now(self))) end(topic, self);
  // A timer may ring a moment early.
  else awaitEndOfGrace(topic, self);
}

/** The topic has no owner any more: those who were there for the owner are told. */
function end(topic: Topic, self: Self<TopicMessage>): void {
  topic.become(unowned, now(self));
  for (const member of topic.members.whileOwned()) {
    demonitor(takeOut(topic, member));
    inform(member, { type: 'ended', topic });
  }
}
