import { now, sendAfter } from '../otp/timer.ts';
import type { Topic } from '../topic/topic.ts';
import { close } from './closing.ts';
import type { Connection } from './connection.ts';

/** How often a member of a topic that was lost tries to join it again, and for how long, in milliseconds. */
const REJOIN_PERIOD = 100;
const REJOIN_LIMIT = 5000;

/** A topic has gone under its members: they are the ones who know that it is wanted. */
export function rejoin(connection: Connection, topic: Topic, since: number): void {
  const { self, context, format, memberships, memberWhile } = connection;
  const { grace, realm, topics } = context;
  const { name } = topic;
  const isOwner = connection.owned === topic;
  const isMember = memberships.get(name) === topic && format !== null;
  if (connection.phase !== 'open' || (!isOwner && !isMember)) return;
  if (now(self) - since >= REJOIN_LIMIT) {
    close(connection, { type: 'topic lost' });
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
