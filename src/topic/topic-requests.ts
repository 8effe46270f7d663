import type { Down } from '../otp/behaviour.ts';
import { inform, isGone, type Pid, send } from '../otp/process.ts';
import type { Accounting } from './accounting.ts';
import { lose } from './fan-out.ts';
import type { RemoteOwnership } from './lifetime.ts';
import type { LineChange } from './line-change.ts';
import { Delivery, type Publish } from './message.ts';
import type { Claim, Incoming, Join, Left, MemberMessage, Recall, Request, Topic } from './topic.ts';

/**
 * What a topic is asked and told, by members, publishers, routers and links, and what those hear whose request nobody takes.
 * Its server is in `topic-server.ts`.
 */

export type Verdict = 'granted' | 'owned' | 'unavailable';

/** Sends a message to its topic. False: nobody can take it, and it is not counted. */
export function publish({ server }: Topic, message: Publish): boolean {
  return server !== undefined && send<TopicMessage>(server as Pid<TopicMessage>, message);
}

/** A router's way to the server. False: it takes no more. */
export function forward(topic: Topic, request: Request): boolean {
  if (request.type === 'publish') return publish(topic, request);
  if (request.type === 'incoming') return come(topic, request);
  const taken = topic.server !== undefined && send<TopicMessage>(topic.server as Pid<TopicMessage>, request);
  if (taken) topic.sent();
  return taken;
}

/** Hands a topic what has come over a link. False: nobody can take it, and it is not counted. */
export function come({ server }: Topic, incoming: Incoming): boolean {
  return server !== undefined && send<TopicMessage>(server as Pid<TopicMessage>, incoming);
}

/** A link to the relay of that name is made again, or has lost messages: of an ordered topic they can be asked for. */
export function resync(topic: Topic, node: string): void {
  tell(topic, { type: 'resync', node });
}

/** Messages that were for a home that has gone are there to be taken. False: the topic has no server. */
export function leftOver(topic: Topic): boolean {
  return tell(topic, { type: 'left-over' });
}

/** A link to another relay is lost: what an ordered topic was asking for over it is to be asked for elsewhere. */
export function unlinked(topic: Topic): void {
  tell(topic, { type: 'unlinked' });
}

/**
 * A member goes of itself, and hears no more. `hears`: who is told so, behind all that the member has been sent. False: the
 * topic has no server, and has sent all that it will.
 */
export function leave(topic: Topic, member: Pid<MemberMessage>, hears?: Pid<Left>): boolean {
  const { name } = topic;
  return tell(topic, { type: 'leave', name, member, ...(hears === undefined ? {} : { hears }) });
}

/** The topic sends no more to a member that has left. */
export function tellLeft({ name, hears }: Leave): void {
  if (hears !== undefined) inform(hears, { type: 'left', name });
}

/** A member's pending bytes are many, and nothing is sent until it has caught up; or it has. */
export function behind(topic: Topic, member: Pid<MemberMessage>, is: boolean): void {
  tell(topic, { type: is ? 'behind' : 'caught-up', member });
}

/** A member that is being resumed has taken what it was sent, and wants the next portion. */
export function portion(topic: Topic, member: Pid<MemberMessage>): void {
  tell(topic, { type: 'portion', member });
}

/** The other relays send what is published there, as far as they can be reached. */
export function interested(topic: Topic, round: number): void {
  tell(topic, { type: 'interested', round });
}

/** The other relays have judged a claim. False: the topic has ended meanwhile. */
export function judged(topic: Topic, claim: Claim, verdict: Verdict): boolean {
  return tell(topic, { type: 'judged', claim, verdict });
}

/** Ownership at other relays has changed. */
export function ownedElsewhere(topic: Topic, ownership: RemoteOwnership): void {
  tell(topic, { type: 'elsewhere', ownership });
}

/** Something has happened to the topic's line, behind all that has been published until now. */
export function change(topic: Topic, change: LineChange): void {
  tell(topic, { type: 'change', change });
}

/** A new router asks to be asked again whether the topic may go. */
export function wake(topic: Topic): void {
  tell(topic, { type: 'continue' });
}

/** The router lets the topic go, which nobody finds any more. */
export function retire(topic: Topic): void {
  const { server } = topic;
  topic.retire();
  if (server !== undefined) inform<TopicMessage>(server as Pid<TopicMessage>, { type: 'retire' });
}

/** Whether a topic has a server, or will have one again. */
export function isServed({ server }: Topic): boolean {
  return server !== undefined && !isGone(server);
}

/** Nobody is left to take the request, and whoever made it waits for an answer. */
export function refuse(
  request: Join | Claim,
  why: 'missing' | 'owned' | 'unavailable' = 'unavailable',
): void {
  const { type, member, name } = request;
  inform(member, { type: 'refused', action: type, name, why, ...echo(request) });
}

/** What an answer says of its request, so that it is not taken for that of another one for the same topic. */
export function echo(request: Join | Claim): { readonly again?: true } {
  return request.type === 'join' && request.again !== undefined ? { again: true } : {};
}

/** Nobody takes a request. Whoever made it is told; of messages, it gets its credit back. */
export function turnAway(request: Request, topic: string, accounting: Accounting): void {
  switch (request.type) {
    case 'publish':
      lose(request, topic, accounting, 'refused');
      return;
    case 'incoming':
      accounting.lose(request.count, 'refused');
      letGo(request);
      return;
    case 'recall':
      answerNothing(request, accounting);
      return;
    default:
      refuse(request);
  }
}

/** Nothing is known here of the topic that a relay asks for. */
export function answerNothing({ member, answer }: Recall, accounting: Accounting): void {
  send(member, new Delivery(answer([], null, []), 0, accounting));
}

/** What came over a link is done with. */
export function letGo({ link, credit }: Incoming): void {
  if (credit > 0) inform(link, { type: 'credit', bytes: credit });
}

export function tell({ server }: Topic, message: TopicMessage): boolean {
  return server !== undefined && inform<TopicMessage>(server as Pid<TopicMessage>, message);
}

export interface Leave {
  readonly type: 'leave';
  /** The topic's. */
  readonly name: string;
  readonly member: Pid<MemberMessage>;
  readonly hears?: Pid<Left>;
}

export type TopicMessage =
  | Request
  | Leave
  | { readonly type: 'behind' | 'caught-up' | 'portion'; readonly member: Pid<MemberMessage> }
  | Down
  | { readonly type: 'interested' | 'settled'; readonly round: number }
  | { readonly type: 'resync'; readonly node: string }
  | { readonly type: 'judged'; readonly claim: Claim; readonly verdict: Verdict }
  | { readonly type: 'change'; readonly change: LineChange }
  | { readonly type: 'elsewhere'; readonly ownership: RemoteOwnership }
  | {
      readonly type:
        | 'continue'
        | 'grace-over'
        | 'retire'
        | 'lingered'
        | 'late'
        | 'held'
        | 'unlinked'
        | 'left-over';
    };
