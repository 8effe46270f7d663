import { inform } from '../otp/process.ts';
import { sendAfter } from '../otp/timer.ts';
import { answer } from './answering.ts';
import { giveBack, lose } from './fan-out.ts';
import { PATIENCE, type Step } from './follower.ts';
import { enter } from './joining.ts';
import { mayPublish } from './lifetime.ts';
import { keyedBy, type Message, type Publish, type Sequencer } from './message.ts';
import type { Incoming, Join, Recall, Topic } from './topic.ts';
import { letGo } from './topic-requests.ts';
import { fanOut, isStartedByMessages, type Sequencing, type State } from './topic-state.ts';

/**
 * Who gives the messages of a topic their order, this relay or another one, and what waits until it is known how far the other
 * relays are. What there is to do is the follower's to decide (`follower.ts`); this is how a server does it.
 */

/** Milliseconds that a first local member waits for the other relays to know of it. */
const INTEREST_TIMEOUT = 250;

/** Members that say that they are further than this relay have it ask the home no more often than this. */
const RECALL_PERIOD = 1000;

/**
 * Puts a message into the topic's order, where the publisher may and where this relay makes the order. One order for all
 * relays is made by one of them: there the message goes, and comes back from there.
 */
export function take(state: State, message: Publish): void {
  if (message.via === null) takeLeftOver(state);
  order(state, message);
}

/** What was for another home comes first: it was published before. */
export function takeLeftOver(state: State): void {
  const { topic, elsewhere } = state;
  if (elsewhere === null || !topic.isOrdered) return;
  for (const message of elsewhere.leftOver(topic)) order(state, message);
}

function order(state: State, message: Publish): void {
  const { topic, accounting, elsewhere } = state;
  // Of an owner at another relay that one knows.
  const isJudged = message.isForwarded === true && topic.lifetime.state === 'elsewhere';
  if (message.via === null && !isJudged && !mayPublish(topic.lifetime, message.from)) {
    const { from, receipt } = message;
    accounting.lose(1, 'refused');
    const refused = { type: 'refused', action: 'publish', name: topic.name, why: 'owned' } as const;
    // Before the credit: a publisher that waits for room goes on then.
    inform(from, receipt === undefined ? refused : { ...refused, receipt });
    giveBack(message);
    return;
  }
  if (elsewhere !== null && topic.isOrdered) {
    const own = message.via === null ? elsewhere.sequencer(topic) : null;
    const sequencer = message.via ?? own;
    const last = topic.sequencer;
    if (sequencer === null) {
      if (elsewhere.forward(topic, message)) giveBack(message);
      else lose(message, topic.name, accounting, 'unreachable');
      return;
    }
    if (last !== null && last !== sequencer && !elsewhere.mayFollow(topic, last, sequencer)) {
      lose(message, topic.name, accounting, 'stale');
      return;
    }
    if (own !== null && !leads(state, own) && !begins(state, own)) {
      topic.hold(message);
      settle(state);
      return;
    }
    if (own === null && topic.follower !== null && topic.follower.mode !== 'apart') {
      if (topic.follower.mode === 'settling') {
        lose(message, topic.name, accounting, 'stale');
        return;
      }
      drain(state);
      perform(state, topic.follower.goApart());
    }
    topic.follow(sequencer);
  }
  if (isStartedByMessages(state)) state.used = true;
  topic.fanOut.push(message);
}

/** Whether this relay, which is the home of the topic, knows how far the others are, and goes on from there. */
function leads({ topic, elsewhere }: State, { epoch }: Sequencer): boolean {
  const { follower, line } = topic;
  if (follower === null || line === null || elsewhere === null) return true;
  if (follower.mode !== 'leading' || line.ledIn === null) return false;
  if (line.ledIn !== epoch && !elsewhere.hasLed(line.ledIn)) return false;
  line.lead(epoch);
  return true;
}

/** The same, where nothing is to be published: whoever asks is told where the line stands. */
function isSettled(state: State, own: Sequencer): boolean {
  return leads(state, own) || hasGathered(state);
}

/** Whether this relay has asked the others how far they are, and none has been linked since that could be further. */
function hasGathered({ topic, elsewhere, sequencing: { gathered } }: State): boolean {
  return topic.follower?.mode === 'following' && gathered !== null && elsewhere?.hasLed(gathered) === true;
}

