import type { Format, Part } from '../../topic/format.ts';
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

/** What the answer that begins a stream says; the last one keeps nginx from collecting events before passing them on. */
export const eventStreamHeaders: Readonly<Record<string, string>> = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Accel-Buffering': 'no',
};

/** A comment, which clients skip: shows proxies and the relay that the connection lives. */
export const eventStreamKeepalive = Buffer.from(':\n\n');

/** Whether a request wants a stream, by its `Accept` header; `*` does not ask for one. */
export function acceptsEventStream(accept: string | undefined): boolean {
  return accept !== undefined && /(?:^|,)[ \t]*text\/event-stream[ \t]*(?:[;,]|$)/i.test(accept);
}

function event({ payload }: Part): string {
  return `data: ${payload.toString().replace(/\r\n|\r|\n/g, '\ndata: ')}\n\n`;
}
