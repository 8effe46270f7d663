import type { Authorisation, Terms } from '../authenticator/authorisation.ts';
import {
  allows,
  isEmpty,
  isWithin,
  none,
  type Permissions,
  type Right,
  union,
} from '../authenticator/permissions.ts';
import { CREDENTIALS } from '../authenticator/standing.ts';
import { inform } from '../otp/process.ts';
import { now, sendAfter } from '../otp/timer.ts';
import { Topic } from '../topic/topic.ts';
import { close } from './closing.ts';
import type { Connection } from './connection.ts';
import { Ending } from './ending-rights.ts';
import { rejoin } from './rejoining.ts';

/**
 * What a connection may do, and how it comes to an end: rights for good, and those of credentials that expire or are
 * taken back, each by itself. What one credential loses another one may still give.
 */

/** A timer of Node's fires at once when its delay does not fit 31 bits. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Whether it has shown any right at all; until then it may cost little, and stay for a short time. */
export function hasRight({ permissions, asking }: Connection): boolean {
  return (asking !== undefined && asking.judged.size > 0) || !isEmpty(permissions);
}

/** Adds the rights of a credential to those that the connection has. */
export function grant(
  connection: Connection,
  { ref, permissions, terms }: Extract<Authorisation, { readonly type: 'authorised' }>,
): void {
  if (isEmpty(permissions)) return;
  connection.subject = terms?.subject ?? connection.subject;
  if (terms !== undefined && (terms.lasts !== null || terms.revocable)) {
    connection.ending ??= new Ending(connection.permissions);
    hold(connection, connection.ending, ref, permissions, terms);
  } else if (connection.ending === undefined) {
    connection.permissions = union(connection.permissions, permissions);
    connection.transport.unrestrict();
    return;
  } else {
    connection.ending.lasting = union(connection.ending.lasting, permissions);
  }
  connection.transport.unrestrict();
  addUp(connection, connection.ending);
  resume(connection, connection.ending);
}

/** The credential grants something else by now, or nothing. */
export function regrant(
  connection: Connection,
  message: Extract<Authorisation, { readonly type: 'regranted' | 'revoked' }>,
): void {
  const { ending } = connection;
  if (ending?.held.has(message.ref) !== true) {
    if (connection.needs === 'topic') rejudge(connection, message);
    return;
  }
  if (message.type === 'revoked') ending.held.delete(message.ref);
  else if (message.terms !== undefined)
    hold(connection, ending, message.ref, message.permissions, message.terms);
  const { unconfirmed } = connection;
  if (unconfirmed?.delete(message.ref)) {
    if (unconfirmed.size === 0) confirmed(connection);
    else addUp(connection, ending);
    return;
  }
  addUp(connection, ending);
  if (unconfirmed === undefined) endIfLost(connection);
}

/** Where each topic is judged by itself: a topic that it uses has been judged again. */
function rejudge(
  connection: Connection,
  message: Extract<Authorisation, { readonly type: 'regranted' | 'revoked' }>,
): void {
  const { asking } = connection;
  const gives = (right: Right, topic: string) =>
    message.type === 'regranted' && allows(message.permissions, right, topic);
  if (asking?.judged.take(message.ref, gives) && connection.accepted) close(connection, { type: 'revoked' });
}

/** Closes a connection that has lost what it uses, or all; else it goes on with what is left, and with what has come back. */
export function endIfLost(connection: Connection): void {
  const { accepted, ending } = connection;
  if (accepted && (!hasRight(connection) || lostTopics(connection).length > 0 || !ownsByRight(connection)))
    close(connection, { type: 'revoked' });
  else if (ending !== undefined) resume(connection, ending);
}

/** From now on, everybody's rights are those that the guard gives now. */
export function confirmed(connection: Connection): void {
  const { guard, ending } = connection;
  const had = hasRight(connection);
  connection.unconfirmed = undefined;
  if (ending === undefined) {
    connection.permissions = guard.anonymous;
  } else {
    ending.lasting = guard.anonymous;
    addUp(connection, ending);
  }
  // Who has not shown any right yet has nothing to lose.
  if (had) endIfLost(connection);
}

