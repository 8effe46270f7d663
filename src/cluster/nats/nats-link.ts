import { type Msg, headers as newHeaders } from '@nats-io/transport-node';
import { type Behaviour, keep, type Next, stop } from '../../otp/behaviour.ts';
import { inform } from '../../otp/process.ts';
import { sendAfter } from '../../otp/timer.ts';
import { confirmed } from '../interest-server.ts';
import { Publication } from '../publication.ts';
import type { TopicKey } from '../topic-key.ts';
import { dial, disconnect, hangUp, opened, RETRY_FIRST, reload, tick } from './connecting.ts';
import { askedEnough, HEADER, headerOf, senderOf, takeControl, tellClaims } from './conversation.ts';
import { withProbes } from './echo.ts';
import { arrived, notTaken } from './intake.ts';
import { afterAll, answered, askServer, interest, type Linked } from './linked.ts';
import type { NatsLinkArgs, NatsLinkMessage, State } from './nats-link-state.ts';
import type { NatsNetwork } from './network.ts';
import { handOver } from './outlet.ts';
import { subjects } from './subject.ts';

/** What is left to say at the end may take this long. */
const LAST_WORDS = 1000;

/**
 * The link to the NATS network: connects to one of its servers, and again for as long as it lives, a little later each
 * time; the client's own reconnecting is off. It subscribes to the topics that have members here, publishes what is
 * published here, and takes part in the conversation of the relays.
 *
 * What happens on a connection comes as a message that names the connection: what an earlier one still says is nothing
 * to us, but for the messages of topics that it has brought.
 */
const linkBehaviour: Behaviour<NatsLinkArgs, State, NatsLinkMessage> = {
  name: 'nats-link',
  trapExit: true,

  init(self, { network, servers }) {
    inform(self, { type: 'dial' });
    const headers = newHeaders();
    headers.set(HEADER, headerOf(network.self));
    return {
      network,
      servers,
      self,
      headers,
      subjects: subjects(network.settings.prefix),
      linked: undefined,
      attempt: 0,
      dialling: false,
      ending: false,
      retry: RETRY_FIRST,
      timer: undefined,
      said: '',
      publication: new Publication(network.topics, self),
    };
  },

  handle(state, message): Next<State> {
    const { linked } = state;
    if (!('type' in message)) return keep;
    if (message.type === 'arrived') {
      if (message.topic !== null) take(state, message.topic, message.message);
      else if (message.connection === linked?.connection) heard(state, linked, message.message);
      return keep;
    }
    if ('connection' in message && message.type !== 'opened' && message.connection !== linked?.connection)
      return keep;
    switch (message.type) {
      case 'published':
        handOver(state.network, linked, message);
        return keep;
      case 'credit':
        state.publication.arrived(message.bytes);
        return keep;
      case 'answered':
        if (linked !== undefined) answered(state, linked);
        return keep;
      case 'interest':
        if (linked !== undefined) interest(state, linked, withProbes(state.network, message));
        return keep;
      case 'subscribed':
        confirmed(state.self.system, state.self, message.version);
        return keep;
      case 'claims':
        if (linked !== undefined) tellClaims(linked.talk, message);
        return keep;
      case 'asked-enough':
        if (linked !== undefined) askedEnough(linked.talk, message.ref);
        return keep;
      case 'tick':
        tick(state);
        return keep;
      case 'dial':
        dial(state);
        return keep;
      case 'opened':
        if (message.attempt === state.attempt) opened(state, message.connection);
        else void message.connection.close();
        return keep;
      case 'failed':
        if (message.attempt === state.attempt) hangUp(state, message.why);
        return keep;
      case 'closed':
        hangUp(state, message.why);
        return keep;
      case 'trouble':
        state.network.log.warn('nats trouble', { why: message.why });
        return keep;
      case 'reload':
        reload(state, message.servers);
        return keep;
      case 'exit':
        return lastWords(state);
      case 'end':
        return state.ending ? stop('shutdown') : keep;
      default:
        return keep;
    }
  },

  settle(state) {
    if (state.linked !== undefined) askServer(state, state.linked);
    return keep;
  },

  terminate(state) {
    disconnect(state);
    state.attempt = -1;
  },

  salvage(state) {
    disconnect(state);
  },
};

/** The behaviour of the link: the messages that it leaves in its mailbox are counted. */
export function natsLink(network: NatsNetwork): Behaviour<NatsLinkArgs, State, NatsLinkMessage> {
  const { topics, stats } = network;
  return {
    ...linkBehaviour,
    undelivered(message, reason) {
      if (!('type' in message)) return;
      if (message.type === 'published') {
        const { left } = message;
        stats.unlinked += left;
        topics().accounting.drop(left, reason === 'shutdown' ? 'unlinked' : 'crash');
      } else if (message.type === 'arrived' && message.topic !== null) {
        const from = senderOf(message.message);
        if (from !== null && from.incarnation !== network.self.incarnation)
          notTaken(network, message.message.data, 'crash');
      } else if (message.type === 'opened') {
        void message.connection.close();
      }
    },
  };
}

/** Messages of a topic. */
function take(state: State, topic: TopicKey, message: Msg): void {
  const { network } = state;
  const from = senderOf(message);
  // The server echoes nothing; but a connection that has just been lost may still be dying at another server.
  if (from?.incarnation === network.self.incarnation) return;
  if (from === null) network.stats.foreign++;
  else arrived(state, topic, { from, data: message.data });
}

/** What relays say to each other beside messages. */
function heard({ network }: State, { talk }: Linked, message: Msg): void {
  const from = senderOf(message);
  if (from?.incarnation === network.self.incarnation) return;
  if (from === null || !takeControl(talk, from, message)) network.stats.foreign++;
}

/** What was handed over is still to reach the server. */
function lastWords(state: State): Next<State> {
  const { linked, self } = state;
  if (linked === undefined) return stop('shutdown');
  state.ending = true;
  const { connection } = linked;
  askServer(state, linked);
  afterAll(connection, () => inform(self, { type: 'end' }));
  sendAfter(self, LAST_WORDS, { type: 'end' });
  return keep;
}
