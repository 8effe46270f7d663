import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { makeFolder } from '../host/folder.ts';
import { isAcceptFailure } from '../http/listen-failure.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../otp/behaviour.ts';
import { watch } from '../otp/monitor.ts';
import { isAlive, type Self, send, started } from '../otp/process.ts';
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
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'taken' }
  | { readonly type: 'connection'; readonly socket: Socket };

interface State extends AttachListenerArgs {
  readonly self: Self<AttachListenerMessage>;
  readonly server: Server;
}

const SESSIONS = 32;

export const attachListener: Behaviour<AttachListenerArgs, State, AttachListenerMessage> = {
  name: 'attach-listener',
  trapExit: true,

  init(self, args) {
    const server = createServer();
    server.maxConnections = SESSIONS;
    server.on('listening', () => send(self, { type: 'listening' }));
    server.on('error', (error: Error & { readonly code?: string }) => {
      if (isAcceptFailure(error)) return;
      if (error.code === 'EADDRINUSE') send(self, { type: 'taken' });
      else send(self, { type: 'failed', why: error.code ?? error.name });
    });
    server.on('connection', (socket) => {
      // Its close follows, and says enough.
      socket.on('error', () => undefined);
      if (!send(self, { type: 'connection', socket })) socket.destroy();
    });
    const address = listen(self, server, args.path);
    // A port ends with its owner, also when that is killed: its successor is to have it. Closing removes the socket's file.
    watch(self, () => {
      server.close();
      address?.close();
    });
    return starting({ ...args, self, server });
  },

  handle(state, message): Next<State> {
    const { path, log, self } = state;
    switch (message.type) {
      case 'listening':
        chmodSync(path, 0o600);
        log.note('console', { socket: path });
        started(self);
        return keep;
      case 'taken':
        return stop({ stop: `another relay answers at ${path}` });
      case 'failed':
        // Who cannot be attached to can still serve.
        log.warn('nobody can attach', { socket: path, why: message.why });
        started(self);
        return keep;
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

/** A socket that a killed relay has left is taken over; one that somebody answers at is not. */
function listen(self: Self<AttachListenerMessage>, server: Server, path: string): SocketAddress | undefined {
  let address: SocketAddress;
  try {
    makeFolder(dirname(path), 0o700);
    chmodSync(dirname(path), 0o700);
    address = new SocketAddress(path);
  } catch (error) {
    send(self, { type: 'failed', why: (error as NodeJS.ErrnoException).code ?? (error as Error).message });
    return undefined;
  }
  if (!isSocket(path)) {
    server.listen(address.text);
    return address;
  }
  const probe = connect(address.text);
  probe.on('connect', () => {
    probe.destroy();
    send(self, { type: 'taken' });
  });
  probe.on('error', () => {
    if (!isAlive(self)) return;
    try {
      unlinkSync(path);
    } catch {
      // Listening says what is wrong with it.
    }
    server.listen(address.text);
  });
  return address;
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}
