import { confirm } from '../authenticator/authenticator-server.ts';
import type { Authorisation } from '../authenticator/authorisation.ts';
import { allows, isEmpty, type Right } from '../authenticator/permissions.ts';
import { unauthorised } from '../door/replies.ts';
import { now, sendAfter, uptime } from '../otp/timer.ts';
import type { Topic } from '../topic/topic.ts';
import { leave } from '../topic/topic-requests.ts';
import type { Connection } from './connection.ts';
import { guardAnswered, notAnswered, publishAgain, step } from './door-commands.ts';
import { resume } from './joining.ts';
import type { Unconfirmed } from './rights.ts';

/**
 * What a connection may, and how that changes: a client that has no right yet, credentials that are granted, revoked or expire,
 * and guards that take the place of others.
 */

/** A timer of Node's fires at once when its delay does not fit 31 bits. */
const LONGEST_DELAY = 2 ** 31 - 1;
/** Milliseconds that a new guard has to judge credentials of before; until then they are worth what they were. */
const CONFIRM = 4000;

/**
 * Bytes that a client may have sent before it has any right. Its credentials and the messages that wait for an answer
 * about them are held in memory, and are no more than it has sent.
 */
const BYTES_BEFORE_RIGHTS = 40 * 1024;
/** What a message that waits costs beside its bytes. */
const WAITING_COST = 256;

/** Closes a client that has no right yet and is about to cost more than such a client may. */
export function isTooMuch(connection: Connection, size: number): boolean {
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
export function relimited(connection: Connection): void {
  const { transport, accepted, context } = connection;
  const { messageBeforeAuth } = context.limits;
  if (accepted && !connection.hasRight) transport.restrict?.(messageBeforeAuth);
  awaitRight(connection);
  publishAgain(connection);
}

export function awaitRight(connection: Connection): void {
  const { self, context } = connection;
  const { authorise } = context.limits;
  if (authorise === 0 || connection.hasRight) return;
  sendAfter(self, Math.max(authorise - uptime(self), 0), { type: 'still-no-right' });
}

/** Where a question is open, its answer comes in time or not at all. */
export function stillNoRight(connection: Connection): void {
  const { phase, intake, transport, self, context } = connection;
  const { authorise } = context.limits;
  if (connection.hasRight) return;
  // A timer may be a fraction of a millisecond early; one that is earlier is of a limit before.
  if (authorise === 0 || uptime(self) + 1 < authorise) return;
  if (phase === 'open') connection.close({ type: 'authorize timeout' });
  else if (transport.kind === 'exchange' && intake.question === undefined) connection.reply(unauthorised);
}

/** The guard has answered a question, or could not. */
export function authorisation(
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
export function regrant(connection: Connection, message: Change): void {
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
export function expire(connection: Connection): void {
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
export function graceOver(connection: Connection): void {
  const { phase, rights, hasRight } = connection;
  if (phase === 'open' && (rights?.suspends || !hasRight)) connection.close({ type: 'expired' });
}

/** Another guard judges the connection from now on, or its guard grants something else to everybody. */
export function reguard(connection: Connection): void {
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
export function confirmOver(connection: Connection, unconfirmed: Unconfirmed): void {
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
