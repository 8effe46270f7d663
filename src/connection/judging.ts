import { authorise, forget } from '../authenticator/authenticator-server.ts';
import type { Authorisation } from '../authenticator/authorisation.ts';
import type { Access } from '../authenticator/contract.ts';
import { allows, type Right } from '../authenticator/permissions.ts';
import { decodeOnce } from '../door/request-path.ts';
import { isTopicName } from '../topic/topic-name.ts';
import type { Asking } from './asking.ts';
import type { Connection } from './connection.ts';
import type { Judging } from './intake.ts';

/** Asks whether a topic may be used. Null: nobody is there to ask. */
export function judge(connection: Connection, right: Right, name: string): number | null {
  const { guard, self, context, address, asking } = connection;
  if (guard.server === null || asking === undefined) return null;
  const { credential, request } = asking;
  const ref = connection.intake.nextRef();
  const question = {
    authorization: credential?.reveal() ?? '',
    door: context.door.name,
    address,
    ...(request === undefined ? {} : { request: request.reveal() }),
    access: accessOf(asking, context.limits.topicLength, right, name),
  };
  return authorise(guard.server, question, self, ref) ? ref : null;
}

function accessOf({ about, request }: Asking, topicLength: number, right: Right, topic: string): Access {
  const sent = request?.reveal();
  if (about !== null && sent !== undefined) {
    const { read, write, topicAt } = about;
    return { topic, right, rights: { read, write }, method: sent.method, target: sent.target, topicAt };
  }
  return {
    topic,
    right,
    rights: { read: right === 'read', write: right === 'write' },
    method: right === 'read' ? 'GET' : 'POST',
    target: targetOf(topic),
    topicAt(path) {
      const name = path.startsWith('/') ? decodeOnce(path.slice(1)) : null;
      return name !== null && isTopicName(name, topicLength) ? name : null;
    },
  };
}

/** As a request for the topic would name it: decoded once it is the topic again, whatever the topic contains. */
function targetOf(topic: string): string {
  return `/${topic.split('/').map(encodeURIComponent).join('/')}`;
}

/** Remembers an answer; the topic to use, or undefined: it may not be used. */
export function judgement(
  connection: Connection,
  { right, command }: Judging,
  { ref, permissions, terms }: Extract<Authorisation, { readonly type: 'authorised' }>,
): string | undefined {
  const topic = terms?.topic ?? command.topic;
  if (!allows(permissions, right, topic)) return undefined;
  connection.subject = terms?.subject ?? connection.subject;
  for (const each of ['read', 'write'] as const)
    if (allows(permissions, each, topic))
      notNeeded(connection, connection.asking?.judged.allow(each, command.topic, topic, ref));
  connection.transport.unrestrict();
  return topic;
}

/** The next use of the topic asks again. */
export function forgetJudgement(connection: Connection, right: Right, name: string): void {
  notNeeded(connection, connection.asking?.judged.forget(right, name));
}

/** Nobody needs to hear that the answer to this question is another one by now. */
function notNeeded({ guard, self }: Connection, ref: number | undefined): void {
  if (ref !== undefined && guard.server !== null) forget(guard.server, self, ref);
}
