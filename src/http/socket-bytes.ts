import type { Socket } from 'node:net';

/**
 * How many bytes a socket has moved, of both directions. Below TLS it is the bytes of the TCP connection that count: a
 * record of up to 16 KiB shows above only when the whole of it has come.
 */

/** A queue inside libuv, which Node's own socket timeout looks at. */
interface Handle {
  readonly writeQueueSize?: number;
  readonly _parent?: Handle;
}

type Inside = Socket & { readonly _parent?: Socket | null; readonly _handle?: Handle | null };

export function bytesReceived(socket: Socket): number {
  return tcpSocketOf(socket).bytesRead;
}

/** Of all that was written, what the kernel has taken; within one write, too. */
export function bytesTaken(socket: Socket): number {
  const { _handle: handle } = socket as Inside;
  const waiting = (handle?._parent ?? handle)?.writeQueueSize;
  return tcpSocketOf(socket).bytesWritten - (waiting ?? socket.writableLength);
}

/** The socket of the TCP connection, below TLS too. */
export function tcpSocketOf(socket: Socket): Socket {
  return (socket as Inside)._parent ?? socket;
}
