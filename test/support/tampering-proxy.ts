import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { WebSocket, WebSocketServer } from 'ws';

/** What becomes of one frame of the relay's: nothing, itself, itself twice, … */
export type Tamper = (frame: string) => readonly string[];

/** A proxy for WebSockets that does to what the relay sends whatever is wanted. Returns its address. */
export async function tamperingProxy(t: ExecutionContext, port: number, tamper: Tamper): Promise<string> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: false,
    // As the relay does it.
    handleProtocols: (protocols) => (protocols.has('fanfare.1') ? 'fanfare.1' : false),
  });
  const sockets = new Set<WebSocket>();
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.terminate();
  });
  server.on('connection', (client) => {
    const onward = new WebSocket(`ws://127.0.0.1:${port}`, ['fanfare.1'], { perMessageDeflate: false });
    const early: string[] = [];
    for (const socket of [client, onward]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.on('message', (data) => {
      if (onward.readyState === WebSocket.OPEN) onward.send(String(data));
      else early.push(String(data));
    });
    onward.on('open', () => {
      for (const frame of early.splice(0)) onward.send(frame);
    });
    onward.on('message', (data) => {
      for (const frame of tamper(String(data))) client.send(frame);
    });
    client.on('close', () => onward.terminate());
    onward.on('close', () => client.terminate());
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export const isMessage = (frame: string): boolean => frame.startsWith('{"type":"publish"');
