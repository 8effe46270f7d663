import type { ServerResponse } from 'node:http';
import type { HttpReply } from '../../door/contract.ts';
import { lingerAtEnd } from '../../http/lingering.ts';

/** Sends a whole answer. Of an answer to HEAD Node sends the head alone, with the length that the body would have. */
export function sendReply(response: ServerResponse, { status, headers, body }: HttpReply): void {
  const { req } = response;
  const length: Record<string, string> =
    status === 204 ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const all: Record<string, string> = { ...length, ...headers };
  // With a `Connection` of ours Node forgets that the client wants it closed.
  if (all['Connection'] === 'Upgrade' && !response.shouldKeepAlive) all['Connection'] += ', close';
  // A client that is still sending does not read before it is done.
  if (!req.complete) lingerAtEnd(req.socket);
  if (!response.shouldKeepAlive || all['Connection'] === 'close') response.removeHeader('Keep-Alive');
  response.writeHead(status, all);
  response.end(body);
}
