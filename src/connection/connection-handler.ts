import { confirm } from '../authenticator/authenticator-server.ts';
import type { Authorisation } from '../authenticator/authorisation.ts';
import { allows, isEmpty, type Right } from '../authenticator/permissions.ts';
import type { Event } from '../door/contract.ts';
import { textReply, unauthorised } from '../door/replies.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../otp/behaviour.ts';
import { describeReason, isOrderly } from '../otp/exit-reason.ts';
import { now, sendAfter, uptime } from '../otp/timer.ts';
import type { Resumption } from '../topic/line.ts';
import { Delivery } from '../topic/message.ts';
import type { Position } from '../topic/position.ts';
import { type Joined as JoinedMessage, type MemberMessage, type Portion, Topic } from '../topic/topic.ts';
import { leave } from '../topic/topic-requests.ts';
import { Connection, type ConnectionArgs, type ConnectionMessage, type Rejoin } from './connection.ts';
import {
  answered,
  begin,
  bring,
  deliver,
  finished,
  gone,
  guardAnswered,
  joinAnswered,
  mayStill,
  notAnswered,
  publishAgain,
  received,
  refill,
  refusal,
  step,
  updateReading,
} from './door-commands.ts';
import { ABNORMAL, type End } from './end.ts';
import type { Question } from './intake.ts';
import type { Unconfirmed } from './rights.ts';
import { type Acknowledging, askSilence } from './silence-server.ts';

const HEARTBEAT: ConnectionMessage = { type: 'heartbeat' };
const LOOK: ConnectionMessage = { type: 'look' };
/** Where there are no pings, in milliseconds until it is looked whether a reload has brought them. */
const UNTIL_ASKED = 30_000;
/** How often a member of a topic that was lost tries to join it again, and for how long, in milliseconds. */
const REJOIN_PERIOD = 100;
const REJOIN_LIMIT = 5000;
/** A timer of Node's fires at once when its delay does not fit 31 bits. */
const LONGEST_DELAY = 2 ** 31 - 1;
/** Milliseconds that a new guard has to judge credentials of before; until then they are worth what they were. */
const CONFIRM = 4000;

/**
 * The process of one client connection. It gives what happens to the door's session, performs the commands that come
 * back, and writes what its topics deliver. When it ends, however it ends, its socket is closed, and no other.
 *
 * The rights of a connection may change: a credential is granted, is worth something else by now, or expires; or another
 * guard judges the connection after a reload. Its rights without a credential are at once those that the new guard gives;
 * the credentials that it has given are judged again first, and it keeps what it had meanwhile: a client that loses nothing
 * notices nothing.
 */
