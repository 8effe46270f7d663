import { type Behaviour, keep, type Next, stop } from '../otp/behaviour.ts';
import { demonitor, monitor } from '../otp/monitor.ts';
import { inform, type Pid } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Accounting } from './accounting.ts';
import { lose, type Turn } from './fan-out.ts';
import { goOn } from './joining.ts';
import {
  awaitEndOfGrace,
  awaitJudgement,
  changeOwnership,
  endOfGrace,
  ownerGone,
  settleClaim,
  takeClaim,
} from './owning.ts';
import {
  arrive,
  confirmed,
  goOnWaiting,
  isLate,
  letIn,
  newSequencing,
  recall,
  resynced,
  settlingOver,
  take,
  takeIncoming,
  takeLeftOver,
  unlinked,
} from './sequencing.ts';
import type { Join, MemberMessage } from './topic.ts';
import { type Leave, refuse, type TopicMessage, tell, tellLeft, turnAway, wake } from './topic-requests.ts';
import { fanOut, isStartedByMessages, type State, type TopicServerArgs, takeOut } from './topic-state.ts';

/**
 * One live topic. Its server puts the messages of all publishers in one order and fans them out: all that are waiting,
 * in one turn, as one `Delivery` for each format in use, sent to every member.
 *
 * It does so only while no member is behind: a fast publisher runs out of credit instead of filling the members'
 * outboxes. Members say themselves when they are in the way and when they no longer are.
 *
 * The topic owns all that outlives a crash; the server owns what it has asked its router, and its timers.
 */

/** Milliseconds that a topic without members waits for the next message, where its messages go to other relays. */
const LINGER = 1000;

/** For a topic whose server is not coming back: what waits is lost, and the members must find their way to the next one. */
export function abandonTopic({ topic, accounting, keys, now }: TopicServerArgs): void {
  // Before what waits is lost: those who come back ask for it, and hear that it is missing.
  const at = topic.line?.position ?? null;
  topic.fanOut.release({ accounting, uplink: null, keys, now }, 'crash');
  topic.retire();
  for (const member of topic.members.all()) {
    const coming = topic.members.coming.get(member);
    // One who has not been told of a gap comes back for what it has missed there.
    const stands = topic.members.owedTo(member)?.from ?? at;
    const position = coming === undefined ? stands : (topic.line?.number(coming.cursor.offset - 1) ?? null);
    inform(member, { type: 'lost', topic, at: position });
  }
  if (topic.lifetime.state === 'owned') inform(topic.lifetime.owner, { type: 'lost', topic, at });
  for (let next = topic.nextJoin(); next !== undefined; next = topic.nextJoin()) refuse(next);
  for (let next = topic.nextHeld(); next !== undefined; next = topic.nextHeld())
    turnAway(next, topic.name, accounting);
  if (topic.claiming !== undefined) refuse(topic.claiming);
}

