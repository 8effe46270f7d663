import { inform } from '../otp/process.ts';
import { now } from '../otp/timer.ts';
import type { Delivery } from '../topic/delivery.ts';
import type { MemberMessage, Topic } from '../topic/topic.ts';
import { mayStill } from './authorising.ts';
import { close } from './closing.ts';
import type { Connection } from './connection.ts';
import type { Question } from './intake.ts';
import { answered, refusal, step } from './performing.ts';
import { rejoin } from './rejoining.ts';
import { tellNew } from './writing.ts';

/** What topics tell, beside deliveries and credit: answers, and their end. */
export function fromTopic(
  connection: Connection,
  message: Exclude<MemberMessage, Delivery | { readonly type: 'credit' }>,
): void {
  const { memberships, intake } = connection;
  const { question } = intake;
  switch (message.type) {
    case 'joined':
      joined(connection, message.topic);
      return;
    case 'claimed':
      claimed(connection, message.topic);
      return;
    case 'refused':
      if (message.action === 'publish') step(connection, refusal('publish', message.name, message.why));
      else if (isAsked(question, message.action, message.name))
        answered(connection, refusal(message.action, question.as, message.why));
      // Where nothing is asked it is about a topic that was lost, and will be tried again.
      else if (message.why !== 'unavailable') close(connection, { type: 'topic lost' });
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
  const { memberships, self, intake } = connection;
  const { question } = intake;
  const asked = isAsked(question, 'join', topic.name);
  if (!asked && memberships.get(topic.name) === undefined) {
    // It has left while the topic was lost.
    if (topic.server !== undefined) inform(topic.server, { type: 'leave', member: self });
    return;
  }
  if (asked && !mayStill(connection, 'read', question.as, topic.name)) {
    // The right has gone while the join was under way.
    if (topic.server !== undefined) inform(topic.server, { type: 'leave', member: self });
    answered(connection, refusal('join', question.as, 'forbidden'));
    return;
  }
  memberships.set(topic);
  tellNew(connection, topic);
  if (!asked) return;
  connection.asking?.judged.joined.set(question.as, topic.name);
  answered(connection, { type: 'joined', topic: question.as });
}

function claimed(connection: Connection, topic: Topic): void {
  const { question } = connection.intake;
  connection.owned = topic;
  if (!isAsked(question, 'claim', topic.name)) return;
  if (mayStill(connection, 'write', question.as, topic.name))
    answered(connection, { type: 'claimed', topic: question.as });
  else answered(connection, refusal('claim', question.as, 'forbidden'));
}

function isAsked<T extends 'join' | 'claim'>(
  question: Question | undefined,
  type: T,
  topic: string,
): question is Extract<Question, { readonly as: string }> {
  return question?.type === type && question.topic === topic;
}
