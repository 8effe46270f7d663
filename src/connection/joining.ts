import type { Event } from '../door/contract.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Resumption } from '../topic/gap.ts';
import type { Delivery } from '../topic/message.ts';
import type { Position } from '../topic/position.ts';
import { type Joined as JoinedMessage, type MemberMessage, type Portion, Topic } from '../topic/topic.ts';
import { leave } from '../topic/topic-requests.ts';
import type { Connection, Rejoin } from './connection.ts';
import { answered, bring, deliver, joinAnswered, mayStill, refusal, step } from './door-commands.ts';
import type { Question } from './intake.ts';

/**
 * How a connection comes into its topics: a join is answered, brings the past in portions, is refused, or is made again where the
 * topic was lost or the right to it has come back.
 */

/** How often a member of a topic that was lost tries to join it again, and for how long, in milliseconds. */
const REJOIN_PERIOD = 100;
const REJOIN_LIMIT = 5000;

/**
 * A topic has taken the connection in, again perhaps, and brings what was asked for of its past, or a portion of it.
 *
 * The right may have gone while the join was under way: then nothing of the past is delivered either.
 */
export function joined(connection: Connection, message: JoinedMessage): void {
  const { memberships, self, intake } = connection;
  const { topic, resumption, deliveries = [], more, again } = message;
  const { question } = intake;
  const isUnderWay = isAsked(question, 'join', topic.name);
  const asked = isUnderWay && again !== true;
  const before = memberships.get(topic.name);
  if (!asked && before === undefined) {
    // It has left while the topic was lost, or between two portions. If it joins anew, the answer to that is on its way.
    if (!isUnderWay) leave(topic, self);
    turnAway(connection, deliveries);
    return;
  }
  if (asked && !mayStill(connection, 'read', question.as, topic.name)) {
    leave(topic, self);
    turnAway(connection, deliveries);
    answered(connection, refusal({ action: 'join', topic: question.as }, 'forbidden'));
    return;
  }
  const stood = before === undefined ? null : memberships.stoodIn(before);
  if (before !== topic) {
    memberships.set(topic);
    connection.tellNew(topic);
  }
  // Asked twice, a topic has nothing more to say: what it brings goes on as it was.
  if (resumption !== undefined || before !== topic) bring(connection, topic, more === true);
  if (asked) {
    connection.judgements?.join(question.as, topic.name);
    joinAnswered(connection, joinedEvent(question, resumption), deliveries);
    return;
  }
  if (before !== topic) tellMissed(connection, stood, message);
  deliver(connection, deliveries);
}

/** The next portion of a topic's past. It may cross a `leave`, which the topic has got by then. */
export function bringOn(connection: Connection, { topic, deliveries, more }: Portion): void {
  const { memberships } = connection;
  if (memberships.get(topic.name) !== topic) {
    turnAway(connection, deliveries);
    return;
  }
  bring(connection, topic, more === true);
  deliver(connection, deliveries);
}

function turnAway(connection: Connection, deliveries: readonly Delivery[]): void {
  for (const { count } of deliveries) connection.drop(count, 'closed');
}

/** On a topic without positions, nobody knows what has been missed since a position. */
function joinedEvent(
  { as, since }: Extract<Question, { readonly type: 'join' }>,
  resumption: Resumption | undefined,
): Event {
  if (resumption !== undefined) return { type: 'joined', topic: as, ...resumption };
  return typeof since === 'object'
    ? { type: 'joined', topic: as, recovered: false, missed: null, why: 'unknown_epoch' }
    : { type: 'joined', topic: as };
}

/** The connection is in a topic again that it had lost, or had lost the right to: it may have missed something. */
function tellMissed(
  connection: Connection,
  from: Position | null,
  { topic, resumption }: JoinedMessage,
): void {
  const { rights, judgements } = connection;
  const as = judgements?.nameOf(topic.name) ?? topic.name;
  const to = resumption?.from ?? null;
  if (rights?.returned(topic.name))
    step(connection, { type: 'gap', topic: as, from: null, to, missed: null, why: 'expired' });
  else if (resumption?.recovered === false) {
    const { missed = null, why = 'restarted' } = resumption;
    step(connection, { type: 'gap', topic: as, from, to, missed, why });
  }
}

export function claimed(connection: Connection, topic: Topic): void {
  const { question } = connection.intake;
  connection.memberships.own(topic);
  if (!isAsked(question, 'claim', topic.name)) return;
  if (mayStill(connection, 'write', question.as, topic.name))
    answered(connection, { type: 'claimed', topic: question.as });
  else answered(connection, refusal({ action: 'claim', topic: question.as }, 'forbidden'));
}

/** A topic has let the connection go: what it sent before has come. */
export function left(connection: Connection, name: string): void {
  const { question } = connection.intake;
  if (isAsked(question, 'leave', name)) answered(connection, { type: 'left', topic: question.as });
}

function isAsked<T extends 'join' | 'claim' | 'leave'>(
  question: Question | undefined,
  type: T,
  topic: string,
): question is Extract<Question, { readonly type: T }> {
  return question?.type === type && question.topic === topic;
}

export function refused(
  connection: Connection,
  message: Extract<MemberMessage, { readonly type: 'refused' }>,
): void {
  const { question } = connection.intake;
  const { action, name, why, receipt, again } = message;
  if (action === 'publish') {
    const topic = connection.judgements?.nameOf(name) ?? name;
    step(connection, refusal(receipt === undefined ? { action, topic } : { action, topic, receipt }, why));
  } else if (again !== true && isAsked(question, action, name))
    answered(connection, refusal({ action, topic: question.as }, why));
  // Where nothing is asked it is about a topic that was lost, and will be tried again.
  else if (why !== 'unavailable') connection.close({ type: 'topic lost' });
}

/** A topic has gone under its members: they are the ones that know that it is wanted. */
export function rejoin(connection: Connection, message: Rejoin): void {
  const { topic, since } = message;
  const { self, context, format, memberships } = connection;
  const { grace, realm, topics } = context;
  const { name } = topic;
  const isOwner = memberships.owned === topic;
  const isMember = memberships.get(name) === topic && format !== null;
  if (connection.phase !== 'open' || (!isOwner && !isMember)) return;
  if (now(self) - since >= REJOIN_LIMIT) {
    connection.close({ type: 'topic lost' });
    return;
  }
  if (isOwner) topics.route(self.system, realm, { type: 'claim', name, member: self, grace });
  if (isMember) {
    const from = connection.rights?.returns(name) ? 'now' : memberships.stoodIn(topic);
    topics.route(self.system, realm, {
      type: 'join',
      name,
      member: self,
      format,
      while: memberships.while,
      again: { grace },
      ...(from === null ? {} : { since: from }),
    });
  }
  // What took the topic may be taking its supervisor and router down as well: nobody may be there to answer.
  sendAfter(self, REJOIN_PERIOD, message);
}

/** Joins again what had been left for want of a right that is there now. */
export function resume(connection: Connection): void {
  const { rights, context, memberships, self } = connection;
  for (const name of rights?.restored() ?? []) {
    if (memberships.get(name) !== undefined) continue;
    // Stands for the topic until the join is answered, as a topic that was lost does.
    const placeholder = new Topic(context.realm, name);
    memberships.set(placeholder);
    rejoin(connection, { type: 'rejoin', topic: placeholder, since: now(self) });
  }
}