/** The first message is published here since the others were asked: from here on this relay leads. */
function begins(state: State, own: Sequencer): boolean {
  if (!hasGathered(state) || state.topic.follower?.isWaiting === true) return false;
  lead(state, own);
  return true;
}

/** All that waits is fanned out, whoever is behind: what comes next depends on where the line stands. */
function drain(state: State): void {
  const { mode } = state.topic.follower ?? {};
  if (mode !== 'leading' && mode !== 'apart') return;
  while (state.topic.fanOut.queue.length > 0) state.topic.fanOut.run(state.turn);
}

/** What has come over a link. */
export function takeIncoming(state: State, incoming: Incoming): void {
  const { topic, elsewhere, now } = state;
  const { follower } = topic;
  if (isStartedByMessages(state)) state.used = true;
  if (follower === null || elsewhere === null) {
    // The other relay's rules are not those of this one, which gives them its own positions.
    takeUnordered(state, incoming);
    return;
  }
  drain(state);
  const isHome = elsewhere.home(topic) === null;
  perform(state, follower.take(incoming, now(), isHome), incoming);
  if (follower.mode === 'settling') {
    if (follower.isAnswered) settled(state);
  } else if (!follower.isAsking) letIn(state);
}

function takeUnordered({ topic }: State, incoming: Incoming): void {
  const { messages, keys, link, via, credit, isAnswer } = incoming;
  if (isAnswer || messages.length === 0) {
    letGo(incoming);
    return;
  }
  for (const [index, message] of messages.entries()) {
    const isLast = index === messages.length - 1;
    const one: Publish = { type: 'publish', message, from: link, credit: isLast ? credit : 0, via };
    topic.fanOut.push(keyedBy(keys, index, one));
  }
}

/** Does what the follower has decided. `incoming`: what that is about; its link gets its credit back with its last message. */
function perform(state: State, steps: readonly Step<Incoming>[], incoming?: Incoming): void {
  const { topic, accounting } = state;
  const { fanOut: queue, follower, line } = topic;
  const last = steps.findLast((step) => step.type === 'take' && step.batch === incoming);
  for (const step of steps) {
    switch (step.type) {
      case 'take': {
        const { batch, from, to, isFill } = step;
        const { messages, keys, link, via } = batch;
        topic.follow(via);
        for (let i = from; i < to; i++) {
          const credit = step === last && i === to - 1 ? batch.credit : 0;
          const message = messages[i] as Message;
          const one = keyedBy(keys, i, { type: 'publish', message, from: link, credit, via });
          queue.push(isFill ? { ...one, isFill } : one);
        }
        break;
      }
      case 'change':
        queue.push(step.change);
        break;
      case 'filled':
        queue.push({ type: 'skip', why: 'link' });
        break;
      case 'lose':
        accounting.lose(step.count, step.why);
        break;
      case 'ask':
        ask(state, step.relay, false);
        break;
      case 'settle':
        askAll(state);
    }
  }
  if (incoming !== undefined && last === undefined) letGo(incoming);
  if (follower?.mode !== 'leading') line?.lead(null);
}

/** Asks the home for what is missing here. False: it cannot be asked. `isFilling`: nobody here is a member. */
function catchUp(state: State, isFilling: boolean): boolean {
  const { topic, elsewhere } = state;
  const home = elsewhere?.home(topic) ?? null;
  if (home === null || topic.follower?.mode === 'settling') return false;
  drain(state);
  return ask(state, home, isFilling);
}

function ask(state: State, relay: string, isFilling: boolean): boolean {
  const { topic, elsewhere, now } = state;
  const { follower } = topic;
  if (follower === null || elsewhere === null) return false;
  if (elsewhere.recall(topic, follower.since, relay).length === 0) {
    follower.asksNobody();
    return false;
  }
  state.sequencing.recalled = relay;
  follower.asks(now(), isFilling);
  awaitAnswer(state);
  return true;
}

function awaitAnswer(state: State): void {
  const { topic, now } = state;
  const { follower } = topic;
  if (follower === null || state.sequencing.isTimed) return;
  state.sequencing.isTimed = true;
  sendAfter(state.self, follower.remaining(now()), { type: 'late' });
}

