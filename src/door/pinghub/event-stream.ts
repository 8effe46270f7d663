import type { Part } from '../../topic/message.ts';
import { formatPosition, type Position } from '../../topic/position.ts';
import type { HttpReply } from '../contract.ts';
import { passedOn } from '../replies.ts';
import { renderText, resumable } from './format.ts';

/** An event, not yet written: its name, and its payload, which is the data. Without a payload it is a position alone. */
interface EventPart extends Part {
  readonly at: Position | null;
  readonly name?: 'missed';
}

/**
 * Server-sent events (HTML standard, section 9.2): a message is one event of `data:` lines, which the browser joins
 * by line feeds again. A position is its `id:`, with which browsers come back by themselves (section 9.2.4).
 */
export const eventStreamFormat = resumable({
  name: 'pinghub-event-stream',
  render(message, _topic, at): EventPart | 'undeliverable' | 'nothing' {
    const part = renderText(message);
    return typeof part === 'string' ? part : { opcode: 1, payload: part.payload, at };
  },
  gap: (_topic, { missed, to }): EventPart => ({
    opcode: 1,
    payload: Buffer.from(String(missed)),
    at: to,
    name: 'missed',
  }),
  place: (at): EventPart => ({ opcode: 1, payload: Buffer.alloc(0), at }),
  assemble: (parts) => Buffer.from((parts as readonly EventPart[]).map(event).join('')),
});

/** What the answer that begins a stream says. */
export const eventStreamHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'X-Content-Type-Options': 'nosniff',
  ...passedOn,
};

/** A comment, which clients skip: shows proxies and the relay that the connection lives. */
export const eventStreamKeepalive = Buffer.from(':\n\n');

/** Milliseconds over which those come back whose stream has ended, so that a relay that starts anew is not run over. */
const SPREAD = 4000;

/**
 * What a stream begins with: a comment, so that something comes at once, and the time after which a browser comes back
 * when the stream has ended, which is from one second to five. `chance`: from 0 to 1.
 */
export function eventStreamOpening(chance: number): Buffer {
  return Buffer.from(`:\nretry: ${retry(1, chance)}\n\n`);
}

/**
 * A refusal as a stream that ends at once: any status but 200 would end a browser's EventSource for good. It comes back
 * when the `Retry-After` of the refusal has passed.
 */
export function comeBackLater({ headers, body }: HttpReply, chance: number): HttpReply {
  const after = headers['Retry-After'] ?? '1';
  return {
    type: 'reply',
    status: 200,
    headers: { ...eventStreamHeaders, 'Retry-After': after },
    body: `: ${body.trimEnd()}\nretry: ${retry(Number(after), chance)}\n\n`,
  };
}

/** Milliseconds, `seconds` at least. */
function retry(seconds: number, chance: number): number {
  const least = seconds * 1000;
  return Math.round(least + chance * Math.max(least, SPREAD));
}

/** Whether a request wants a stream, by its `Accept` header; `*` does not ask for one, and a weight of 0 refuses it. */
export function acceptsEventStream(accept: string | undefined): boolean {
  const named = /(?:^|,)[ \t]*text\/event-stream[ \t]*(?:;[ \t]*q=([\d.]+)|[;,]|$)/i.exec(accept ?? '');
  return named !== null && Number(named[1] ?? 1) > 0;
}

function event({ payload, at, name }: EventPart): string {
  const id = at === null ? '' : `id: ${formatPosition(at)}\n`;
  const named = name === undefined ? '' : `event: ${name}\n`;
  return payload.length === 0 ? `${id}\n` : `${id}${named}${data(payload)}\n`;
}

function data(payload: Buffer): string {
  return `data: ${payload.toString().replace(/\r\n|\r|\n/g, '\ndata: ')}\n`;
}
