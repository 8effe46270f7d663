import type { Socket } from 'node:net';

/** Requests that cannot be read, or do not end, by the codes of Node's errors. */

/** A client that goes before its request is whole has asked for nothing. */
const GONE = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE']);

const TOO_LATE = 'ERR_HTTP_REQUEST_TIMEOUT';

/** Whether nobody is there any more to be answered. */
export function hasGone(socket: Socket, code: string): boolean {
  return GONE.has(code) || (!socket.writable && code === TOO_LATE);
}

/** What is wrong with such a request. `head`: how much the head of one may have, in words. */
export function malformedFault(
  code: string,
  head: string,
): { readonly status: number; readonly why: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, why: `Error: the head of the request has more than ${head}.` };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, why: 'Error: message too large.' };
    case TOO_LATE:
      return { status: 408, why: 'Error: the request took too long.' };
    default:
      return { status: 400, why: 'Error: bad request. This is no HTTP.' };
  }
}
