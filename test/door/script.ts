import type { Command, Door, Event, Session } from '../../src/door/contract.ts';
import { formatPosition } from '../../src/topic/position.ts';
import { doorRequest, type RequestParts } from './door-request.ts';
import { texts } from './parse-frames.ts';

/** A command, short enough to compare: bytes as the texts of their frames, a reply by its status. */
export type Brief = string;

export function brief(command: Command): Brief {
  switch (command.type) {
    case 'authorise':
      return `authorise ${command.authorization}`;
    case 'join': {
      const { topic, while: condition, since } = command;
      const asked = since === undefined || typeof since === 'string' ? since : formatPosition(since);
      return `join ${topic} while ${condition}${asked === undefined ? '' : ` since ${asked}`}`;
    }
    case 'claim':
      return `claim ${command.topic}`;
    case 'leave':
      return `leave ${command.topic}${command.isHeard === true ? ' and hear' : ''}`;
    case 'publish': {
      const { topic, message, receipt, key } = command;
      const marks = `${receipt === undefined ? '' : ` receipt ${receipt}`}${key === undefined ? '' : ` key ${key}`}`;
      return `publish ${topic}${marks} ${message.kind} ${message.payload.toString('latin1')}`;
    }
    case 'accept':
    case 'alive':
      return command.type;
    case 'reply':
      return `reply ${command.status}`;
    case 'send':
      return `send ${texts(command.bytes).join(' ')}`;
    case 'close':
      return `close ${command.code} ${command.reason}`;
  }
}

/** Starts a session, then steps it through events; what it commanded, for the start and for each event. */
export function play(session: Session, ...events: readonly Event[]): Brief[][] {
  const played = [session.start().map(brief)];
  let current = session;
  for (const event of events) {
    const [next, commands] = current.step(event);
    played.push(commands.map(brief));
    current = next;
  }
  return played;
}

/** As `play`, but only what the last event brought about. */
export function lastOf(session: Session, ...events: readonly Event[]): Brief[] {
  return play(session, ...events).at(-1) ?? [];
}

/** The session that a door opens for a request. */
export function sessionOf(door: Door, request: RequestParts): Session {
  const route = door.route(doorRequest(request));
  if (route.type !== 'open') throw new Error(`refused: ${route.status}`);
  return route.session;
}

/** The status of a door's answer to a request, and its headers and body; 101 when it opens. */
export function answerOf(door: Door, request: RequestParts) {
  const route = door.route(doorRequest(request));
  return route.type === 'open' ? { status: 101, headers: {}, body: '' } : route;
}

export function statusOf(door: Door, request: RequestParts): number {
  return answerOf(door, request).status;
}

export function text(payload: string): Event {
  return { type: 'text', payload: Buffer.from(payload) };
}

export function binary(...bytes: readonly number[]): Event {
  return { type: 'binary', payload: Buffer.from(bytes) };
}

export const granted: Event = { type: 'authorised', granted: true };
export const notGranted: Event = { type: 'authorised', granted: false };
export const unavailable: Event = { type: 'unavailable' };