/** What was asked for may be late, and is given up then. */
export function isLate(state: State): void {
  const { topic, elsewhere, sequencing, now } = state;
  const { follower } = topic;
  const { recalled } = sequencing;
  const wasAsking = follower?.isAsking;
  sequencing.isTimed = false;
  if (follower === null) return;
  perform(state, follower.expire(now(), recalled !== null && elsewhere?.isLinked(recalled) === true));
  if (!follower.isAsking) {
    // Who has waited for the home in vain does not wait once more.
    if (wasAsking) sequencing.aheadAt = now();
    letIn(state);
  }
  if (follower.isWaiting) awaitAnswer(state);
}

/** This relay is the home of the topic now: before it gives positions, or tells others where the line stands, it asks the others how far they are. */
function settle(state: State): void {
  const { follower } = state.topic;
  if (follower === null || follower.mode === 'settling') return;
  drain(state);
  follower.settle();
  askAll(state);
}

function askAll(state: State): void {
  const { topic, elsewhere } = state;
  const { follower } = topic;
  if (follower === null || elsewhere === null) return;
  follower.awaits(elsewhere.recall(topic, follower.since, null));
  if (follower.isAnswered) settled(state);
  else awaitSettling(state);
}

function awaitSettling(state: State): void {
  sendAfter(state.self, PATIENCE, { type: 'settled', round: ++state.sequencing.settling });
}

/** All have said how far they are, or have had the time to: what was held goes on. */
export function settled(state: State): void {
  const { topic, elsewhere, now } = state;
  const { follower, line } = topic;
  if (follower?.mode !== 'settling' || elsewhere === null || line === null) return;
  const own = elsewhere.sequencer(topic);
  if (own === null) {
    perform(state, follower.abandon());
    catchUp(state, false);
  } else if (topic.holdsMessages) {
    lead(state, own);
  } else {
    perform(state, follower.stand(now()));
    state.sequencing.gathered = own.epoch;
    if (topic.follower?.mode === 'leading') line.lead(own.epoch);
  }
  letIn(state);
}

function lead(state: State, own: Sequencer): void {
  const { topic, now } = state;
  const { follower, line } = topic;
  if (follower === null || line === null) return;
  state.sequencing.gathered = null;
  perform(state, follower.lead(now()));
  line.lead(own.epoch);
  topic.follow(own);
}

/** What was held because it was not known how far the other relays are. Joins go on waiting where it is not known yet. */
export function letIn(state: State): void {
  const { topic } = state;
  const { follower } = topic;
  if (follower === null || follower.mode === 'settling') return;
  // What has been asked for is all here before the first member is told where it stands.
  if (isEmpty(topic)) while (topic.fanOut.isReady) fanOut(state);
  admit(state);
  for (let left = topic.held; left > 0 && topic.held > 0; left--) {
    const next = topic.nextHeld();
    if (next?.type === 'publish') take(state, next);
    else if (next?.type === 'join') {
      if (follower.isAsking) topic.hold(next);
      else enter(state, next);
    } else if (next !== undefined) {
      if (follower.isAsking && isEarly(state, next)) topic.hold(next);
      else answer(state, next);
    }
  }
}

/** Nobody here is a member. */
function isEmpty({ members: { groups, coming } }: Topic): boolean {
  return groups.length === 0 && coming.size === 0;
}

/** Another relay asks for what is kept here. */
export function recall(state: State, request: Recall): void {
  const { topic, elsewhere } = state;
  const { follower } = topic;
  topic.arrived();
  state.asked = false;
  const own = follower === null ? null : (elsewhere?.sequencer(topic) ?? null);
  const isFar = own === null || (isSettled(state, own) && follower?.isBehind(request.since) === false);
  if (follower?.mode === 'settling' || !isFar) {
    topic.hold(request);
    settle(state);
  } else if (
    own === null &&
    isEarly(state, request) &&
    (follower?.isAsking || catchUp(state, isEmpty(topic)))
  ) {
    topic.hold(request);
  } else answer(state, request);
}

/**
 * Whether another relay is the home for this one than for the one that asks: what that one has sent may be on its way here. It is
 * asked first; it answers behind that, or its link is lost, and another one is the home here, too.
 */
function isEarly({ topic, elsewhere }: State, { member }: Recall): boolean {
  const home = elsewhere?.home(topic) ?? null;
  if (elsewhere === null || home === null || topic.follower?.mode === 'apart') return false;
  return !elsewhere.isLinkTo(member, home);
}

