import type { PeerFrame, Relay } from '../../door/peer/codec.ts';
import { isProved, NONCE_BYTES, prove } from '../../door/peer/proof.ts';
import { informNamed } from '../../otp/registry.ts';
import { now } from '../../otp/timer.ts';
import { addressOf, hangUp, needless, RETRY_FIRST, tell, tick } from './dialling.ts';
import { linkedAgain, settleForwarded } from './forwarding.ts';
import { heardOf, newEpoch } from './ordering.ts';
import type { State } from './peer-link-state.ts';

/** How the relay at the other end of a link and this one find out who they are, and that they are of one network. */

export function challenged(state: State, peer: Relay, nonce: Buffer): boolean {
  const { network } = state;
  if (peer.incarnation === network.self.incarnation) {
    needless(state, `${addressOf(state)} is this relay itself`);
    return true;
  }
  const other = network.linked.get(peer.incarnation);
  if (other !== undefined && other !== state.self) {
    needless(state, `${addressOf(state)} is another address of ${peer.node}`);
    state.spareOf = peer.incarnation;
    return true;
  }
  if (nonce.length !== NONCE_BYTES) return false;
  state.peer = peer;
  state.theirNonce = nonce;
  state.phase = 'challenged';
  tell(state, {
    type: 'proof',
    mac: prove(network.settings.secret?.reveal() ?? null, 'dialling', handshake(state, peer)),
  });
  return true;
}

export function welcomed(
  state: State,
  { mac, next, epoch, taken }: Extract<PeerFrame, { readonly type: 'welcome' }>,
): boolean {
  const { network, self, peer } = state;
  if (peer === undefined) return false;
  if (!isProved(mac, network.settings.secret?.reveal() ?? null, 'dialled', handshake(state, peer))) {
    hangUp(state, 'it does not know the secret of the network');
    return true;
  }
  // Another address of the same relay may have been faster.
  const other = network.linked.get(peer.incarnation);
  if (other !== undefined && other !== self) {
    needless(state, `${addressOf(state)} is another address of ${peer.node}`);
    state.spareOf = peer.incarnation;
    return true;
  }
  state.timer?.cancel();
  // Whoever held the link before may have been killed, or have had another address of the relay.
  const known = network.taking.get(peer.node);
  const before = known?.incarnation === peer.incarnation ? known : undefined;
  const lostBefore = before === undefined ? 0 : before.last - before.received;
  // A link that was served afresh counts from the beginning.
  const stats =
    before !== undefined && next > before.last
      ? before
      : {
          incarnation: peer.incarnation,
          last: next - 1,
          received: next - 1,
          bytes: 0,
          linked: true,
        };
  stats.last = next - 1;
  stats.linked = true;
  state.stats = stats;
  state.phase = 'linked';
  // Another relay is at this address by now.
  const { node } = state.dialled;
  if (node !== null && node !== peer.node && !network.nodes.has(node)) settleForwarded(network, node);
  state.dialled.node = peer.node;
  state.dialled.state = 'up';
  state.dialled.why = null;
  state.dialled.links++;
  state.retry = RETRY_FIRST;
  state.heardAt = now(self);
  network.linked.set(peer.incarnation, self);
  network.nodes.set(peer.node, self);
  state.via = { node: peer.node, epoch };
  heardOf(network, epoch);
  newEpoch(network);
  network.taking.set(peer.node, stats);
  network.said.delete(addressOf(state));
  network.said.delete(`needless ${addressOf(state)}`);
  const unreachable = linkedAgain(network, peer, taken);
  network.log.note('linked', {
    peer: peer.node,
    address: addressOf(state),
    missed: stats.last - stats.received - lostBefore,
    lost: stats.last - stats.received,
    ...(unreachable > 0 ? { unreachable } : {}),
  });
  informNamed(self.system, network.interest, { type: 'attach', link: self });
  informNamed(self.system, network.ownership, { type: 'attach', link: self, node: peer.node });
  tick(state);
  return true;
}

function handshake(state: State, peer: Relay): Parameters<typeof prove>[2] {
  return {
    dialling: state.network.self,
    dialled: peer,
    diallingNonce: state.nonce,
    dialledNonce: state.theirNonce,
  };
}

export function refused(state: State, why: string, text: string): void {
  if (why === 'self') {
    needless(state, text);
    return;
  }
  hangUp(state, `refused: ${text}`);
}
