import type { Format, Part } from '../../topic/message.ts';
import type { HttpReply } from '../contract.ts';
import { passedOn } from '../replies.ts';
import { renderText } from './format.ts';

/**
 * Server-sent events (HTML standard, section 9.2): a message is one event of `data:` lines, which the browser joins
 * by line feeds again.
 */
export const eventStreamFormat: Format = {
  name: 'pinghub-event-stream',
  render: renderText,
  assemble: (parts) => Buffer.from(parts.map(event).join('')),
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

function event({ payload }: Part): string {
  return `data: ${payload.toString().replace(/\r\n|\r|\n/g, '\ndata: ')}\n\n`;
}
