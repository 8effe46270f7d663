import { send } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Delivery } from '../topic/delivery.ts';
import type { MemberMessage, Topic } from '../topic/topic.ts';
import { TRY_AGAIN_LATER } from './close-codes.ts';
import { close } from './closing.ts';
import type { Connection } from './connection.ts';
import { answered, refusal, step } from './performing.ts';
import { tellNew } from './writing.ts';

/** How often a member of a topic that was lost tries to join it again, and for how long, in milliseconds. */
const REJOIN_PERIOD = 100;
const REJOIN_LIMIT = 5000;

/** What topics tell, beside deliveries and credit: answers, and their end. */
export function fromTopic(
  connection: Connection,
  message: Exclude<MemberMessage, Delivery | { readonly type: 'credit' }>,
): void {
  const { question, memberships } = connection;
  switch (message.type) {
    case 'joined':
      joined(connection, message.topic);
      return;
    case 'claimed':
      connection.owned = message.topic;
      if (isAsked(question, 'claim', message.topic.name))
        answered(connection, { type: 'claimed', topic: message.topic.name });
      return;
    case 'refused':
      if (message.action === 'publish') step(connection, refusal('publish', message.name, message.why));
      else if (isAsked(question, message.action, message.name))
        answered(connection, refusal(message.action, message.name, message.why));
      // Where nothing is asked it is about a topic that was lost, and will be tried again.
      else if (message.why !== 'unavailable') close(connection, TRY_AGAIN_LATER, 'topic lost');
      return;
    case 'ended':
      memberships.delete(message.topic.name);
      step(connection, { type: 'ended', topic: message.topic.name });
      return;
    case 'lost':
      rejoin(connection, message.topic, now(connection.self));
      return;
  }
}

function joined(connection: Connection, topic: Topic): void {
  const { question, memberships, self } = connection;
  const asked = isAsked(question, 'join', topic.name);
  if (!asked && memberships.get(topic.name) === undefined) {
    // It has left while the topic was lost.
    if (topic.server !== undefined) send(topic.server, { type: 'leave', member: self });
    return;
  }
  memberships.set(topic);
  tellNew(connection, topic);
  if (asked) answered(connection, { type: 'joined', topic: topic.name });
}

function isAsked(question: Connection['question'], type: 'join' | 'claim', topic: string): boolean {
  return question?.type === type && question.topic === topic;
}

/** A topic has gone under its members: they are the ones who know that it is wanted. */
export function rejoin(connection: Connection, topic: Topic, since: number): void {
  const { self, context, format, memberships, memberWhile } = connection;
  const { grace, realm, topics } = context;
  const { name } = topic;
  const isOwner = connection.owned === topic;
  const isMember = memberships.get(name) === topic && format !== null;
  if (connection.phase !== 'open' || (!isOwner && !isMember)) return;
  if (now(self) - since >= REJOIN_LIMIT) {
    close(connection, TRY_AGAIN_LATER, 'topic lost');
    return;
  }
  if (isOwner) topics.route(self.system, realm, { type: 'claim', name, member: self, grace });
  if (isMember) {
    const request = {
      type: 'join',
      name,
      member: self,
      format,
      while: memberWhile,
      again: { grace },
    } as const;
    topics.route(self.system, realm, request);
  }
  // What took the topic may be taking its supervisor and router down as well: nobody may be there to answer.
  sendAfter(self, REJOIN_PERIOD, { type: 'rejoin', topic, since });
}
