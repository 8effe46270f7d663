import { type Behaviour, keep, type Next, stop } from '../otp/behaviour.ts';
import { demonitor, monitor } from '../otp/monitor.ts';
import { isAlive, type Pid, type Self, send } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Accounting } from './accounting.ts';
import { Delivery } from './delivery.ts';
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

export interface TopicServerArgs {
  readonly topic: Topic;
  readonly accounting: Accounting;
  /** Asks the router whether the topic may go. It answers with `retire`, or not at all when a join is under way. */
  readonly idle: (topic: Topic) => void;
}

interface State extends TopicServerArgs {
  readonly self: Self<TopicMessage>;
  /** The router has been asked, and nothing has come since. */
  asked: boolean;
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
    // After a restart there may be messages to fan out, or nobody left.
    send(self, { type: 'continue' });
    return { ...args, self, asked: false };
  },

  handle(state, message) {
    switch (message.type) {
      case 'publish':
        publish(state, message);
        return keep;
      case 'join':
        join(state, message);
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
      case 'retire':
        return stop('normal');
    }
  },

  settle(state): Next<State> {
    const { topic } = state;
    if (topic.next < topic.queue.length && topic.behind.size === 0) fanOut(state);
    else if (!state.asked && topic.isIdle) {
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

function publish({ topic, accounting }: State, message: Publish): void {
  if (!mayPublish(topic.lifetime, message.from)) {
    send(message.from, { type: 'refused', action: 'publish', name: topic.name, why: 'owned' });
    lose(accounting, message, 'refused');
    return;
  }
  topic.queue.push(message);
}

/** Fans out what has been published, up to one delivery's worth. */
function fanOut({ topic, accounting, self }: State): void {
  const { queue, members } = topic;
  const first = topic.next;
  let bytes = 0;
  let acceptedAt = 0;
  while (topic.next < queue.length && bytes < DELIVERY_BYTES) {
    const publish = queue[topic.next] as Publish;
    topic.rendering = publish;
    topic.next++;
    const { message } = publish;
    if (acceptedAt === 0 && publish.acceptedAt !== undefined) acceptedAt = publish.acceptedAt;
    bytes += message.payload.length;
    for (const group of members.groups) {
      const part = group.format.render(message, topic.name);
      if (part === 'nothing') continue;
      if (part === 'undeliverable') group.undeliverable++;
      else group.parts.push(part);
    }
  }
  topic.rendering = undefined;
  const end = topic.next;
  for (const group of members.groups) {
    const { format, members: recipients, parts } = group;
    if (group.undeliverable > 0) countUndeliverable(group, accounting);
    if (parts.length === 0) continue;
    const delivery = new Delivery(format.assemble(parts), parts.length, accounting, acceptedAt);
    if (acceptedAt !== 0) accounting.samples.fanOut.observe(recipients.size);
    parts.length = 0;
    accounting.attempts += delivery.count * recipients.size;
    topic.attempts += delivery.count * recipients.size;
    for (const member of recipients.keys()) {
      if (!send(member, delivery)) accounting.dropped.gone += delivery.count;
    }
  }
  accounting.messages += end - first;
  topic.messages += end - first;
  if (members.groups.length === 0) accounting.lost.unheard += end - first;
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

/** Joins that were taken by a server as it crashed: its death does not undo them. */
const takenInCrash = new WeakSet<Join>();

function join(state: State, request: Join): void {
  const { member, format, while: condition, again } = request;
  const { topic, self } = state;
  topic.taken++;
  state.asked = false;
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

function takeClaim(state: State, { member, grace }: Claim): void {
  const { topic, self } = state;
  topic.taken++;
  state.asked = false;
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
  if (topic.lifetime !== before) awaitEndOfGrace(topic, self);
}

/** Sets the timer for the end of a grace, if there is one. */
function awaitEndOfGrace({ lifetime }: Topic, self: Self<TopicMessage>): void {
  if (lifetime.state === 'grace')
    sendAfter(self, Math.ceil(lifetime.until - now(self)), { type: 'grace-over' });
}

/** The timer of a grace that another owner has ended comes too, and finds nothing to do. */
function endOfGrace({ topic, self }: State): void {
  if (!hasEnded(topic.lifetime, now(self))) {
    // A timer may ring a moment early.
    awaitEndOfGrace(topic, self);
    return;
  }
  topic.lifetime = { state: 'unowned' };
  for (const member of topic.members.whileOwned()) {
    demonitor(topic.members.remove(member) ?? null);
    topic.behind.delete(member);
    send(member, { type: 'ended', topic });
  }
}
