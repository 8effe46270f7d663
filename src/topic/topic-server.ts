import { type Behaviour, keep, type Next, stop } from '../otp/behaviour.ts';
import { monitor } from '../otp/monitor.ts';
import { inform, type Pid } from '../otp/process.ts';
import { sendAfter } from '../otp/timer.ts';
import type { Accounting } from './accounting.ts';
import { fanOut, hasWaiting, isReady } from './fan-out.ts';
import { abandonTopic, cannot, lose, release, resumeAfterCrash } from './losses.ts';
import { arrive, drop, interested, leave, loseInterest, wasTaken } from './membership.ts';
import {
  awaitEndOfGrace,
  awaitJudgement,
  endOfGrace,
  judged,
  ownedElsewhere,
  ownerGone,
  takeClaim,
} from './ownership.ts';
import { publish } from './publishing.ts';
import type { MemberMessage, TopicMessage } from './topic.ts';
import type { TopicServerArgs, TopicServerState } from './topic-server-state.ts';

/** Milliseconds that a topic without members waits for the next message, where its messages go to other relays. */
const LINGER = 1000;

/**
 * One live topic. It puts the messages of all publishers in one order and fans them out: all that are waiting, in one
 * turn, as one `Delivery` for each format in use, sent to every member.
 *
 * It does so only while no member is behind: a fast publisher runs out of credit instead of filling the members'
 * outboxes. Members say themselves when they are in the way and when they no longer are.
 */

const serverBehaviour: Behaviour<TopicServerArgs, TopicServerState, TopicMessage> = {
  name: 'topic-server',

  init(self, args) {
    const { topic, accounting } = args;
    topic.server = self;
    resumeAfterCrash(topic, accounting);
    topic.members.refresh((member) => monitor(self, member));
    if (topic.lifetime.state === 'owned') monitor(self, topic.lifetime.owner);
    awaitEndOfGrace(topic, self);
    const ownership = args.elsewhere?.ownership(topic.realm, topic.name) ?? 'none';
    if (ownership !== 'none' && topic.lifetime.state === 'unowned')
      topic.lifetime = { state: 'elsewhere', grace: ownership === 'grace' };
    if (topic.interest === 'asked') inform(self, { type: 'interested', round: topic.round });
    if (topic.claiming !== undefined) awaitJudgement(self, topic.claiming);
    // After a restart there may be messages to fan out, or nobody left.
    inform(self, { type: 'continue' });
    // Where messages start topics, one may be on its way.
    const used = args.elsewhere !== null && args.elsewhere.uplink !== null;
    return { ...args, self, asked: false, used, lingering: false };
  },

  handle(state, message) {
    switch (message.type) {
      case 'publish':
        publish(state, message);
        return keep;
      case 'join':
        arrive(state, message);
        return keep;
      case 'interested':
        interested(state, message.round);
        return keep;
      case 'judged':
        judged(state, message.claim, message.verdict);
        return keep;
      case 'elsewhere':
        ownedElsewhere(state, message.ownership);
        return keep;
      case 'leave':
        leave(state, message.member);
        return keep;
      case 'behind':
        if (state.topic.members.has(message.member)) state.topic.behind.add(message.member);
        return keep;
      case 'not-behind':
        state.topic.behind.delete(message.member);
        return keep;
      case 'claim':
        takeClaim(state, message);
        return keep;
      case 'down':
        drop(state, message.pid as Pid<MemberMessage>);
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
        while (state.elsewhere?.uplink != null && hasWaiting(state.topic)) fanOut(state);
        return stop('normal');
    }
  },

  settle(state): Next<TopicServerState> {
    const { topic } = state;
    if (topic.interest !== 'none' && topic.members.groups.length === 0) loseInterest(state);
    // Who has left in this very turn leaves a topic that empties by its last messages: the two go together.
    if (isReady(topic)) fanOut(state);
    if (!topic.isIdle) {
      state.asked = false;
    } else if (!state.asked && !lingers(state)) {
      state.asked = true;
      state.idle(topic);
    }
    return keep;
  },

  /** After a crash the successor takes all over. Ended with its supervisor, there is none. */
  terminate({ topic, accounting }, reason) {
    if (reason === 'normal') release(topic, accounting, 'unheard');
    else if (reason === 'shutdown' || reason === 'killed') abandonTopic(topic, accounting);
  },
};

/** The behaviour of all topic servers of one relay: what they leave in their mailboxes is counted in `accounting`. */
export function topicServer(
  accounting: Accounting,
): Behaviour<TopicServerArgs, TopicServerState, TopicMessage> {
  return {
    ...serverBehaviour,
    undelivered(message, reason) {
      if (message.type === 'publish') {
        lose(accounting, message, reason === 'normal' ? 'unheard' : 'crash');
      } else if (message.type === 'claim' || (message.type === 'join' && !wasTaken(message))) {
        cannot(message);
      }
    },
  };
}

/** A topic that is published to now and again is not started for every message. */
function lingers(state: TopicServerState): boolean {
  if (!state.lingering && state.used) {
    state.used = false;
    state.lingering = true;
    sendAfter(state.self, LINGER, { type: 'lingered' });
  }
  return state.lingering;
}
