import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Passes connections on to a port of loopback, as a network with faults does. */
export interface FaultyProxy {
  readonly port: number;
  readonly url: string;
  /** Where to; may be set later. */
  target: number;
  /** Nothing passes, and nobody is told: what is sent meanwhile is lost with its connection. */
  isBlack: boolean;
  /** Milliseconds that everything takes longer, each way. */
  delay: number;
  /** How many connections there have been. */
  readonly connections: number;
  /** Ends all connections, as a reset of the network would. */
  cut(): void;
}

export async function faultyProxy(t: ExecutionContext, target = 0): Promise<FaultyProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const proxy = {
    port: 0,
    url: '',
    target,
    isBlack: false,
    delay: 0,
    connections: 0,
    cut: () => sockets.forEach((socket) => void socket.resetAndDestroy()),
  };
  const server = createServer((socket) => {
    proxy.connections++;
    keep(socket);
    // A connection that has lost bytes is lost itself: TCP would not go on behind a hole.
    let isLost = proxy.isBlack;
    if (isLost) {
      socket.resume();
      return;
    }
    const onward = connect(proxy.target, '127.0.0.1');
    keep(onward);
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      from.on('data', (bytes) => {
        isLost ||= proxy.isBlack;
        if (isLost) return;
        if (proxy.delay > 0) setTimeout(() => to.write(bytes), proxy.delay);
        else if (!to.write(bytes)) {
          // Whoever does not read is felt at the other end.
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.on('close', () => isLost || to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    proxy.cut();
  });
  proxy.port = (server.address() as AddressInfo).port;
  proxy.url = `ws://127.0.0.1:${proxy.port}`;
  return proxy;
}
