import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Passes connections on to a port of loopback, and can end all of them at once. */
export interface FlappingProxy {
  readonly port: number;
  /** Where to; may be set later. */
  target: number;
  /** Ends all connections, as a reset of the network would. */
  flap(): void;
}

export async function flappingProxy(t: ExecutionContext): Promise<FlappingProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const proxy = {
    port: 0,
    target: 0,
    flap: () => sockets.forEach((socket) => void socket.resetAndDestroy()),
  };
  const server = createServer((socket) => {
    const onward = connect(proxy.target, '127.0.0.1');
    for (const one of [socket, onward]) keep(one);
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    proxy.flap();
  });
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;
}