const serverBehaviour: Behaviour<TopicServerArgs, State, TopicMessage> = {
  name: 'topic-server',
  about: ({ topic }) => topic.toString(),

  init(self, args) {
    const { topic, accounting, elsewhere, keys } = args;
    const turn: Turn = { accounting, uplink: elsewhere?.uplink ?? null, keys, now: args.now };
    topic.serve(self);
    topic.fanOut.resume(turn);
    topic.members.refresh((member) => monitor(self, member));
    if (topic.lifetime.state === 'owned') monitor(self, topic.lifetime.owner);
    awaitEndOfGrace(topic, self);
    const ownership = elsewhere?.ownership(topic.realm, topic.name) ?? 'none';
    if (ownership !== 'none' && topic.lifetime.state === 'unowned')
      topic.become({ state: 'elsewhere', grace: ownership === 'grace' }, now(self));
    if (topic.interest === 'asked') tell(topic, { type: 'interested', round: topic.round });
    if (topic.claiming !== undefined) awaitJudgement(self, topic.claiming);
    // After a restart there may be messages to fan out, or nobody left.
    wake(topic);
    // Where messages start topics, one may be on its way.
    const used = isStartedByMessages(args);
    const state: State = {
      ...args,
      self,
      turn,
      asked: false,
      used,
      lingering: false,
      sequencing: newSequencing(),
      takenInCrash: undefined,
    };
    goOnWaiting(state);
    return state;
  },

  handle(state, message) {
    const { topic } = state;
    switch (message.type) {
      case 'publish':
        take(state, message);
        return keep;
      case 'join':
        arrive(state, message);
        return keep;
      case 'incoming':
        takeIncoming(state, message);
        return keep;
      case 'recall':
        recall(state, message);
        return keep;
      case 'resync':
        resynced(state, message.node);
        return keep;
      case 'settled':
        settlingOver(state, message.round);
        return keep;
      case 'late':
        isLate(state);
        return keep;
      case 'held':
        letIn(state);
        return keep;
      case 'interested':
        confirmed(state, message.round);
        return keep;
      case 'left-over':
        takeLeftOver(state);
        return keep;
      case 'unlinked':
        unlinked(state);
        return keep;
      case 'judged':
        settleClaim(state, message.claim, message.verdict);
        return keep;
      case 'elsewhere':
        changeOwnership(state, message.ownership);
        return keep;
      case 'leave':
        remove(state, message);
        return keep;
      case 'behind':
        topic.fanOut.fallBehind(message.member);
        topic.members.coming.get(message.member)?.fallBehind(true);
        return keep;
      case 'caught-up':
        topic.fanOut.letGo(message.member);
        topic.members.coming.get(message.member)?.fallBehind(false);
        return keep;
      case 'portion':
        goOn(state, message.member);
        return keep;
      case 'change':
        if (topic.line !== null) topic.fanOut.push(message.change);
        return keep;
      case 'claim':
        takeClaim(state, message);
        return keep;
      case 'down':
        takeOut(topic, message.pid as Pid<MemberMessage>);
        ownerGone(state, message.pid as Pid<MemberMessage>);
        return keep;
      case 'grace-over':
        endOfGrace(state);
        return keep;
      case 'continue':
        state.asked = false;
        return keep;
      case 'lingered':
        state.lingering = false;
        return keep;
      case 'retire':
        // What was on its way when the router let the topic go has nobody to hear it here.
        while (isStartedByMessages(state) && topic.fanOut.queue.length > 0) fanOut(state);
        return stop('normal');
    }
  },

  settle(state): Next<State> {
    const { topic } = state;
    if (topic.loseInterest()) state.elsewhere?.unwanted(topic);
    // Who has left in this very turn leaves a topic that empties by its last messages: the two go together.
    topic.fanOut.pay(state.accounting);
    if (topic.fanOut.isReady) fanOut(state);
    if (!topic.isIdle) {
      state.asked = false;
    } else if (!state.asked && !lingers(state)) {
      state.asked = true;
      state.idle(topic);
    }
    return keep;
  },

  /** After a crash the successor takes all over. Ended with its supervisor, there is none. */
  terminate(state, reason) {
    if (reason === 'normal') state.topic.fanOut.release(state.turn, 'unheard');
    else if (reason === 'shutdown' || reason === 'killed') abandonTopic(state);
  },
};

/** The behaviour of all topic servers of one relay: what they leave in their mailboxes is counted in `accounting`. */
export function topicServer(accounting: Accounting): Behaviour<TopicServerArgs, State, TopicMessage> {
  return {
    ...serverBehaviour,
    undelivered(message, reason, state) {
      if (message.type === 'publish') {
        lose(message, state?.topic.name ?? '', accounting, reason === 'normal' ? 'unheard' : 'crash');
        state?.topic.fanOut.miss(message, state.now);
      } else if (message.type === 'join') undo(state, message);
      else if (message.type === 'leave') tellLeft(message);
      else if (message.type === 'claim' || message.type === 'incoming' || message.type === 'recall')
        turnAway(message, state?.topic.name ?? '', accounting);
    },
  };
}

/** A join that crashed the server is no more to be had; one that was under way as something else did is tried again. */
function undo(state: State | undefined, request: Join): void {
  if (state !== undefined && state.takenInCrash === request) state.takenInCrash = undefined;
  else refuse(request);
}

/** A topic that is published to now and again is not started for every message. */
function lingers(state: State): boolean {
  if (!state.lingering && state.used) {
    state.used = false;
    state.lingering = true;
    sendAfter(state.self, LINGER, { type: 'lingered' });
  }
  return state.lingering;
}

function remove(state: State, request: Leave): void {
  const { topic } = state;
  try {
    // What was published before it left was published to it.
    if (topic.fanOut.isReady) fanOut(state);
  } finally {
    demonitor(takeOut(topic, request.member));
  }
  // Where it has crashed on the way, this is told as it ends.
  tellLeft(request);
}
