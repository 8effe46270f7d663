import { lstatSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';

/** Where a listener listens: at a port, or at the path of a UNIX socket. */
export type Place = { readonly host: string; readonly port: number } | { readonly socket: string };

/** A socket file that a killed relay has left is taken over; one that somebody answers at is not. */
export function listen(server: Server, at: Place): void {
  if ('port' in at) {
    server.listen(at.port, at.host);
    return;
  }
  const path = at.socket;
  if (!isSocket(path)) {
    server.listen(path);
    return;
  }
  const probe = connect(path);
  probe.on('connect', () => {
    probe.destroy();
    server.emit('error', Object.assign(new Error(), { code: 'EADDRINUSE' }));
  });
  probe.on('error', (error: NodeJS.ErrnoException) => {
    try {
      // Refused: nobody is behind it. Any other failure, such as a lack of permission, says nothing of the kind.
      if (error.code === 'ECONNREFUSED') unlinkSync(path);
    } catch (failure) {
      server.emit('error', failure);
      return;
    }
    server.listen(path);
  });
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}
