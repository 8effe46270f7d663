import { confirm } from '../authenticator/authenticator-server.ts';
import type { Authorisation } from '../authenticator/authorisation.ts';
import { allows, isEmpty, type Right } from '../authenticator/permissions.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { Topic } from '../topic/topic.ts';
import { leave } from '../topic/topic-server.ts';
import { close } from './closing.ts';
import type { Connection } from './connection.ts';
import { step } from './performing.ts';
import { rejoin } from './rejoining.ts';
import type { Unconfirmed } from './rights.ts';

/**
 * What becomes of a connection when its rights change: a credential is granted, is worth something else by now, or expires;
 * or another guard judges it after a reload. Its rights without a credential are at once those that the new guard gives; if
 * it has given credentials, those are judged again first, and it keeps what it had meanwhile: who loses nothing notices
 * nothing.
 */

/** A timer of Node's fires at once when its delay does not fit 31 bits. */
const LONGEST_DELAY = 2 ** 31 - 1;
/** Milliseconds that judging again may take; who has not been judged by then has what his credentials were worth before. */
const CONFIRM = 4000;

type Change = Extract<Authorisation, { readonly type: 'regranted' | 'revoked' }>;

/** Adds the rights of a credential to those that the connection has. */
export function grant(
  connection: Connection,
  { ref, permissions, terms }: Extract<Authorisation, { readonly type: 'authorised' }>,
): void {
  if (isEmpty(permissions)) return;
  const { rights, guard, self, transport } = connection;
  connection.subject = terms?.subject ?? connection.subject;
  rights.grant(ref, permissions, terms, guard.anonymous, now(self));
  if (terms !== undefined && terms.lasts !== null) schedule(connection);
  transport.unrestrict();
  resume(connection);
}

/** The credential grants something else by now, or nothing. */
export function regrant(connection: Connection, message: Change): void {
  const { rights, guard, self } = connection;
  if (!rights.has(message.ref)) {
    if (connection.needs === 'topic') rejudge(connection, message);
    return;
  }
  const had = connection.hasRight;
  if (message.type === 'revoked') rights.revoke(message.ref);
  else rights.regrant(message.ref, message.permissions, message.terms, guard.anonymous, now(self));
  if (message.type === 'regranted' && message.terms?.lasts != null) schedule(connection);
  const confirmed = rights.confirm(message.ref);
  if (confirmed === 'all') settle(connection, had);
  else if (confirmed === 'none' && !rights.isReviewing()) endIfLost(connection);
}

/** Where each topic is judged by itself: a topic that it uses has been judged again. */
function rejudge(connection: Connection, message: Change): void {
  const { asking } = connection;
  const gives = (right: Right, topic: string) =>
    message.type === 'regranted' && allows(message.permissions, right, topic);
  if (asking?.judged.take(message.ref, gives) && connection.accepted) close(connection, { type: 'revoked' });
}

/** Closes a connection that has lost what it uses, or all; else it goes on with what is left, and with what has come back. */
function endIfLost(connection: Connection): void {
  const lost = !connection.hasRight || lostTopics(connection).length > 0 || !ownsByRight(connection);
  if (connection.accepted && lost) close(connection, { type: 'revoked' });
  else resume(connection);
}

/** Takes away what has expired. Nothing is delivered any more that it gave; the connection may stay on for the grace. */
export function expire(connection: Connection): void {
  const { rights, self, memberships } = connection;
  const end = rights.expire(now(self));
  schedule(connection);
  if (end === null || !connection.accepted) return;
  const lost = lostTopics(connection);
  for (const topic of lost) {
    memberships.delete(topic.name);
    leave(topic, self);
    rights.suspend(topic.name);
  }
  if (!ownsByRight(connection)) close(connection, { type: 'expired' });
  else if (!connection.hasRight || lost.length > 0) {
    const delay = Math.min(Math.ceil(end - now(self)), LONGEST_DELAY);
    rights.graceBy(delay > 0 ? sendAfter(self, delay, { type: 'grace-over' }) : undefined);
    if (delay <= 0) graceOver(connection);
  }
}

/** By now it should have authorised again. */
export function graceOver(connection: Connection): void {
  const { phase, rights, hasRight } = connection;
  if (phase === 'open' && (rights.suspends || !hasRight)) close(connection, { type: 'expired' });
}

/** Another guard judges the connection from now on, or its guard grants something else to everybody. */
export function reguard(connection: Connection): void {
  const { guard, asking, self, rights } = connection;
  const before = connection.needs;
  if (connection.phase === 'closing') return;
  connection.needs = guard.needs;
  if (guard.needs === 'topic') {
    // Of who came to a guard of another kind the request is not known any more, and nobody can be asked about half of it.
    if (before !== 'topic') turnOut(connection);
    else if (guard.server !== null && asking !== undefined)
      for (const ref of asking.judged.refs) confirm(guard.server, self, ref);
    return;
  }
  if (before === 'topic' && asking !== undefined) {
    // The topics that were judged one by one stay open until the credentials that came with them have been judged.
    rights.keep(asking.offered, asking.judged.permissions);
    asking.judged.clear();
  }
  const unconfirmed = rights.review();
  if (unconfirmed.size === 0) {
    settle(connection, connection.hasRight);
    return;
  }
  if (guard.server !== null) for (const ref of unconfirmed) confirm(guard.server, self, ref);
  sendAfter(self, CONFIRM, { type: 'confirm-over', unconfirmed });
}

/** Nobody has judged what is left, or not in time. */
export function confirmOver(connection: Connection, unconfirmed: Unconfirmed): void {
  if (connection.rights.isReviewing(unconfirmed)) settle(connection, connection.hasRight);
}

/** From now on, everybody's rights are those that the guard gives now. `had`: there was a right until then. */
function settle(connection: Connection, had: boolean): void {
  connection.rights.settle(connection.guard.anonymous);
  // Who has not shown any right yet has nothing to lose.
  if (had) endIfLost(connection);
}

function turnOut(connection: Connection): void {
  if (connection.accepted) close(connection, { type: 'revoked' });
  else step(connection, { type: 'unavailable' });
}

/** One timer, for what expires next. */
function schedule({ self, rights }: Connection): void {
  const { expiry } = rights;
  const delay = expiry === null ? 0 : Math.min(Math.max(expiry - now(self), 0), LONGEST_DELAY);
  rights.expireBy(expiry === null ? undefined : sendAfter(self, Math.ceil(delay), { type: 'expire' }));
}

function lostTopics({ memberships, rights }: Connection): Topic[] {
  return [...memberships].filter(({ name }) => !allows(rights.permissions, 'read', name));
}

function ownsByRight({ owned, rights }: Connection): boolean {
  return owned === undefined || allows(rights.permissions, 'write', owned.name);
}

/** Joins again what had been left for want of a right that is there now. */
function resume(connection: Connection): void {
  const { rights, context, memberships, self } = connection;
  for (const name of rights.restored()) {
    if (memberships.get(name) !== undefined) continue;
    // Stands for the topic until the join is answered, as a topic that was lost does.
    const placeholder = new Topic(context.realm, name);
    memberships.set(placeholder);
    rejoin(connection, placeholder, now(self));
  }
}
