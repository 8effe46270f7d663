import { createServer, type Server, type Socket } from 'node:net';
import type { DoorCounters } from '../connection/door-context.ts';
import { ignoreError } from '../connection/transport/transport.ts';
import { metricsText } from '../door/pinghub/metrics-text.ts';
import { describeFailure, isAcceptFailure } from '../http/listen-failure.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../otp/behaviour.ts';
import { watch } from '../otp/monitor.ts';
import { type Self, send, started } from '../otp/process.ts';
import { sendAfter } from '../otp/timer.ts';
import type { ListenerLog } from './listener.ts';
import { look, type MovingRate, still, TICK } from './moving-rate.ts';

/** The pinghub door's plain-text metrics: whoever connects reads some lines, and then the end. */
export interface MetricsListenerArgs {
  readonly host: string;
  readonly port: number;
  readonly counters: DoorCounters;
  /** Live topics that the door's clients are in. */
  readonly channels: () => number;
  readonly log: Pick<ListenerLog, 'listening'>;
}

export type MetricsListenerMessage =
  | Exit
  | { readonly type: 'listening' | 'tick' }
  | { readonly type: 'failed'; readonly error: Error }
  | { readonly type: 'connection'; readonly socket: Socket };

type Meter = 'drops' | 'posts' | 'sends' | 'messages';

interface State extends MetricsListenerArgs {
  readonly self: Self<MetricsListenerMessage>;
  readonly server: Server;
  readonly rates: Record<Meter, MovingRate>;
}

/** Readers at one time: each is gone after a moment. */
const MAX_CONNECTIONS = 64;
const READ_TIMEOUT = 5000;

export const metricsListener: Behaviour<MetricsListenerArgs, State, MetricsListenerMessage> = {
  name: 'metrics-listener',
  trapExit: true,

  init(self, args) {
    const server = createServer();
    server.maxConnections = MAX_CONNECTIONS;
    server.on('listening', () => send(self, { type: 'listening' }));
    server.on('error', (error) => {
      if (!isAcceptFailure(error)) send(self, { type: 'failed', error });
    });
    server.on('connection', (socket) => {
      socket.on('error', ignoreError);
      if (!send(self, { type: 'connection', socket })) socket.destroy();
    });
    server.listen(args.port, args.host);
    // A port ends with its owner, also when that is killed: its successor is to have it.
    watch(self, () => server.close());
    sendAfter(self, TICK * 1000, { type: 'tick' });
    return starting({
      ...args,
      self,
      server,
      rates: { drops: still, posts: still, sends: still, messages: still },
    });
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'listening':
        listening(state);
        return keep;
      case 'connection':
        answer(state, message.socket);
        return keep;
      case 'tick':
        sendAfter(state.self, TICK * 1000, { type: 'tick' });
        for (const meter of ['drops', 'posts', 'sends', 'messages'] as const) {
          state.rates[meter] = look(state.rates[meter], state.counters[meter]);
        }
        return keep;
      case 'failed':
        return stop({ stop: describeFailure(message.error, state) });
      case 'exit':
        return stop(message.reason);
    }
  },

  terminate({ server }) {
    server.close();
  },

  undelivered(message) {
    if (message.type === 'connection') message.socket.destroy();
  },
};

function listening({ self, server, log }: State): void {
  const address = server.address();
  if (typeof address === 'object' && address !== null) {
    log.listening('pinghub-metrics', { host: address.address, port: address.port });
  }
  started(self);
}

function answer({ counters, channels, rates }: State, socket: Socket): void {
  socket.setTimeout(READ_TIMEOUT, () => socket.destroy());
  // What a client sends is not read, but its end has to be seen.
  socket.resume();
  socket.end(
    metricsText({
      channels: channels(),
      websockets: counters.connections,
      drops5m: rates.drops.rate,
      postmsgs5m: rates.posts.rate,
      sends5m: rates.sends.rate,
      websocketmsgs5m: rates.messages.rate,
    }),
  );
}
