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
 * messages, so this one has a connection of its own, while it is asked. It is given up for a new one when nothing comes
 * over it for the time after which a server counts as dead: nobody else looks whether that server is there, and whether
 * it is still one of the link's network.
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
  | { readonly type: 'opened'; readonly attempt: number; readonly connection: NatsConnection }
  | { readonly type: 'failed'; readonly attempt: number }
  | { readonly type: 'subscribed' | 'came' | 'look' | 'closed'; readonly connection: NatsConnection }
  /** The list of servers has changed. */
  | { readonly type: 'reload' };

interface State extends EchoArgs {
  readonly self: Self<EchoMessage>;
  connection: NatsConnection | undefined;
  phase: 'closed' | 'opening' | 'open';
  /** Of the attempts to connect, this one: what an earlier one still brings is not wanted any more. */
  attempt: number;
  /** Since when the subscription is to be confirmed, or a probe is to come; null: nothing is owed. */
  owedSince: number | null;
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
    attempt: 0,
    owedSince: null,
    waiting: [],
    askedAt: 0,
  }),

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'probe':
        state.askedAt = now(state.self);
        if (isSilent(state)) close(state);
        state.waiting.push(message.message);
        if (state.phase === 'closed') open(state);
        if (state.phase === 'open') release(state);
        return keep;
      case 'opened':
        if (message.attempt === state.attempt) opened(state, message.connection);
        else void message.connection.close();
        return keep;
      case 'subscribed':
        if (message.connection === state.connection) {
          state.phase = 'open';
          state.owedSince = null;
          release(state);
        }
        return keep;
      case 'came':
        if (message.connection === state.connection) state.owedSince = null;
        return keep;
      case 'closed':
        if (message.connection === state.connection) close(state);
        return keep;
      case 'failed':
        if (message.attempt === state.attempt) close(state);
        return keep;
      case 'reload':
        close(state);
        return keep;
      case 'look':
        if (message.connection === state.connection) look(state, message.connection);
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
  const { attempt } = state;
  dialAny(network.settings, servers()).then(
    (connection) => {
      if (!send(self, { type: 'opened', attempt, connection })) void connection.close();
    },
    () => inform(self, { type: 'failed', attempt }),
  );
}

function opened(state: State, connection: NatsConnection): void {
  const { self, network } = state;
  const { topic } = subjects(network.settings.prefix);
  const { out, back } = probeTopics(network);
  const headers = headersOf({ ...network.self, incarnation: `${network.self.incarnation}-echo` });
  connection.subscribe(topic(out), {
    callback: (error, { data }) => {
      if (error !== null || connection.isClosed()) return;
      connection.publish(topic(back), data, { headers });
      inform(self, { type: 'came', connection });
    },
  });
  void connection.closed().then(() => inform(self, { type: 'closed', connection }));
  state.connection = connection;
  state.owedSince = now(self);
  connection.flush().then(
    () => inform(self, { type: 'subscribed', connection }),
    () => undefined,
  );
  sendAfter(self, LINGER, { type: 'look', connection });
}

function release(state: State): void {
  const { self, waiting, publish, network } = state;
  if (waiting.length > 0) state.owedSince ??= now(self);
  for (const message of waiting.splice(0)) publish(probeTopics(network).out, message);
}

function isSilent({ self, network, owedSince }: State): boolean {
  return owedSince !== null && now(self) - owedSince >= network.settings.timeout;
}

/** Ends the connection when nobody has asked for a while. */
function look(state: State, connection: NatsConnection): void {
  const { self, askedAt } = state;
  const left = LINGER - (now(self) - askedAt);
  if (left <= 0) close(state);
  else sendAfter(self, left, { type: 'look', connection });
}

/** The next question opens it again. */
function close(state: State): void {
  const { connection } = state;
  state.connection = undefined;
  state.phase = 'closed';
  state.attempt++;
  state.owedSince = null;
  state.waiting = [];
  void connection?.close();
}
