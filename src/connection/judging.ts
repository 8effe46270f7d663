import { authorise } from '../authenticator/authenticator-server.ts';
import type { Authorisation } from '../authenticator/authorisation.ts';
import type { Access } from '../authenticator/contract.ts';
import { allows, type Right } from '../authenticator/permissions.ts';
import { decodeOnce } from '../door/request-path.ts';
import { isTopicName } from '../topic/topic-name.ts';
import type { Connection, Judging } from './connection.ts';

/**
 * Where each topic is judged by itself, when a connection first uses it: what has been found out so far, by the right
 * and the name that the client uses. An answer may lead to another topic than the one that was named.
 */
export class Judged {
  /** Names that the client has joined, and the topics that they are. */
  readonly joined = new Map<string, string>();
  readonly #topics = new Map<string, string>();

  get size(): number {
    return this.#topics.size;
  }

  /** The topic to use; undefined: not asked yet. */
  topicOf(right: Right, name: string): string | undefined {
    return this.#topics.get(`${right} ${name}`);
  }

  allow(right: Right, name: string, topic: string): void {
    this.#topics.set(`${right} ${name}`, topic);
    const [oldest] = this.#topics.keys();
    if (this.#topics.size > ANSWERS && oldest !== undefined) this.#topics.delete(oldest);
  }
}

/** Answers that one connection remembers. */
const ANSWERS = 512;

let lastRef = 0;

/** Numbers questions to authenticators. */
export function nextRef(): number {
  lastRef = lastRef === Number.MAX_SAFE_INTEGER ? 1 : lastRef + 1;
  return lastRef;
}

/** Asks whether a topic may be used. Null: nobody is there to ask. */
export function judge(connection: Connection, right: Right, name: string): number | null {
  const { guard, self, context, address, credential, request } = connection;
  if (guard.server === null) return null;
  const ref = nextRef();
  const question = {
    authorization: credential?.reveal() ?? '',
    door: context.door.name,
    address,
    ...(request === undefined ? {} : { request: request.reveal() }),
    access: accessOf(connection, right, name),
  };
  return authorise(guard.server, question, self, ref) ? ref : null;
}

function accessOf({ about, request, context }: Connection, right: Right, topic: string): Access {
  const sent = request?.reveal();
  if (about !== null && sent !== undefined) {
    const { read, write, topicAt } = about;
    return { topic, right, rights: { read, write }, method: sent.method, target: sent.target, topicAt };
  }
  const { topicLength } = context.limits;
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
  { permissions, terms }: Extract<Authorisation, { readonly type: 'authorised' }>,
): string | undefined {
  const topic = terms?.topic ?? command.topic;
  if (!allows(permissions, right, topic)) return undefined;
  connection.subject = terms?.subject ?? connection.subject;
  connection.judged ??= new Judged();
  for (const each of ['read', 'write'] as const)
    if (allows(permissions, each, topic)) connection.judged.allow(each, command.topic, topic);
  return topic;
}
