import { demonitor, monitor } from '../otp/monitor.ts';
import { inform, isAlive, type Pid, type Self } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { RemoteOwnership } from './elsewhere.ts';
import { claim, hasEnded, ownerLeft } from './lifetime.ts';
import type { Claim, MemberMessage, Topic, TopicMessage } from './topic.ts';
import type { TopicServerState } from './topic-server-state.ts';

/** Milliseconds that a claim waits for its judgement; whoever judges is faster, unless it crashes. */
const CLAIM_TIMEOUT = 4000;

/** Somebody wants to be the owner; where there are other relays, they are asked. */
export function takeClaim(state: TopicServerState, request: Claim): void {
  const { topic, self, elsewhere } = state;
  const { lifetime } = topic;
  topic.taken++;
  state.asked = false;
  // Whether an owner elsewhere is still there is known best elsewhere.
  const isTaken = lifetime.state !== 'elsewhere' && claim(lifetime, request.member, request.grace) === null;
  if (topic.claiming !== undefined || isTaken) {
    refuseClaim(topic, request, 'owned');
    return;
  }
  if (elsewhere === null || elsewhere.alone) {
    own(state, request);
    return;
  }
  topic.claiming = request;
  elsewhere.claim(topic, request);
  awaitJudgement(self, request);
}

/** Sets the timer of a claim. Whoever judges it may crash, and so may the server that has asked, with its timers. */
export function awaitJudgement(self: Self<TopicMessage>, claim: Claim): void {
  sendAfter(self, CLAIM_TIMEOUT, { type: 'judged', claim, verdict: 'unavailable' });
}

/** The other relays have judged a claim, or it took them too long. */
export function judged(
  state: TopicServerState,
  request: Claim,
  verdict: 'granted' | 'owned' | 'unavailable',
): void {
  const { topic, elsewhere } = state;
  const isAwaited = topic.claiming === request;
  if (isAwaited) topic.claiming = undefined;
  if (isAwaited && verdict === 'granted' && isAlive(request.member)) {
    own(state, request);
    return;
  }
  if (isAwaited && verdict !== 'granted') refuseClaim(topic, request, verdict);
  // What was granted too late, or may still be, must not stand for an owner that is not there.
  const hasOwner = topic.claiming !== undefined || topic.lifetime.state === 'owned';
  if (verdict !== 'owned' && !hasOwner) elsewhere?.released(topic);
}

function refuseClaim(topic: Topic, { member }: Claim, why: 'owned' | 'unavailable'): void {
  inform(member, { type: 'refused', action: 'claim', name: topic.name, why });
}

/** What other relays say of the topic's owner counts for all that is not owned here, and here it ends an owner. */
export function ownedElsewhere(state: TopicServerState, ownership: RemoteOwnership): void {
  const { topic } = state;
  const { lifetime } = topic;
  if (ownership !== 'none') {
    if (lifetime.state === 'owned')
      inform(lifetime.owner, { type: 'refused', action: 'publish', name: topic.name, why: 'owned' });
    topic.lifetime = { state: 'elsewhere', grace: ownership === 'grace' };
  } else if (lifetime.state === 'elsewhere') {
    end(state);
  }
}

function own({ topic, self }: TopicServerState, { member, grace }: Claim): void {
  const lifetime = claim(topic.lifetime, member, grace);
  if (lifetime === null) {
    inform(member, { type: 'refused', action: 'claim', name: topic.name, why: 'owned' });
    return;
  }
  // One that comes back within the grace goes on with the claim that it had.
  if (topic.lifetime.state !== 'owned' && topic.lifetime.state !== 'grace') topic.ownedSince = now(self);
  topic.lifetime = lifetime;
  monitor(self, member);
  inform(member, { type: 'claimed', topic });
}

/** Sets the timer for the end of a grace, if there is one. */
export function awaitEndOfGrace({ lifetime }: Topic, self: Self<TopicMessage>): void {
  if (lifetime.state === 'grace')
    sendAfter(self, Math.ceil(lifetime.until - now(self)), { type: 'grace-over' });
}

/** The timer of a grace that another owner has ended comes too, and finds nothing to do. */
export function endOfGrace(state: TopicServerState): void {
  const { topic, self } = state;
  if (hasEnded(topic.lifetime, now(self))) end(state);
  // A timer may ring a moment early.
  else awaitEndOfGrace(topic, self);
}

/** The topic has no owner any more: those who were there for the owner are told. */
function end({ topic }: TopicServerState): void {
  topic.lifetime = { state: 'unowned' };
  for (const member of topic.members.whileOwned()) {
    demonitor(topic.members.remove(member) ?? null);
    topic.behind.delete(member);
    inform(member, { type: 'ended', topic });
  }
}

/** Whoever died may have been the owner: then its grace begins. */
export function ownerGone({ topic, self, elsewhere }: TopicServerState, pid: Pid<MemberMessage>): void {
  const before = topic.lifetime;
  topic.lifetime = ownerLeft(before, pid, now(self));
  if (topic.lifetime === before) return;
  awaitEndOfGrace(topic, self);
  elsewhere?.released(topic);
}
