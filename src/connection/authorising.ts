import { authorise, forget, offer } from '../authenticator/authenticator-server.ts';
import type { Authorisation } from '../authenticator/authorisation.ts';
import type { Question as Asked } from '../authenticator/contract.ts';
import { allows, isEmpty, type Right } from '../authenticator/permissions.ts';
import type { Event } from '../door/contract.ts';
import { tooManyAttempts } from '../door/replies.ts';
import { now } from '../otp/timer.ts';
import { Hidden } from '../secret/hidden.ts';
import { close, reply } from './closing.ts';
import type { Connection } from './connection.ts';
import type { Judging, Question } from './intake.ts';
import { judge, judgement } from './judging.ts';
import { answered, ask, goOn, performOne, refusal, step } from './performing.ts';
import { grant } from './right-changes.ts';

/**
 * What a connection asks its guard, and what becomes of the answers: about a credential, about a client without one
 * where the guard judges those too, and about each topic where it judges topics.
 *
 * A credential that is not known counts against the client's address, whatever everybody may do without one. So do a key
 * that is not for the domain, and each no where topics are judged: nobody can tell there whether the credential was to
 * blame. Who gives none tries none out, and a known one that does not open a topic is no guess.
 */

type Answered = Extract<Authorisation, { readonly type: 'authorised' }>;

export function askAuthenticator(connection: Connection, authorization: string): void {
  const { guard, asking, self } = connection;
  if (guard.server === null) {
    step(connection, { type: 'authorised', granted: true });
    return;
  }
  if (connection.needs === 'topic') {
    // Where the request names the topic, it brings its credential itself.
    if (asking?.about === null) asking.credential = new Hidden(authorization);
    const ref = connection.intake.nextRef();
    const extra = asking?.offer(ref);
    offer(guard.server, questionOf(connection, authorization), self, ref);
    if (extra !== undefined) forget(guard.server, self, extra);
    connection.credential = 'good';
    step(connection, { type: 'authorised', granted: true });
    return;
  }
  if (hasFailedTooOften(connection)) return;
  if (asking !== undefined) asking.introduced = true;
  put(connection, authorization, (ref) => ({ type: 'authorise', ref }));
}

/** Where clients without a credential are judged too, asks about one that has begun without. */
export function introduce(connection: Connection): void {
  if (connection.phase !== 'closing' && connection.intake.question === undefined && mayIntroduce(connection))
    put(connection, '', (ref) => ({ type: 'introduce', ref, first: null }));
}

/** The topic that is meant, when it may be used; undefined: it has been refused, or has to be asked about first. */
export function usable(
  connection: Connection,
  right: Right,
  command: Judging['command'],
): string | undefined {
  const { topic } = command;
  if (connection.needs === 'topic') return judged(connection, right, command);
  if (allows(connection.rights.permissions, right, topic)) return topic;
  if (mayIntroduce(connection)) put(connection, '', (ref) => ({ type: 'introduce', ref, first: command }));
  // Known by its request as a whole, it is not asked for a credential.
  else
    refuse(
      connection,
      command,
      connection.authorised && connection.credential === 'none' ? 'denied' : 'forbidden',
    );
  return undefined;
}

/** No right is lost on the way to a topic: what was asked for may still be had when the topic answers. */
export function mayStill(connection: Connection, right: Right, as: string, topic: string): boolean {
  const { needs, asking, rights } = connection;
  return needs === 'topic'
    ? asking?.judged.topicOf(right, as) === topic
    : allows(rights.permissions, right, topic);
}

export function authorisation(
  connection: Connection,
  message: Extract<Authorisation, { readonly type: 'authorised' | 'unavailable' }>,
): void {
  const { question } = connection.intake;
  if (question === undefined || !('ref' in question) || question.ref !== message.ref) return;
  if (message.type === 'unavailable') notAnswered(connection, question, message.faulty === true);
  else if (question.type === 'judge') answeredJudging(connection, question, message);
  else if (question.type === 'introduce') introduced(connection, question, message);
  else credentialJudged(connection, message);
}

