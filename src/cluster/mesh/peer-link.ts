import { parseMessages } from '../../door/peer/batch.ts';
import { MESSAGES, type PeerFrame, parsePeerFrame } from '../../door/peer/codec.ts';
import { type Behaviour, keep, type Next, stop } from '../../otp/behaviour.ts';
import { inform } from '../../otp/process.ts';
import { Delivery } from '../../topic/delivery.ts';
import { reportAnswer } from './answers.ts';
import { claimsFrames, interestFrames } from './chunks.ts';
import {
  addressOf,
  answered,
  dial,
  disconnect,
  hangUp,
  newDialled,
  RETRY_FIRST,
  seen,
  tell,
  tick,
} from './dialling.ts';
import { confirmed, pass, settleForwarded, unreachable } from './forwarding.ts';
import { challenged, refused, welcomed } from './introducing.ts';
import type { Network } from './network.ts';
import { heardOf } from './ordering.ts';
import type { PeerLinkArgs, PeerLinkMessage, State } from './peer-link-state.ts';
import { withProbes } from './probe.ts';
import { giveBack, messages } from './taking.ts';

/**
 * The link to one other relay: dials it, proves to be of the network, says which topics have members here, and
 * publishes here what comes. It dials again for as long as it lives, a little later each time.
 *
 * What happens on a socket comes as a message that names the socket: what an earlier one still says is nothing to us.
 */
const linkBehaviour: Behaviour<PeerLinkArgs, State, PeerLinkMessage> = {
  name: 'peer-link',
  trapExit: true,

  init(self, args) {
    const address = addressOf(args);
    // One that was killed has had its links, too, and could not say that they are gone.
    const dialled = args.network.dialled.get(address) ?? newDialled();
    dialled.state = 'connecting';
    args.network.dialled.set(address, dialled);
    args.network.dialling.set(address, self);
    inform(self, { type: 'dial' });
    return {
      ...args,
      self,
      socket: undefined,
      phase: 'waiting',
      nonce: Buffer.alloc(0),
      peer: undefined,
      theirNonce: Buffer.alloc(0),
      stats: undefined,
      dialled,
      pingedAt: null,
      retry: RETRY_FIRST,
      spareOf: undefined,
      timer: undefined,
      via: { node: '', epoch: 0 },
      credit: 0,
      paused: false,
      bytesRead: 0,
      heardAt: 0,
    };
  },

  handle(state, message): Next<State> {
    // It is a member of nothing here.
    if (message instanceof Delivery) return keep;
    switch (message.type) {
      case 'frame':
        if (message.socket === state.socket) received(state, message.payload);
        return keep;
      case 'credit':
        giveBack(state, message.bytes);
        return keep;
      case 'interest':
        if (state.phase === 'linked')
          for (const frame of interestFrames(withProbes(state, message))) tell(state, frame);
        return keep;
      case 'claims':
        if (state.phase === 'linked') for (const frame of claimsFrames(message)) tell(state, frame);
        return keep;
      case 'answer':
        if (state.phase === 'linked') tell(state, message.frame);
        return keep;
      case 'answered':
        if (message.socket === state.socket) answered(state);
        return keep;
      case 'dial':
        dial(state);
        return keep;
      case 'forward':
        pass(state, message.bytes, message.count, message.hops);
        return keep;
      case 'needed':
        if (message.incarnation !== state.spareOf) return keep;
        state.timer?.cancel();
        dial(state);
        return keep;
      case 'seen':
        if (message.node === state.peer?.node) seen(state);
        return keep;
      case 'tick':
        if (state.phase === 'linked') tick(state);
        return keep;
      case 'answer-late':
        if (state.phase !== 'linked') hangUp(state, 'no answer in time');
        return keep;
      case 'closed':
        if (message.socket === state.socket) hangUp(state, message.why);
        return keep;
      case 'end':
        leaveList(state);
        return stop('shutdown');
      case 'exit':
        return stop('shutdown');
      default:
        return keep;
    }
  },

  terminate(state, reason) {
    const { network } = state;
    leave(state, 'ended');
    const address = addressOf(state);
    if (reason === 'shutdown' && network.dialling.get(address) === undefined) network.dialled.delete(address);
  },

  salvage(state) {
    leave(state, 'killed');
  },
};

function leave(state: State, why: string): void {
  const { network, self } = state;
  disconnect(state, why);
  const address = addressOf(state);
  if (network.dialling.get(address) === self) network.dialling.delete(address);
}

/** Its address has left the list: the relay there is not waited for, unless it is linked at another one. */
function leaveList(state: State): void {
  const { network, dialled } = state;
  disconnect(state, 'ended');
  if (dialled.node !== null && !network.nodes.has(dialled.node)) settleForwarded(network, dialled.node);
}

/** The behaviour of the links of one network: the messages that one leaves in its mailbox are counted. */
export function peerLink(network: Network): Behaviour<PeerLinkArgs, State, PeerLinkMessage> {
  return {
    ...linkBehaviour,
    undelivered(message) {
      if ('type' in message && message.type === 'forward') unreachable(network, message.count);
    },
  };
}

export function received(state: State, payload: Buffer): void {
  if (state.phase === 'linked' && payload[0] === MESSAGES) {
    const frame = parseMessages(payload);
    if (state.stats !== undefined) state.stats.bytes += payload.length;
    if (frame === null) hangUp(state, 'not a frame of the protocol');
    else messages(state, frame.first, frame.batches);
    return;
  }
  const frame = parsePeerFrame(payload);
  if (frame === null || !take(state, frame)) hangUp(state, 'not a frame of the protocol');
}

/** False: the frame has no place here. */
function take(state: State, frame: PeerFrame): boolean {
  const { network, self } = state;
  switch (frame.type) {
    case 'challenge':
      return state.phase === 'dialling' && challenged(state, frame.relay, frame.nonce);
    case 'welcome':
      return state.phase === 'challenged' && welcomed(state, frame);
    case 'epoch':
      heardOf(network, frame.epoch);
      state.via = { node: state.via.node, epoch: frame.epoch };
      return state.phase === 'linked';
    case 'refuse':
      refused(state, frame.why, frame.text);
      return true;
    case 'heartbeat':
      if (state.stats !== undefined && frame.last > state.stats.last) state.stats.last = frame.last;
      if (state.phase === 'linked') confirmed(state, frame.received);
      return state.phase === 'linked';
    case 'confirm':
    case 'verdict':
      reportAnswer(self.system, network, self, frame);
      return state.phase === 'linked';
    default:
      return false;
  }
}
