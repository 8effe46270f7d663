import { STATUS_CODES } from 'node:http';
import type { HttpReply } from '../door/contract.ts';

/** A reply as text for a raw socket (RFC 9112): for upgrades, whose socket Node has given up, and refusals. */
export function rawReply({ status, headers, body }: HttpReply): string {
  const fields = { 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close', ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
}