export const connectionHandler: Behaviour<ConnectionArgs, Connection, ConnectionMessage> = {
  name: 'connection-handler',
  trapExit: true,
  about: ({ context, address }) => `${context.door.name} ${address}`,

  init(self, args) {
    const connection = new Connection(self, args);
    if (!connection.attach()) return connection;
    begin(connection);
    if (connection.transport.kind === 'exchange') readBody(connection);
    // Nothing settles after `init`: a greeting goes out here.
    connection.flush();
    awaitRight(connection);
    return connection;
  },

  handle(connection, message): Next<Connection> {
    if (message instanceof Delivery) {
      if (connection.delivers) connection.queue(message);
      else connection.drop(message.count, 'closed');
      return keep;
    }
    switch (message.type) {
      case 'text':
      case 'binary':
      case 'body':
        connection.transport.handled?.(message.payload.length);
        if (!isTooMuch(connection, message.payload.length)) received(connection, message);
        return keep;
      case 'farewell':
        received(connection, message);
        return keep;
      case 'finish':
        finished(connection);
        return keep;
      case 'ping':
        connection.transport.handled?.(0);
        isTooMuch(connection, 0);
        return keep;
      case 'credit':
        returned(connection, message.bytes);
        return keep;
      case 'flushed':
        connection.flushed();
        return keep;
      case 'pong':
        connection.transport.handled?.(0);
        if (isTooMuch(connection, 0)) return keep;
        connection.heartbeat.answered(now(connection.self));
        return keep;
      case 'heartbeat':
        heartbeat(connection);
        return keep;
      case 'look':
        look(connection);
        return keep;
      case 'acknowledging':
        acknowledging(connection, message);
        return keep;
      case 'publish-again':
        publishAgain(connection);
        return keep;
      case 'progress':
        connection.checkProgress();
        return keep;
      case 'authorised':
      case 'unavailable':
        authorisation(connection, message);
        return keep;
      case 'regranted':
      case 'revoked':
        regrant(connection, message);
        return keep;
      case 'relimited':
        relimited(connection);
        return keep;
      case 'reguarded':
        reguard(connection);
        return keep;
      case 'confirm-over':
        confirmOver(connection, message.unconfirmed);
        return keep;
      case 'expire':
        expire(connection);
        return keep;
      case 'grace-over':
        graceOver(connection);
        return keep;
      case 'no-answer':
        noAnswer(connection, message.question);
        return keep;
      case 'still-no-right':
        stillNoRight(connection);
        return keep;
      case 'closed':
        closedByTransport(connection, message.code);
        return connection.isDone ? stop('normal') : keep;
      case 'give-up':
        connection.intake.close();
        return keep;
      case 'rejoin':
        rejoin(connection, message);
        return keep;
      case 'exit':
        return goAway(connection, message);
      case 'joined':
        joined(connection, message);
        return keep;
      case 'claimed':
        claimed(connection, message.topic);
        return keep;
      case 'refused':
        refused(connection, message);
        return keep;
      case 'ended':
        connection.memberships.delete(message.topic.name);
        step(connection, { type: 'ended', topic: message.topic.name });
        return keep;
      case 'portion':
        bringOn(connection, message);
        return keep;
      case 'too-slow':
        connection.memberships.delete(message.topic.name);
        connection.close({ type: 'slow', limit: 'resume' });
        return keep;
      case 'published':
        published(connection, message);
        return keep;
      case 'lost':
        connection.memberships.lose(message.topic, message.at);
        rejoin(connection, { type: 'rejoin', topic: message.topic, since: now(connection.self) });
        return keep;
    }
  },

  settle(connection) {
    connection.outflow.settle();
    connection.flush();
    if (connection.awaitsRoom) refill(connection);
    return connection.isDone ? stop('normal') : keep;
  },

  terminate(connection, reason) {
    connection.ended(reason === 'normal' || reason === 'shutdown' ? null : describeReason(reason));
  },

  salvage(connection) {
    connection.killed();
  },

  undelivered(message, reason, connection) {
    for (const { accounting, count } of deliveriesIn(message))
      accounting.drop(count, isOrderly(reason) ? 'closed' : 'crash');
    if (message instanceof Delivery) return;
    if (message.type === 'text' || message.type === 'binary') connection?.leaveBehind(message);
  },
};

function deliveriesIn(message: ConnectionMessage): readonly Delivery[] {
  if (message instanceof Delivery) return [message];
  return message.type === 'joined' || message.type === 'portion' ? (message.deliveries ?? []) : [];
}

/**
 * Bytes that a client may have sent before it has any right. Its credentials and the messages that wait for an answer
 * about them are held in memory, and are no more than it has sent.
 */
const BYTES_BEFORE_RIGHTS = 40 * 1024;
/** What a message that waits costs beside its bytes. */
const WAITING_COST = 256;

/** Closes a client that has no right yet and is about to cost more than such a client may. */
function isTooMuch(connection: Connection, size: number): boolean {
  const { transport, intake, context } = connection;
  if (transport.kind !== 'websocket' || connection.hasRight) return false;
  const { messageBeforeAuth } = context.limits;
  if (messageBeforeAuth === 0) return false;
  const cost = transport.socket.bytesRead + intake.waiting * WAITING_COST;
  if (size <= messageBeforeAuth && cost <= BYTES_BEFORE_RIGHTS) return false;
  connection.close({ type: 'authorize first' });
  return true;
}

/** Sets by the limits of now what was set by those of before. All others are read at the time of need. */
function relimited(connection: Connection): void {
  const { transport, accepted, context } = connection;
  const { messageBeforeAuth } = context.limits;
  if (accepted && !connection.hasRight) transport.restrict?.(messageBeforeAuth);
  awaitRight(connection);
  publishAgain(connection);
}

function awaitRight(connection: Connection): void {
  const { self, context } = connection;
  const { authorise } = context.limits;
  if (authorise === 0 || connection.hasRight) return;
  sendAfter(self, Math.max(authorise - uptime(self), 0), { type: 'still-no-right' });
}

