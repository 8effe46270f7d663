import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Hello, Refusal, Relay, Version } from '../../door/peer/codec.ts';
import { DialledSession } from '../../door/peer/dialled-session.ts';
import { NONCE_BYTES } from '../../door/peer/session.ts';
import { type Behaviour, keep, type Next, stop } from '../../otp/behaviour.ts';
import { inform, type Pid, type Self, send } from '../../otp/process.ts';
import { sendAfter } from '../../otp/timer.ts';
import type { Network } from './network.ts';
import type { OutboundRequest } from './outbound-links.ts';
import type { PeerSocket, PeerSocketMessage } from './peer-socket.ts';

/**
 * Finds out what has connected to the network port. A relay that proves to be of the network is handed to the link that
 * serves it; all others are told one word at the most, and gone.
 */
export interface PeerGreetingArgs extends Caller {
  readonly network: Network;
  /** Starts the link that serves a relay, and gives it, or null when it has not begun. False: none can be started now. */
  readonly serve: (
    peer: Relay,
    version: Version,
    started: (link: Pid<OutboundRequest> | null) => void,
  ) => boolean;
  /** Called for a relay that is not linked in the other direction: it may be at an address that is not known yet. */
  readonly unlinked: (host: string) => void;
}

/** A connection whose upgrade has been judged. */
export interface Caller {
  readonly socket: PeerSocket;
  readonly request: IncomingMessage;
  readonly head: Buffer;
  /** Called once it is known to be a relay: its time is no longer limited. */
  readonly known: () => void;
}

export type PeerGreetingMessage = PeerSocketMessage | { readonly type: 'late' };

interface State extends PeerGreetingArgs {
  readonly self: Self<PeerGreetingMessage>;
  readonly session: DialledSession;
  handedOn: boolean;
}

export const peerGreeting: Behaviour<PeerGreetingArgs, State, PeerGreetingMessage> = {
  name: 'peer-greeting',

  init(self, args) {
    const { network, socket, request, head } = args;
    socket.attach(self);
    if (!socket.accept(network.webSockets, request, head)) {
      // Links that flap end connections before their greeting begins. No event of ws will tell.
      socket.stream.destroy();
      inform(self, { type: 'closed', socket, why: 'connection lost' });
    }
    // The listener ends the socket of a stranger in that time. The process must not depend on hearing of it.
    sendAfter(self, network.settings.handshake, { type: 'late' });
    const session = new DialledSession({
      self: network.self,
      nonce: randomBytes(NONCE_BYTES),
      key: network.key,
      stranger: stranger(network, plain(socket.stream.remoteAddress)),
      timeout: network.settings.timeout,
      version: socket.version,
    });
    return { ...args, self, session, handedOn: false };
  },

  handle(state, message): Next<State> {
    if (message.type !== 'frame') return stop('normal');
    const greeting = state.session.greeted(message.payload);
    switch (greeting.type) {
      case 'say':
        state.socket.say(greeting.frame);
        return keep;
      case 'refuse':
        return refuse(state, greeting.why, greeting.text);
      case 'proved':
        return proved(state, greeting.hello);
      case 'hang-up':
        return stop('normal');
    }
  },

  terminate({ handedOn, socket }) {
    // What was said last goes out first.
    if (!handedOn) socket.stream.destroySoon();
  },
};

/** Why that address is not let in; null: it is. */
function stranger({ settings, inbound }: Network, address: string): string | null {
  const isOpen = settings.secret === null && settings.tls === null;
  return isOpen && !inbound.isListed(address) ? `${address} is not among the relays` : null;
}

function proved(state: State, { relay, epoch }: Hello): Next<State> {
  const { network, socket, session, serve, known, unlinked } = state;
  const { node } = relay;
  if (!network.outbound.claim(relay))
    return refuse(state, 'name-taken', `another relay of the name ${node} is linked`);
  network.epochs.heard(epoch);
  const give = (link: Pid<OutboundRequest>) => send(link, { type: 'take', connection: { socket, session } });
  const link = network.outbound.to(node);
  const giveNew = (started: Pid<OutboundRequest> | null) => {
    if (started === null || !give(started)) socket.stream.destroy();
  };
  state.handedOn = link === undefined ? serve(relay, socket.version, giveNew) : give(link);
  if (!state.handedOn) return stop('normal');
  known();
  const address = socket.stream.remoteAddress;
  network.news.forget(refusal(address, node));
  network.news.forget(`versions ${address}`);
  network.inbound.seen(node);
  if (!network.inbound.has(node)) unlinked(plain(address));
  return stop('normal');
}

function refuse(state: State, why: Refusal, text: string): Next<State> {
  const { network, session, socket } = state;
  const address = socket.stream.remoteAddress;
  const { peer } = session;
  if (why !== 'self' && network.news.is(refusal(address, peer), text))
    network.log.warn('relay refused', { peer, address, why: text });
  socket.say({ type: 'refuse', why, text });
  return stop('normal');
}

/** What is said of refusals: of each name at each address once. */
function refusal(address: string | undefined, peer: string | undefined): string {
  return `refused ${address} ${peer}`;
}

/** An IPv4 address that came over IPv6 as itself. */
function plain(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
