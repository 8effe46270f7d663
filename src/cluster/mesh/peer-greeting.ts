import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { websocketFrames } from '../../door/frame.ts';
import {
  encodePeerFrame,
  type Hello,
  type PeerFrame,
  parsePeerFrame,
  type Refusal,
} from '../../door/peer/codec.ts';
import { isProved, NONCE_BYTES, prove } from '../../door/peer/proof.ts';
import { type Behaviour, keep, type Next, stop } from '../../otp/behaviour.ts';
import { type DynamicSupervisorMessage, startDynamicChild } from '../../otp/dynamic-supervisor.ts';
import { inform, isAlive, type Pid, type Self, send } from '../../otp/process.ts';
import { type ProcessName, whereis } from '../../otp/registry.ts';
import { sendAfter } from '../../otp/timer.ts';
import { isNews, type Network } from './network.ts';
import { heardOf } from './ordering.ts';
import type { PeerSocket, PeerSocketMessage } from './peer-socket.ts';
import type { ServingLinkArgs, ServingLinkMessage } from './serving-link-state.ts';

/**
 * Finds out who has connected to the network port. A relay that proves to be of the network is handed to the link that
 * serves it; all others are told one word at the most, and gone.
 */
export interface PeerGreetingArgs {
  readonly network: Network;
  readonly socket: PeerSocket;
  readonly request: IncomingMessage;
  readonly head: Buffer;
  readonly links: ProcessName<DynamicSupervisorMessage<ServingLinkArgs, ServingLinkMessage>>;
  /** Called once it is known to be a relay: its time is no longer limited. */
  readonly known: () => void;
}

export type PeerGreetingMessage = PeerSocketMessage | { readonly type: 'late' };

interface State extends PeerGreetingArgs {
  readonly self: Self<PeerGreetingMessage>;
  readonly nonce: Buffer;
  hello: Hello | undefined;
  handedOn: boolean;
}

/** Longer than any handshake. */
const HANDSHAKE_BYTES = 2048;

export const peerGreeting: Behaviour<PeerGreetingArgs, State, PeerGreetingMessage> = {
  name: 'peer-greeting',

  init(self, args) {
    const { network, socket, request, head } = args;
    socket.attach(self);
    if (!socket.accept(network.webSockets, request, head)) return stop({ stop: 'gone' });
    // The listener ends the socket of a stranger in that time. The process must not depend on hearing of it.
    sendAfter(self, network.settings.handshake, { type: 'late' });
    return { ...args, self, nonce: randomBytes(NONCE_BYTES), hello: undefined, handedOn: false };
  },

  handle(state, message): Next<State> {
    if (message.type !== 'frame' || message.payload.length > HANDSHAKE_BYTES) return stop('normal');
    const frame = parsePeerFrame(message.payload);
    if (frame?.type === 'hello' && state.hello === undefined) return greeted(state, frame);
    if (frame?.type === 'proof' && state.hello !== undefined) return proved(state, state.hello, frame.mac);
    return stop('normal');
  },

  terminate({ handedOn, socket }) {
    // What was said last goes out first.
    if (!handedOn) socket.stream.destroySoon();
  },
};

function greeted(state: State, hello: Hello): Next<State> {
  const { network, socket, nonce } = state;
  const { settings, addresses } = network;
  // Views of a read buffer: copied, because they are kept.
  state.hello = { ...hello, nonce: Buffer.from(hello.nonce) };
  if (hello.nonce.length !== NONCE_BYTES || hello.relay.node === '') return stop('normal');
  const address = plain(socket.stream.remoteAddress);
  if (settings.secret === null && settings.tls === null && !addresses.has(address)) {
    return refuse(state, 'address', `${address} is not among the relays`);
  }
  tell(state, { type: 'challenge', relay: network.self, nonce });
  return keep;
}

function proved(state: State, hello: Hello, mac: Buffer): Next<State> {
  const { network, nonce } = state;
  const secret = network.settings.secret?.reveal() ?? null;
  const { relay } = hello;
  const handshake = {
    dialling: relay,
    dialled: network.self,
    diallingNonce: hello.nonce,
    dialledNonce: nonce,
  };
  if (!isProved(mac, secret, 'dialling', handshake))
    return refuse(state, 'proof', 'the secrets of the network differ');
  if (relay.incarnation === network.self.incarnation) return refuse(state, 'self', 'this is the same relay');
  if (relay.node === network.self.node) {
    return refuse(state, 'name-taken', `${relay.node} is the name of the relay that was dialled`);
  }
  const known = network.serving.get(relay.node);
  if (known !== undefined && known.incarnation !== relay.incarnation && isAlive(known.pid)) {
    if (known.live) return refuse(state, 'name-taken', `another relay of the name ${relay.node} is linked`);
    inform(known.pid, { type: 'replaced' });
    network.serving.delete(relay.node);
  }
  heardOf(network, hello.epoch);
  handOn(state, hello, prove(secret, 'dialled', handshake));
  return stop('normal');
}

function handOn(state: State, hello: Hello, mac: Buffer): void {
  const { network, self, socket, links, known } = state;
  const give = (link: Pid<ServingLinkMessage>) => send(link, { type: 'take', socket, hello, mac });
  const serving = network.serving.get(hello.relay.node);
  const supervisor = whereis(self.system, links);
  if (serving !== undefined && isAlive(serving.pid)) {
    state.handedOn = give(serving.pid);
  } else if (supervisor !== undefined) {
    state.handedOn = startDynamicChild(supervisor, { network, hello }, (result) => {
      if (!result.ok || !give(result.pid)) socket.stream.destroy();
    });
  }
  if (!state.handedOn) return;
  known();
  const address = socket.stream.remoteAddress;
  network.said.delete(refusal(address, hello.relay.node));
  network.said.delete(`versions ${address}`);
  for (const link of network.dialling.values()) inform(link, { type: 'seen', node: hello.relay.node });
}

function refuse(state: State, why: Refusal, text: string): Next<State> {
  const { network, hello, socket } = state;
  const address = socket.stream.remoteAddress;
  const peer = hello?.relay.node;
  if (why !== 'self' && isNews(network, refusal(address, peer), text))
    network.log.warn('relay refused', { peer, address, why: text });
  tell(state, { type: 'refuse', why, text });
  return stop('normal');
}

/** What is said of refusals: of each name at each address once. */
function refusal(address: string | undefined, peer: string | undefined): string {
  return `refused ${address} ${peer}`;
}

function tell({ socket }: State, frame: PeerFrame): void {
  socket.stream.write(websocketFrames([{ opcode: 2, payload: encodePeerFrame(frame) }]));
}

/** An IPv4 address that came over IPv6 as itself. */
function plain(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