/** Where a question is open, its answer comes in time or not at all. */
function stillNoRight(connection: Connection): void {
  const { phase, intake, transport, self, context } = connection;
  const { authorise } = context.limits;
  if (connection.hasRight) return;
  // A timer may be a fraction of a millisecond early; one that is earlier is of a limit before.
  if (authorise === 0 || uptime(self) + 1 < authorise) return;
  if (phase === 'open') connection.close({ type: 'authorize timeout' });
  else if (transport.kind === 'exchange' && intake.question === undefined) connection.reply(unauthorised);
}

/** A body is read once its credential is good; without one, as much is read as anybody may send. */
function readBody(connection: Connection): void {
  const { transport, context, intake, needs } = connection;
  if (intake.question !== undefined) updateReading(connection);
  // Where the request as a whole is judged it has to be there as a whole.
  else if (needs === 'topic') return;
  else if (isEmpty(connection.permissions)) transport.restrict?.(context.limits.messageBeforeAuth);
}

function returned(connection: Connection, bytes: number): void {
  const { intake } = connection;
  intake.giveBack(bytes);
  if (intake.finishing !== undefined) {
    if (intake.whole) finished(connection);
  } else if (connection.transport.kind === 'exchange')
    step(connection, { type: 'published', topic: connection.memberships.target?.name ?? '' });
  else if (intake.paused) updateReading(connection);
}

/** Pings, and looks for a sign of life when it is due; then waits for the time of the next ping. */
function heartbeat(connection: Connection): void {
  const { context, self, transport, phase, heartbeat } = connection;
  const { ping, pong } = context.heartbeat;
  if (phase !== 'open') return;
  if (!heartbeat.waiting) {
    if (ping === 0) {
      sendAfter(self, UNTIL_ASKED, HEARTBEAT);
      return;
    }
    const asks = transport.kind === 'websocket' && pong > 0;
    // Before the ping is written: over TLS it would look like something that waits for the client.
    if (asks && heartbeat.pings(transport.socket, now(self), connection.intake.paused)) look(connection);
    transport.keepAlive?.();
    if (transport.kind === 'stream' && pong > 0) sendAfter(self, pong, LOOK);
    sendAfter(self, asks ? pong : ping, HEARTBEAT);
    return;
  }
  const state = heartbeat.over(transport.socket);
  if (state === 'alive') {
    sendAfter(self, Math.max(ping - pong, 0), HEARTBEAT);
  } else if (state === 'doubtful') {
    look(connection);
    sendAfter(self, pong, HEARTBEAT);
  } else {
    connection.cutOff({ type: 'no pong', after: pong });
  }
}

function look({ phase, self, transport }: Connection): void {
  if (phase === 'open') askSilence(self.system, self, transport.socket);
}

/** Silent once, the client's machine may be out of reach for a moment. */
function acknowledging(connection: Connection, answer: Acknowledging): void {
  const { context, self, transport, heartbeat } = connection;
  const { pong } = context.heartbeat;
  if (!connection.delivers) return;
  connection.acknowledged(answer);
  heartbeat.acknowledged(transport.socket, answer);
  if (transport.kind !== 'stream' || pong === 0) return;
  const silence = heartbeat.silence(answer, now(self));
  if (silence === null) return;
  if (silence >= pong) {
    connection.cutOff({ type: 'no acknowledgement', after: pong });
  } else if (silence === 0) {
    sendAfter(self, pong, LOOK);
  }
}

function noAnswer(connection: Connection, question: Question): void {
  if (connection.intake.question === question) notAnswered(connection, question, false);
}

/** A `shutdown` with words is an operator's wish for this connection, and the words are what the client is told. */
function goAway(connection: Connection, { reason }: Exit): Next<Connection> {
  if (connection.phase === 'opening') {
    connection.reply(textReply(503, 'Error: going away.', { 'Retry-After': '1' }));
    return keep;
  }
  step(connection, { type: 'leaving', within: spread(connection.context.counters.connections) });
  const wish = typeof reason === 'object' && 'shutdown' in reason ? reason.shutdown : undefined;
  connection.close(wish === undefined ? { type: 'drained' } : { type: 'operator', words: wish });
  return keep;
}

