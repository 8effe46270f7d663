import { type Behaviour, keep, type Next, stop } from '../otp/behaviour.ts';
import { demonitor, monitor } from '../otp/monitor.ts';
import { isAlive, type Pid, type Self, send } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Accounting } from './accounting.ts';
import { Delivery } from './delivery.ts';
import type { Elsewhere, RemoteOwnership } from './elsewhere.ts';
import { claim, hasEnded, mayPublish, ownerLeft } from './lifetime.ts';
import {
  abandonTopic,
  cannot,
  countUndeliverable,
  giveBack,
  lose,
  release,
  resumeAfterCrash,
} from './losses.ts';
import type { Message } from './message.ts';
import type { Claim, Join, MemberMessage, Publish, Topic, TopicMessage } from './topic.ts';

/**
 * One live topic. It puts the messages of all publishers in one order and fans them out: all that are waiting, in one
 * turn, as one `Delivery` for each format in use, sent to every member.
 *
 * It does so only while no member is behind: a fast publisher runs out of credit instead of filling the members'
 * outboxes. Members say themselves when they are in the way and when they no longer are.
 */

/** Bytes of messages in one delivery, so that members can say that they are behind before the next one. */
const DELIVERY_BYTES = 64 * 1024;
/** Milliseconds that a first local member waits for the other relays to know of it. */
const INTEREST_TIMEOUT = 250;
/** Milliseconds that a claim waits for its judgement; whoever judges is faster, unless it crashes. */
const CLAIM_TIMEOUT = 4000;
/** Milliseconds that a topic without members waits for the next message, where its messages go to other relays. */
const LINGER = 1000;

export interface TopicServerArgs {
  readonly topic: Topic;
  readonly accounting: Accounting;
  /** The other relays; null: there are none. */
  readonly elsewhere: Elsewhere | null;
  /** Asks the router whether the topic may go. It answers with `retire`, or not at all when a join is under way. */
  readonly idle: (topic: Topic) => void;
}

interface State extends TopicServerArgs {
  readonly self: Self<TopicMessage>;
  /** The router has been asked, and nothing has come since. */
  asked: boolean;
  /** It was published to since `lingering` began: there is a timer for its end. */
  used: boolean;
  lingering: boolean;
}