export function notAnswered(connection: Connection, question: Question, faulty: boolean): void {
  if (question.type !== 'introduce' || question.first !== null) {
    answered(connection, { type: faulty ? 'faulty' : 'unavailable' });
    return;
  }
  // The client has asked for nothing yet: when it does, so will we again.
  connection.intake.conclude();
  goOn(connection);
}

function credentialJudged(connection: Connection, message: Answered): void {
  const granted = !isEmpty(message.permissions);
  const known = granted && message.unrecognised !== true;
  connection.credential = known ? 'good' : 'wrong';
  if (!known && message.untimely !== true) countFailure(connection);
  grant(connection, message);
  connection.authorised ||= granted;
  const event: Event = { type: 'authorised', granted };
  answered(connection, known ? event : { ...event, unrecognised: true });
}

function introduced(
  connection: Connection,
  { first }: Extract<Question, { readonly type: 'introduce' }>,
  message: Answered,
): void {
  const { asking, transport, context } = connection;
  if (asking !== undefined) asking.introduced = true;
  connection.intake.conclude();
  grant(connection, message);
  connection.authorised ||= !isEmpty(message.permissions);
  if (transport.kind === 'exchange' && isEmpty(connection.rights.permissions))
    transport.restrict(context.limits.messageBeforeAuth);
  if (first !== null) performOne(connection, first);
  goOn(connection);
}

function mayIntroduce({ guard, asking }: Connection): boolean {
  return guard.asksAll === true && asking?.introduced === false;
}

/** The topic, where each is judged by itself when it is first used. */
function judged(connection: Connection, right: Right, command: Judging['command']): string | undefined {
  const known = connection.asking?.judged.topicOf(right, command.topic);
  if (known !== undefined) return known;
  if (hasCredential(connection) && hasFailedTooOften(connection)) return undefined;
  const ref = judge(connection, right, command.topic);
  if (ref === null) step(connection, { type: 'unavailable' });
  else ask(connection, { type: 'judge', ref, right, command });
  return undefined;
}

/** A topic has been judged: what was to be done with it is done, or refused. */
function answeredJudging(connection: Connection, question: Judging, message: Answered): void {
  connection.intake.conclude();
  const { command } = question;
  if (judgement(connection, question, message) === undefined) refuse(connection, command, 'denied');
  else performOne(connection, command);
  goOn(connection);
}

function refuse(connection: Connection, command: Judging['command'], why: 'forbidden' | 'denied'): void {
  const { needs, guard, context } = connection;
  if ((needs === 'topic' || guard === context.guards.apikeys) && hasCredential(connection))
    countFailure(connection);
  step(connection, refusal(command.type, command.topic, why));
}

/** Of a wrong one the failure has been counted already. */
function hasCredential({ credential, needs, asking }: Connection): boolean {
  if (credential !== 'none') return credential === 'good';
  // One that our doors cannot read may be one to whoever is asked.
  return (
    needs === 'topic' &&
    asking?.request?.reveal().headers.some(([name]) => name.toLowerCase() === 'authorization') === true
  );
}

function countFailure({ context, address, self }: Connection): void {
  context.attempts.failed(address, now(self));
}

/** Refuses a client whose address has. */
function hasFailedTooOften(connection: Connection): boolean {
  const { context, address, self, phase } = connection;
  if (!context.attempts.refuses(address, now(self))) return false;
  if (phase === 'opening') reply(connection, tooManyAttempts);
  else close(connection, { type: 'too many failed authorisations' });
  return true;
}

function put(connection: Connection, authorization: string, questionFor: (ref: number) => Question): void {
  const { guard, self } = connection;
  const ref = connection.intake.nextRef();
  if (guard.server !== null && authorise(guard.server, questionOf(connection, authorization), self, ref))
    ask(connection, questionFor(ref));
  else step(connection, { type: 'unavailable' });
}

function questionOf({ context, address, asking }: Connection, authorization: string): Asked {
  const request = asking?.request?.reveal();
  return { authorization, door: context.door.name, address, ...(request === undefined ? {} : { request }) };
}