/** Takes away what has expired. Nothing is delivered any more that it gave; the connection may stay on for the grace. */
export function expire(connection: Connection): void {
  const { ending, self } = connection;
  if (ending === undefined) return;
  const { held } = ending;
  const time = now(self);
  let end = Number.NEGATIVE_INFINITY;
  for (const [ref, { until, grace }] of held) {
    if (until === null || until > time) continue;
    held.delete(ref);
    end = Math.max(end, until + grace);
  }
  schedule(connection, ending);
  if (end === Number.NEGATIVE_INFINITY) return;
  addUp(connection, ending);
  if (!connection.accepted) return;
  const lost = lostTopics(connection);
  for (const topic of lost) {
    connection.memberships.delete(topic.name);
    if (topic.server !== undefined) inform(topic.server, { type: 'leave', member: self });
    ending.suspended = [...ending.suspended, topic.name];
  }
  if (!ownsByRight(connection)) close(connection, { type: 'expired' });
  else if (!hasRight(connection) || lost.length > 0) {
    // The grace of an earlier token is over with the one that followed it.
    ending.grace?.cancel();
    const delay = Math.min(Math.ceil(end - time), LONGEST_DELAY);
    if (delay > 0) ending.grace = sendAfter(self, delay, { type: 'grace-over' });
    else graceOver(connection);
  }
}

/** By now it should have authorised again. */
export function graceOver(connection: Connection): void {
  const lacks = (connection.ending?.suspended.length ?? 0) > 0 || !hasRight(connection);
  if (connection.phase === 'open' && lacks) close(connection, { type: 'expired' });
}

/** It leaves a topic that it is not getting at the moment. */
export function forget(ending: Ending, name: string): void {
  ending.suspended = ending.suspended.filter((each) => each !== name);
}

function hold(
  connection: Connection,
  ending: Ending,
  ref: number,
  permissions: Permissions,
  { lasts, grace }: Terms,
): void {
  const { held } = ending;
  // What everybody has goes when everybody loses it.
  const own = isWithin(permissions, connection.guard.anonymous) ? none : permissions;
  held.set(ref, { permissions: own, until: lasts === null ? null : now(connection.self) + lasts, grace });
  const [oldest] = held.keys();
  if (held.size > CREDENTIALS && oldest !== undefined) held.delete(oldest);
  if (lasts !== null) schedule(connection, ending);
}

function addUp(connection: Connection, { lasting, held }: Ending): void {
  connection.permissions = lasting;
  for (const { permissions } of held.values())
    connection.permissions = union(connection.permissions, permissions);
}

/** One timer, for what expires next. */
function schedule({ self }: Connection, ending: Ending): void {
  ending.expiry?.cancel();
  ending.expiry = undefined;
  let next = Number.POSITIVE_INFINITY;
  for (const { until } of ending.held.values()) next = Math.min(next, until ?? next);
  if (next === Number.POSITIVE_INFINITY) return;
  const delay = Math.min(Math.max(next - now(self), 0), LONGEST_DELAY);
  ending.expiry = sendAfter(self, Math.ceil(delay), { type: 'expire' });
}

function lostTopics(connection: Connection): Topic[] {
  return [...connection.memberships].filter(({ name }) => !allows(connection.permissions, 'read', name));
}

function ownsByRight({ owned, permissions }: Connection): boolean {
  return owned === undefined || allows(permissions, 'write', owned.name);
}

/** Joins again what had been left for want of a right that is there now. */
function resume(connection: Connection, ending: Ending): void {
  const { permissions, context, memberships } = connection;
  for (const name of ending.suspended) {
    if (!allows(permissions, 'read', name)) continue;
    forget(ending, name);
    if (memberships.get(name) !== undefined) continue;
    // Stands for the topic until the join is answered, as a topic that was lost does.
    const placeholder = new Topic(context.realm, name);
    memberships.set(placeholder);
    rejoin(connection, placeholder, now(connection.self));
  }
}
