import type { Part } from '../../topic/message.ts';
import { formatPosition, type Position } from '../../topic/position.ts';
import type { HttpReply } from '../contract.ts';
import { passedOn } from '../replies.ts';
import { type ResumableFormat, renderText } from './format.ts';

/**
 * Server-sent events (HTML standard, section 9.2): a message is one event of `data:` lines, which the browser joins
 * by line feeds again. A position is its `id:`, with which browsers come back by themselves (section 9.2.4).
 */
export const eventStreamFormat: ResumableFormat = {
  name: 'pinghub-event-stream',
  render(message, _topic, at) {
    const part = renderText(message);
    return typeof part === 'string' ? part : event(at, data(part.payload));
  },
  gap: (_topic, { missed, to }) => event(to, `event: missed\ndata: ${missed}\n`),
  // Without data it is no event for a page.
  place: (at) => event(at, ''),
  assemble: (parts) => Buffer.concat(parts.map(({ payload }) => payload)),
};

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

/** A whole event. `fields`: its lines beside the `id:`. */
function event(at: Position | null, fields: string): Part {
  const id = at === null ? '' : `id: ${formatPosition(at)}\n`;
  return { opcode: 1, payload: Buffer.from(`${id}${fields}\n`) };
}

function data(payload: Buffer): string {
  return `data: ${payload.toString().replace(/\r\n|\r|\n/g, '\ndata: ')}\n`;
}