/** Clients that a door may see come back in one second, and the longest that one of them is to wait, in seconds. */
const RETURNS = 1000;
const LONGEST_SPREAD = 30;

/** Seconds over which so many clients are to come back. */
function spread(clients: number): number {
  return Math.min(Math.max(Math.ceil(clients / RETURNS), 1), LONGEST_SPREAD);
}

/** What the transport says of the end matters only where nothing else has ended it. */
function closedByTransport(connection: Connection, code: number): void {
  const { finishing, farewell } = connection.intake;
  const told: End = code === ABNORMAL ? { type: 'connection lost' } : { type: 'left', code };
  gone(connection, finishing?.end ?? farewell?.end ?? told);
}

/**
 * A topic has taken the connection in, again perhaps, and brings what was asked for of its past, or a portion of it.
 *
 * The right may have gone while the join was under way: then nothing of the past is delivered either.
 */
function joined(connection: Connection, message: JoinedMessage): void {
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
function bringOn(connection: Connection, { topic, deliveries, more }: Portion): void {
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

function published(
  connection: Connection,
  { name, receipt, at }: Extract<MemberMessage, { readonly type: 'published' }>,
): void {
  step(connection, { type: 'published', topic: name, receipt, ...(at === null ? {} : { at }) });
}

function claimed(connection: Connection, topic: Topic): void {
  const { question } = connection.intake;
  connection.memberships.own(topic);
  if (!isAsked(question, 'claim', topic.name)) return;
  if (mayStill(connection, 'write', question.as, topic.name))
    answered(connection, { type: 'claimed', topic: question.as });
  else answered(connection, refusal({ action: 'claim', topic: question.as }, 'forbidden'));
}

function isAsked<T extends 'join' | 'claim'>(
  question: Question | undefined,
  type: T,
  topic: string,
): question is Extract<Question, { readonly type: T }> {
  return question?.type === type && question.topic === topic;
}

function refused(
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
function rejoin(connection: Connection, message: Rejoin): void {
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

/** The guard has answered a question, or could not. */
function authorisation(
  connection: Connection,
  message: Extract<Authorisation, { readonly type: 'authorised' | 'unavailable' }>,
): void {
  const { question } = connection.intake;
  if (question === undefined || !('ref' in question) || question.ref !== message.ref) return;
  if (message.type === 'unavailable') {
    notAnswered(connection, question, message.faulty === true);
    return;
  }
  if (question.type !== 'judge' && !isEmpty(message.permissions)) {
    connection.grant(message);
    if (message.terms !== undefined && message.terms.lasts !== null) schedule(connection);
    resume(connection);
  }
  guardAnswered(connection, question, message);
}

type Change = Extract<Authorisation, { readonly type: 'regranted' | 'revoked' }>;

/** The credential grants something else by now, or nothing. */
function regrant(connection: Connection, message: Change): void {
  const { rights, guard, self } = connection;
  if (rights === undefined || !rights.has(message.ref)) {
    if (connection.needs === 'topic') rejudge(connection, message);
    return;
  }
  const had = connection.hasRight;
  if (message.type === 'revoked') rights.revoke(message.ref);
  else rights.grant(message, guard.anonymous, now(self));
  if (message.type === 'regranted' && message.terms.lasts !== null) schedule(connection);
  const confirmed = rights.confirm(message.ref);
  if (confirmed === 'all') settle(connection, had);
  else if (confirmed === 'none' && !rights.isReviewing()) endIfLost(connection);
}

/** Where each topic is judged by itself: a topic that the client uses has been judged again. */
function rejudge(connection: Connection, message: Change): void {
  const { judgements } = connection;
  const gives = (right: Right, topic: string) =>
    message.type === 'regranted' && allows(message.permissions, right, topic);
  if (judgements?.take(message.ref, gives) && connection.accepted) connection.close({ type: 'revoked' });
}

/** Closes a connection that has lost what it uses, or all; else it goes on with what is left, and with what has come back. */
function endIfLost(connection: Connection): void {
  const lost = !connection.hasRight || lostTopics(connection).length > 0 || !ownsByRight(connection);
  if (connection.accepted && lost) connection.close({ type: 'revoked' });
  else resume(connection);
}

/** Takes away what has expired. Nothing is delivered any more that it gave; the connection may stay on for the grace. */
function expire(connection: Connection): void {
  const { rights, self, memberships } = connection;
  const end = rights?.expire(now(self)) ?? null;
  schedule(connection);
  if (rights === undefined || end === null || !connection.accepted) return;
  const lost = lostTopics(connection);
  for (const topic of lost) {
    memberships.delete(topic.name);
    leave(topic, self);
    rights.suspend(topic.name);
  }
  if (!ownsByRight(connection)) connection.close({ type: 'expired' });
  else if (!connection.hasRight || lost.length > 0) {
    const delay = Math.min(Math.ceil(end - now(self)), LONGEST_DELAY);
    rights.graceBy(delay > 0 ? sendAfter(self, delay, { type: 'grace-over' }) : undefined);
    if (delay <= 0) graceOver(connection);
  }
}

/** By now the client should have authorised again. */
function graceOver(connection: Connection): void {
  const { phase, rights, hasRight } = connection;
  if (phase === 'open' && (rights?.suspends || !hasRight)) connection.close({ type: 'expired' });
}

/** Another guard judges the connection from now on, or its guard grants something else to everybody. */
function reguard(connection: Connection): void {
  const { guard, judgements, self } = connection;
  if (connection.phase === 'closing') {
    // What a client sent before it left is published by the rights that it had then, or not at all.
    connection.intake.close();
    return;
  }
  const before = connection.reguard();
  if (guard.needs === 'topic') {
    // Of a client that came to a guard of another kind the request is not known any more, and half of it cannot be judged.
    if (before !== 'topic') turnOut(connection);
    else if (guard.server !== null && judgements !== undefined)
      for (const ref of judgements.refs) confirm(guard.server, self, ref);
    return;
  }
  if (before === 'topic' && judgements !== undefined) {
    // The topics that were judged one by one stay open until the credentials that came with them have been judged.
    connection.keep(judgements.offered, judgements.permissions);
    judgements.clear();
  }
  const unconfirmed = connection.rights?.review();
  if (unconfirmed === undefined || unconfirmed.size === 0) {
    settle(connection, connection.hasRight);
    return;
  }
  if (guard.server !== null) for (const ref of unconfirmed) confirm(guard.server, self, ref);
  sendAfter(self, CONFIRM, { type: 'confirm-over', unconfirmed });
}

/** The new guard has not judged all credentials in time, or there is none. */
function confirmOver(connection: Connection, unconfirmed: Unconfirmed): void {
  if (connection.rights?.isReviewing(unconfirmed)) settle(connection, connection.hasRight);
}

/** From now on, everybody's rights are those that the guard gives now. `had`: there was a right until then. */
function settle(connection: Connection, had: boolean): void {
  connection.settleRights();
  // A client that has not shown any right yet has nothing to lose.
  if (had) endIfLost(connection);
}

function turnOut(connection: Connection): void {
  if (connection.accepted) connection.close({ type: 'revoked' });
  else step(connection, { type: 'unavailable' });
}

/** One timer, for what expires next. */
function schedule({ self, rights }: Connection): void {
  const expiry = rights?.expiry ?? null;
  const delay = expiry === null ? 0 : Math.min(Math.max(expiry - now(self), 0), LONGEST_DELAY);
  rights?.expireBy(expiry === null ? undefined : sendAfter(self, Math.ceil(delay), { type: 'expire' }));
}

function lostTopics({ memberships, permissions }: Connection): Topic[] {
  return [...memberships].filter(({ name }) => !allows(permissions, 'read', name));
}

function ownsByRight({ memberships, permissions }: Connection): boolean {
  const { owned } = memberships;
  return owned === undefined || allows(permissions, 'write', owned.name);
}

/** Joins again what had been left for want of a right that is there now. */
function resume(connection: Connection): void {
  const { rights, context, memberships, self } = connection;
  for (const name of rights?.restored() ?? []) {
    if (memberships.get(name) !== undefined) continue;
    // Stands for the topic until the join is answered, as a topic that was lost does.
    const placeholder = new Topic(context.realm, name);
    memberships.set(placeholder);
    rejoin(connection, { type: 'rejoin', topic: placeholder, since: now(self) });
  }
}

/** For the end of a connection whose handler could not be started, or has not ended it. */
export function abandon({ transport, connection }: ConnectionArgs): void {
  if (connection === undefined) transport.destroy();
  else connection.killed();
}