/** A join from the router. The first of a local member waits until the other relays know that there is one. */
export function arrive(state: State, request: Join): void {
  const { topic, self, elsewhere } = state;
  topic.arrived();
  state.asked = false;
  if (elsewhere?.alone === true && request.format.remote !== true && topic.interest === 'none')
    topic.holdInterest();
  if (elsewhere === null || request.format.remote === true || topic.interest === 'held') {
    join(state, request);
    return;
  }
  const round = topic.await(request);
  if (round === null) return;
  elsewhere.wanted(topic, round);
  if (topic.follower !== null) catchUp(state, true);
  sendAfter(self, INTEREST_TIMEOUT, { type: 'interested', round });
}

/** The other relays know that there are members here, and have answered what they were asked, or have had the time to: who waited comes in. */
function admit(state: State): void {
  const { topic, sequencing } = state;
  if (topic.interest !== 'asked' || sequencing.confirmed !== topic.round) return;
  if (topic.follower?.isAsking === true) return;
  // A crash on the way leaves the rest to the next incarnation.
  for (let next = topic.nextJoin(); next !== undefined; next = topic.nextJoin()) join(state, next);
  topic.holdInterest();
}

function join(state: State, request: Join): void {
  if (!waits(state, request)) enter(state, request);
}

/** Whether a join is held until it is known how far the other relays are. */
function waits(state: State, request: Join): boolean {
  const { topic, elsewhere } = state;
  const { follower } = topic;
  if (follower === null || elsewhere === null || request.format.remote === true) return false;
  const own = elsewhere.sequencer(topic);
  if (follower.mode === 'settling' || (own !== null && !isSettled(state, own))) {
    topic.hold(request);
    settle(state);
    return true;
  }
  const { since } = request;
  if (typeof since !== 'object') return false;
  if (!follower.isAsking) {
    if (!follower.isAhead(since)) return false;
    const time = state.now();
    if (time - state.sequencing.aheadAt < RECALL_PERIOD) return false;
    state.sequencing.aheadAt = time;
    if (!catchUp(state, false)) return false;
  }
  topic.hold(request);
  return true;
}

/** Nothing has been asked yet. */
export function newSequencing(): Sequencing {
  return {
    confirmed: 0,
    settling: 0,
    gathered: null,
    recalled: null,
    isTimed: false,
    aheadAt: Number.NEGATIVE_INFINITY,
  };
}

/** The other relays have confirmed interest, or have had the time to. */
export function confirmed(state: State, round: number): void {
  state.sequencing.confirmed = Math.max(state.sequencing.confirmed, round);
  admit(state);
}

/** The others have had the time to say how far they are; an earlier asking is over. */
export function settlingOver(state: State, round: number): void {
  if (round === state.sequencing.settling) settled(state);
}

/** What an earlier incarnation of the server was waiting for, with its timers. */
export function goOnWaiting(state: State): void {
  const { topic, self, elsewhere } = state;
  if (elsewhere !== null && topic.isOrdered) inform(self, { type: 'left-over' });
  if (topic.follower?.mode === 'settling') awaitSettling(state);
  else if (topic.held > 0) inform(self, { type: 'held' });
  if (topic.follower?.isWaiting === true) awaitAnswer(state);
}

/**
 * A link is lost, or its relay does not come back: what was asked for over it, the next home is asked for; if that is this relay, all
 * are. A home that may come back in a moment is waited for, and asked again then.
 */
export function unlinked(state: State): void {
  const { topic, elsewhere, sequencing } = state;
  const { follower } = topic;
  if (follower === null || elsewhere === null) return;
  const isLinked = (relay: string) => elsewhere.isLinked(relay);
  if (follower.mode === 'settling') {
    follower.awaitsOnly(isLinked);
    if (follower.isAnswered) settled(state);
    return;
  }
  if (!follower.isAsking || (sequencing.recalled !== null && isLinked(sequencing.recalled))) return;
  const home = elsewhere.home(topic);
  if (home === null) {
    settle(state);
  } else if (isLinked(home)) {
    catchUp(state, false);
    letIn(state);
  }
}

/** A link is made again, or has lost messages: what is missing here is asked for where it leads to the home. */
export function resynced(state: State, node: string): void {
  if (state.elsewhere?.home(state.topic) !== node) return;
  catchUp(state, false);
  letIn(state);
}
