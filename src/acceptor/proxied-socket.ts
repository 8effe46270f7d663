import type { Socket } from 'node:net';
import { parseProxyHeader } from './proxy-header.ts';

/**
 * Takes the PROXY header off the start of a connection, and tells the client's address (null: the header names none).
 * What follows the header is left to be read. A connection that does not begin with one, or not within `timeout`
 * milliseconds (0: as long as it needs), is destroyed, and `refused` told.
 */
export function readProxyHeader(
  socket: Socket,
  timeout: number,
  done: (address: string | null) => void,
  refused: () => void,
): void {
  let bytes: Buffer = Buffer.alloc(0);

  const leave = () => {
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.off('end', refuse);
    socket.off('close', leave);
  };
  const refuse = () => {
    leave();
    refused();
    socket.destroy();
  };
  const onReadable = () => {
    for (let chunk = read(socket); chunk !== null; chunk = read(socket))
      bytes = Buffer.concat([bytes, chunk]);
    const header = parseProxyHeader(bytes);
    if (header.type === 'incomplete') return;
    if (header.type === 'invalid') {
      refuse();
      return;
    }
    leave();
    if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
    done(header.address);
  };
  const timer = timeout > 0 ? setTimeout(refuse, timeout) : undefined;
  socket.on('readable', onReadable);
  socket.on('end', refuse);
  socket.on('close', leave);
}

function read(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null;
}
