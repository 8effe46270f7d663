import { createServer, type Socket } from 'node:net';
import type { DoorCounters } from '../connection/door-context.ts';
import { ignoreError } from '../connection/transport/transport.ts';
import { look, type MovingRate, metricsText, still, TICK } from '../door/pinghub/metrics.ts';
import { lingeringEnd } from '../http/last-answer.ts';
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
  readonly readers: Set<Socket>;
}

/** Readers that have their answer: each is gone after a moment, and the oldest one when there are more. */
const MOST_READERS = 64;
/** How long a reader may stay, in milliseconds, and what it may send meanwhile, which is not read. */
const STAY = { time: 5000, silence: 5000, bytes: 64 * 1024 };

export const metricsListener: Behaviour<MetricsListenerArgs, State, MetricsListenerMessage> = {
  name: 'metrics-listener',
  trapExit: true,

  init(self, args) {
    const server = createServer();
    // As many again may wait for the process.
    server.maxConnections = 2 * MOST_READERS;
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
      readers: new Set(),
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

function answer({ counters, channels, rates, readers }: State, socket: Socket): void {
  if (socket.destroyed) return;
  const [oldest] = readers;
  if (readers.size >= MOST_READERS && oldest !== undefined) {
    readers.delete(oldest);
    oldest.destroy();
  }
  readers.add(socket);
  socket.once('close', () => readers.delete(socket));
  const text = metricsText({
    channels: channels(),
    websockets: counters.connections,
    drops5m: rates.drops.rate,
    postmsgs5m: rates.posts.rate,
    sends5m: rates.sends.rate,
    websocketmsgs5m: rates.messages.rate,
  });
  lingeringEnd(socket, text, STAY);
}
