import type { IncomingMessage, Server } from 'node:http';

/**
 * Asks for a body that waits to be asked for (RFC 9110, section 10.1.1), unless it is too long by its own word. The request
 * goes on as any other, and who serves it refuses that body. `limit`: in bytes, 0: none.
 */
export function inviteBodies(server: Server, limit: () => number): void {
  server.on('checkContinue', (request, response) => {
    if (!saysTooLong(request, limit())) response.writeContinue();
    server.emit('request', request, response);
  });
}

/** Whether a body has more bytes by the head of its request than there may be; 0: there is no limit. */
export function saysTooLong({ headers }: Pick<IncomingMessage, 'headers'>, limit: number): boolean {
  return limit > 0 && Number(headers['content-length'] ?? 0) > limit;
}
