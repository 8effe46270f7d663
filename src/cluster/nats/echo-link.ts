import type { NatsConnection } from '@nats-io/transport-node';
import type { TopicKey } from '../../door/peer/codec.ts';
import { type Behaviour, type Exit, keep, type Next, stop } from '../../otp/behaviour.ts';
import { inform, type Self, send } from '../../otp/process.ts';
import { now, sendAfter } from '../../otp/timer.ts';
import type { Message } from '../../topic/message.ts';
import { PROBE_REALM } from '../../topic/topic-router.ts';
import type { LinkMessage } from '../backplane.ts';
import { dialAny } from './dial.ts';
import { headersOf } from './intake.ts';
import type { NatsNetwork } from './network.ts';
import { subjects } from './subject.ts';

/**
 * Sends back what the link publishes to prove that messages flow: a server of NATS never hands a connection its own
 * messages, so this one has a connection of its own, while it is asked.
 */
export interface EchoArgs {
  readonly network: NatsNetwork;
  /** As `host:port`. */
  readonly servers: () => readonly string[];
  /** Hands a message over to the link. */
  readonly publish: (topic: TopicKey, message: Message) => void;
}

export type EchoMessage =
  | Exit
  | { readonly type: 'probe'; readonly message: Message }
  | { readonly type: 'opened'; readonly connection: NatsConnection }
  | { readonly type: 'subscribed' | 'closed'; readonly connection: NatsConnection }
  | { readonly type: 'failed' | 'look' };

interface State extends EchoArgs {
  readonly self: Self<EchoMessage>;
  connection: NatsConnection | undefined;
  phase: 'closed' | 'opening' | 'open';
  /** What is to be published once this is open. */
  waiting: Message[];
  askedAt: number;
}

/** Milliseconds that the connection outlives the last question. */
const LINGER = 60_000;

/** Where probes go out, and where they come back. */
export function probeTopics({ self }: NatsNetwork): { readonly out: TopicKey; readonly back: TopicKey } {
  return {
    out: { realm: PROBE_REALM, name: `out ${self.incarnation}` },
    back: { realm: PROBE_REALM, name: `back ${self.incarnation}` },
  };
}

/** Of all that this relay wants, its own probes are a part. */
export function withProbes(
  network: NatsNetwork,
  message: Extract<LinkMessage, { readonly type: 'interest' }>,
): typeof message {
  return message.all ? { ...message, add: [...message.add, probeTopics(network).back] } : message;
}

export const echoLink: Behaviour<EchoArgs, State, EchoMessage> = {
  name: 'nats-echo',
  trapExit: true,

  init: (self, args) => ({
    ...args,
    self,
    connection: undefined,
    phase: 'closed',
    waiting: [],
    askedAt: 0,
  }),

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'probe':
        state.askedAt = now(state.self);
        state.waiting.push(message.message);
        if (state.phase === 'closed') open(state);
        if (state.phase === 'open') release(state);
        return keep;
      case 'opened':
        opened(state, message.connection);
        return keep;
      case 'subscribed':
        if (message.connection === state.connection) {
          state.phase = 'open';
          release(state);
        }
        return keep;
      case 'closed':
        if (message.connection === state.connection) close(state);
        return keep;
      case 'failed':
        close(state);
        return keep;
      case 'look':
        look(state);
        return keep;
      case 'exit':
        return stop('shutdown');
    }
  },

  terminate: close,
  salvage: close,

  undelivered(message) {
    if (message.type === 'opened') void message.connection.close();
  },
};

function open(state: State): void {
  const { self, network, servers } = state;
  state.phase = 'opening';
  dialAny(network.settings, servers()).then(
    (connection) => {
      if (!send(self, { type: 'opened', connection })) void connection.close();
    },
    () => inform(self, { type: 'failed' }),
  );
}

function opened(state: State, connection: NatsConnection): void {
  const { self, network } = state;
  const { topic } = subjects(network.settings.prefix);
  const { out, back } = probeTopics(network);
  const headers = headersOf({ ...network.self, incarnation: `${network.self.incarnation}-echo` });
  connection.subscribe(topic(out), {
    callback: (error, { data }) => {
      if (error === null && !connection.isClosed()) connection.publish(topic(back), data, { headers });
    },
  });
  void connection.closed().then(() => inform(self, { type: 'closed', connection }));
  state.connection = connection;
  connection.flush().then(
    () => inform(self, { type: 'subscribed', connection }),
    () => undefined,
  );
  sendAfter(self, LINGER, { type: 'look' });
}

function release({ waiting, publish, network }: State): void {
  for (const message of waiting.splice(0)) publish(probeTopics(network).out, message);
}

/** Ends the connection when nobody has asked for a while. */
function look(state: State): void {
  const { self, connection, askedAt } = state;
  if (connection === undefined) return;
  const left = LINGER - (now(self) - askedAt);
  if (left <= 0) close(state);
  else sendAfter(self, left, { type: 'look' });
}

function close(state: State): void {
  const { connection } = state;
  state.connection = undefined;
  state.phase = 'closed';
  state.waiting = [];
  void connection?.close();
}
