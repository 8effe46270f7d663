import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { makeFolder } from '../host/folder.ts';
import { openPort, type PortMessage } from '../http/port.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../otp/behaviour.ts';
import { type Self, send, started } from '../otp/process.ts';
import { SocketAddress } from './protocol.ts';

/** Listens for operators at a UNIX socket that only its owner may open, in a folder that only its owner may enter. */
export interface AttachListenerArgs {
  readonly path: string;
  /** Hands an operator to a session. False: nobody takes it. */
  readonly startSession: (socket: Socket) => boolean;
  readonly log: RelayLog;
}

export interface RelayLog {
  note(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export type AttachListenerMessage =
  | Exit
  | PortMessage
  | { readonly type: 'connection'; readonly socket: Socket };

interface State extends AttachListenerArgs {
  readonly self: Self<AttachListenerMessage>;
}

const SESSIONS = 32;

export const attachListener: Behaviour<AttachListenerArgs, State, AttachListenerMessage> = {
  name: 'attach-listener',
  trapExit: true,

  init(self, args) {
    const server = createServer();
    server.maxConnections = SESSIONS;
    server.on('connection', (socket) => {
      // Its close follows, and says enough.
      socket.on('error', () => undefined);
      if (!send(self, { type: 'connection', socket })) socket.destroy();
    });
    listen(self, server, args.path);
    return starting({ ...args, self });
  },

  handle(state, message): Next<State> {
    const { path, log, self } = state;
    switch (message.type) {
      case 'listening':
        chmodSync(path, 0o600);
        log.note('console', { socket: path });
        started(self);
        return keep;
      case 'failed': {
        const { code, message: words } = message.error;
        if (code === 'EADDRINUSE') return stop({ stop: `another relay answers at ${path}` });
        // A relay to which nobody can attach can still serve.
        log.warn('nobody can attach', { socket: path, why: code ?? words });
        started(self);
        return keep;
      }
      case 'connection':
        if (!state.startSession(message.socket)) message.socket.destroy();
        return keep;
      case 'exit':
        return stop(message.reason);
    }
  },

  undelivered(message) {
    if (message.type === 'connection') message.socket.destroy();
  },
};

function listen(self: Self<AttachListenerMessage>, server: Server, path: string): void {
  try {
    makeFolder(dirname(path), 0o700);
    chmodSync(dirname(path), 0o700);
    const address = new SocketAddress(path);
    openPort(self, server, { socket: address.text, own: true }, { close: () => address.close() });
  } catch (error) {
    send(self, { type: 'failed', error: error as Error });
  }
}