const serverBehaviour: Behaviour<TopicServerArgs, State, TopicMessage> = {
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
    if (topic.interest === 'asked') send(self, { type: 'interested', round: topic.round });
    // After a restart there may be messages to fan out, or nobody left.
    send(self, { type: 'continue' });
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
        gone(state, message.pid);
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
        while (state.elsewhere?.uplink != null && topicHasWaiting(state.topic)) fanOut(state);
        return stop('normal');
    }
  },

  settle(state): Next<State> {
    const { topic } = state;
    if (topic.interest !== 'none' && topic.members.groups.length === 0) loseInterest(state);
    if (topic.next < topic.queue.length && topic.behind.size === 0) {
      fanOut(state);
      if (state.used && topic.isIdle) lingers(state);
    } else if (!state.asked && topic.isIdle && !lingers(state)) {
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
export function topicServer(accounting: Accounting): Behaviour<TopicServerArgs, State, TopicMessage> {
  return {
    ...serverBehaviour,
    undelivered(message, reason) {
      if (message.type === 'publish') {
        lose(accounting, message, reason === 'normal' ? 'unheard' : 'crash');
      } else if (message.type === 'claim' || (message.type === 'join' && !takenInCrash.has(message))) {
        cannot(message);
      }
    },
  };
}

function publish({ topic, accounting, elsewhere }: State, message: Publish): void {
  if (message.via === null && !mayPublish(topic.lifetime, message.from)) {
    send(message.from, { type: 'refused', action: 'publish', name: topic.name, why: 'owned' });
    lose(accounting, message, 'refused');
    return;
  }
  if (topic.ordering !== null && elsewhere !== null)
    sequence(topic, topic.ordering, elsewhere, accounting, message);
  else topic.queue.push(message);
}

/** One order for all relays: what is published goes to the relay that makes it, and comes back from there. */
function sequence(
  topic: Topic,
  ordering: NonNullable<Topic['ordering']>,
  elsewhere: Elsewhere,
  accounting: Accounting,
  message: Publish,
): void {
  const sequencer = message.via ?? elsewhere.sequencer(topic);
  if (sequencer === null) {
    if (elsewhere.forward(topic, message)) giveBack(message);
    else lose(accounting, message, 'unreachable');
    return;
  }
  const last = ordering.sequencer;
  if (last !== null && last !== sequencer && !elsewhere.mayFollow(topic, last, sequencer)) {
    lose(accounting, message, 'stale');
    return;
  }
  ordering.sequencer = sequencer;
  topic.queue.push(message);
}

function topicHasWaiting({ queue, next }: Topic): boolean {
  return next < queue.length;
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

/** Fans out what has been published, up to one delivery's worth. */
function fanOut(state: State): void {
  const { topic, accounting, self, elsewhere } = state;
  const { queue, members } = topic;
  const uplink = elsewhere?.uplink ?? null;
  const upward: Message[] = [];
  const first = topic.next;
  let bytes = 0;
  let unheard = 0;
  let acceptedAt = 0;
  while (topic.next < queue.length && bytes < DELIVERY_BYTES) {
    const publish = queue[topic.next] as Publish;
    topic.rendering = publish;
    topic.next++;
    const { message } = publish;
    if (acceptedAt === 0 && publish.acceptedAt !== undefined) acceptedAt = publish.acceptedAt;
    bytes += message.payload.length;
    const { groups, remote } = members;
    const count = publish.via !== null ? groups.length : groups.length + remote.length;
    if (uplink !== null && publish.via === null) upward.push(message);
    else if (count === 0) unheard++;
    for (let i = 0; i < count; i++) {
      const group = (i < groups.length ? groups[i] : remote[i - groups.length]) as (typeof groups)[number];
      const part = group.format.render(message, topic.name);
      if (part === 'nothing') continue;
      if (part === 'undeliverable') group.undeliverable++;
      else group.parts.push(part);
    }
  }
  topic.rendering = undefined;
  const end = topic.next;
  // First, since it cannot fail: were a delivery to crash, the messages would not be made again.
  if (uplink !== null && upward.length > 0) {
    state.used = true;
    uplink.publish(topic, upward, accounting);
  }
  for (const group of members.groups) deliver(group, topic, accounting, acceptedAt);
  for (const group of members.remote) deliver(group, topic, accounting, acceptedAt);
  accounting.messages += end - first;
  accounting.lost.unheard += unheard;
  topic.messages += end - first;
  for (let i = first; i < end; i++) {
    const publish = queue[i] as Publish;
    if (publish.credit > 0) giveBack(publish);
  }
  if (end === queue.length) {
    queue.length = 0;
    topic.next = 0;
    return;
  }
  // What is left waits for the members to have had their turn.
  queue.splice(0, end);
  topic.next = 0;
  send(self, { type: 'continue' });
}

/** One delivery for all members of a group, of what has been rendered for it. */
function deliver(
  group: Topic['members']['groups'][number],
  topic: Topic,
  accounting: Accounting,
  acceptedAt: number,
): void {
  const { format, members, parts } = group;
  if (group.undeliverable > 0) countUndeliverable(group, accounting);
  if (parts.length === 0) return;
  const delivery = new Delivery(format.assemble(parts), parts.length, accounting, acceptedAt);
  if (acceptedAt !== 0) accounting.samples.fanOut.observe(members.size);
  parts.length = 0;
  const attempts = delivery.count * members.size;
  accounting.attempts += attempts;
  topic.attempts += attempts;
  for (const member of members.keys()) {
    if (!send(member, delivery)) accounting.dropped.gone += delivery.count;
  }
}

/** Joins that were taken by a server as it crashed: its death does not undo them. */
const takenInCrash = new WeakSet<Join>();

/** A join from the router. The first of a local member waits until the other relays know that there is one. */
function arrive(state: State, request: Join): void {
  const { topic, self, elsewhere } = state;
  topic.taken++;
  state.asked = false;
  if (elsewhere === null || request.format.remote === true || topic.interest === 'held') {
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
function interested(state: State, round: number): void {
  const { topic } = state;
  if (topic.interest !== 'asked' || topic.round !== round) return;
  // A crash on the way leaves the rest to the next incarnation.
  for (let next = topic.joining.shift(); next !== undefined; next = topic.joining.shift()) join(state, next);
  topic.interest = 'held';
}

function loseInterest({ topic, elsewhere }: State): void {
  if (topic.joining.length > 0) return;
  topic.interest = 'none';
  elsewhere?.unwanted(topic);
}

function join(state: State, request: Join): void {
  const { member, format, while: condition, again } = request;
  const { topic, self } = state;
  if (condition === 'owned' && topic.lifetime.state === 'unowned' && again !== undefined) {
    topic.lifetime = { state: 'grace', until: now(self) + again.grace };
    awaitEndOfGrace(topic, self);
  } else if (condition === 'owned' && topic.lifetime.state === 'unowned') {
    send(member, { type: 'refused', action: 'join', name: topic.name, why: 'missing' });
    return;
  }
  if (!topic.members.has(member)) {
    if (!isAlive(member)) return;
    try {
      // Who joins now is owed what comes from now on: the earlier messages go to the earlier members.
      if (topic.next < topic.queue.length && topic.behind.size === 0) fanOut(state);
    } catch (error) {
      takenInCrash.add(request);
      throw error;
    } finally {
      // A crash on one of them takes that message, and not the join.
      topic.members.add(member, format, monitor(self, member), condition === 'owned');
      send(member, { type: 'joined', topic });
    }
    return;
  }
  send(member, { type: 'joined', topic });
}

function leave(state: State, member: Pid<MemberMessage>): void {
  const { topic } = state;
  try {
    // What was published before it left was published to it.
    if (topic.next < topic.queue.length && topic.behind.size === 0) fanOut(state);
  } finally {
    demonitor(topic.members.remove(member) ?? null);
    topic.behind.delete(member);
  }
}

function takeClaim(state: State, request: Claim): void {
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
  if (elsewhere === null) {
    own(state, request);
    return;
  }
  topic.claiming = request;
  elsewhere.claim(topic, request);
  sendAfter(self, CLAIM_TIMEOUT, { type: 'judged', claim: request, verdict: 'unavailable' });
}

function judged(state: State, request: Claim, verdict: 'granted' | 'owned' | 'unavailable'): void {
  const { topic, elsewhere } = state;
  if (topic.claiming !== request) return;
  topic.claiming = undefined;
  if (verdict !== 'granted') refuseClaim(topic, request, verdict);
  else if (isAlive(request.member)) own(state, request);
  else elsewhere?.released(topic);
}

function refuseClaim(topic: Topic, { member }: Claim, why: 'owned' | 'unavailable'): void {
  send(member, { type: 'refused', action: 'claim', name: topic.name, why });
}

/** What other relays say of the topic's owner counts for all that is not owned here, and here it ends an owner. */
function ownedElsewhere(state: State, ownership: RemoteOwnership): void {
  const { topic } = state;
  const { lifetime } = topic;
  if (ownership !== 'none') {
    if (lifetime.state === 'owned')
      send(lifetime.owner, { type: 'refused', action: 'publish', name: topic.name, why: 'owned' });
    topic.lifetime = { state: 'elsewhere', grace: ownership === 'grace' };
  } else if (lifetime.state === 'elsewhere') {
    end(state);
  }
}

function own({ topic, self }: State, { member, grace }: Claim): void {
  const lifetime = claim(topic.lifetime, member, grace);
  if (lifetime === null) {
    send(member, { type: 'refused', action: 'claim', name: topic.name, why: 'owned' });
    return;
  }
  topic.lifetime = lifetime;
  monitor(self, member);
  send(member, { type: 'claimed', topic });
}

function gone(state: State, pid: Pid<never>): void {
  const { topic, self } = state;
  const member = pid as Pid<MemberMessage>;
  topic.members.remove(member);
  topic.behind.delete(member);
  const before = topic.lifetime;
  topic.lifetime = ownerLeft(before, member, now(self));
  if (topic.lifetime === before) return;
  awaitEndOfGrace(topic, self);
  state.elsewhere?.released(topic);
}

/** Sets the timer for the end of a grace, if there is one. */
function awaitEndOfGrace({ lifetime }: Topic, self: Self<TopicMessage>): void {
  if (lifetime.state === 'grace')
    sendAfter(self, Math.ceil(lifetime.until - now(self)), { type: 'grace-over' });
}

/** The timer of a grace that another owner has ended comes too, and finds nothing to do. */
function endOfGrace(state: State): void {
  const { topic, self } = state;
  if (hasEnded(topic.lifetime, now(self))) end(state);
  // A timer may ring a moment early.
  else awaitEndOfGrace(topic, self);
}

/** The topic has no owner any more: those who were there for the owner are told. */
function end({ topic }: State): void {
  topic.lifetime = { state: 'unowned' };
  for (const member of topic.members.whileOwned()) {
    demonitor(topic.members.remove(member) ?? null);
    topic.behind.delete(member);
    send(member, { type: 'ended', topic });
  }
}
