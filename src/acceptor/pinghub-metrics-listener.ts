import { createServer, type Socket } from 'node:net';
import type { DoorCounters } from '../connection/door-context.ts';
import { ignoreError } from '../connection/transport/transport.ts';
import { look, type MovingRate, metricsText, still, TICK } from '../door/pinghub/metrics.ts';
import { describeFailure, openPort, type Place, type Port, type PortMessage } from '../http/port.ts';
import { type Behaviour, type Exit, keep, type Next, starting, stop } from '../otp/behaviour.ts';
import { type Self, send, started } from '../otp/process.ts';
import { sendAfter } from '../otp/timer.ts';

/** The pinghub door's plain-text metrics: a client that connects reads some lines, and then the end. */
export interface MetricsListenerArgs extends Port {
  readonly counters: DoorCounters;
  /** Live topics that the door's clients are in. */
  readonly channels: () => number;
  readonly log: { listening(door: string, at: Place): void };
}

export type MetricsListenerMessage =
  | Exit
  | PortMessage
  | { readonly type: 'tick' }
  | { readonly type: 'connection'; readonly socket: Socket };

type Meter = 'drops' | 'posts' | 'sends' | 'messages';

interface State extends MetricsListenerArgs {
  readonly self: Self<MetricsListenerMessage>;
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
    server.on('connection', (socket) => {
      socket.on('error', ignoreError);
      if (!send(self, { type: 'connection', socket })) socket.destroy();
    });
    openPort(self, server, args);
    sendAfter(self, TICK * 1000, { type: 'tick' });
    return starting({
      ...args,
      self,
      rates: { drops: still, posts: still, sends: still, messages: still },
    });
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'listening':
        state.log.listening('pinghub-metrics', message.at);
        started(state.self);
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

  undelivered(message) {
    if (message.type === 'connection') message.socket.destroy();
  },
};

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
