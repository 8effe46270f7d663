/**
 * The server to beat: a `ws` broadcast loop on node:http as most people write it first. The path is the topic, every
 * message goes to each client of its path by `client.send`. Compression is off, which is the default of `ws`.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

const topics = new Map<string, Set<WebSocket>>();
const server = createServer();
const sockets = new WebSocketServer({ server });

sockets.on('connection', (socket, request) => {
  const path = request.url ?? '/';
  let clients = topics.get(path);
  if (clients === undefined) {
    clients = new Set();
    topics.set(path, clients);
  }
  const audience = clients;
  audience.add(socket);

  socket.on('message', (data) => {
    const message = data.toString();
    for (const client of audience) {
      if (client.readyState === WebSocket.OPEN) client.send(message);
    }
  });
  socket.on('close', () => {
    audience.delete(socket);
    if (audience.size === 0) topics.delete(path);
  });
  socket.on('error', console.error);
});

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ msg: 'listening', host: '127.0.0.1', port }));
  console.log(JSON.stringify({ msg: 'ready' }));
});

process.once('SIGTERM', () => process.exit(0));
