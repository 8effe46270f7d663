import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { encodePeerFrame, type PeerFrame, type Relay } from '../../door/peer/codec.ts';
import { isProved, NONCE_BYTES, prove } from '../../door/peer/proof.ts';
import { offer, VERSIONS } from '../../door/peer/versions.ts';
import { send } from '../../otp/process.ts';
import { sendNamed } from '../../otp/registry.ts';
import { now, sendAfter } from '../../otp/timer.ts';
import { type Dialled, isNews } from './network.ts';
import { heardOf, newEpoch } from './ordering.ts';
import type { State } from './peer-link-state.ts';

/** How a link is made, proved, watched, and made again. */

export const RETRY_FIRST = 500;

const RETRY_MOST = 4000;

/** When an address turned out to be this relay itself or one that is linked already: how long until it is tried again. */
const RETRY_NEEDLESS = 10_000;

/** Together with the longest wait this is less than the 5 s within which a link is to be back. */
const UPGRADE_TIMEOUT = 1800;

const ANSWER_TIMEOUT = 5000;

const REASON_LENGTH = 200;

/** Beside one message: what a turn of a topic may have gathered before it. */
const FRAME_BYTES = 2 * 1024 * 1024;

export function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function newDialled(): Dialled {
  return { node: null, state: 'connecting', why: null, links: 0, roundTrip: null };
}

/** The answer stands behind what the other side has written before: it is as late as a message would be. */
export function answered(state: State): void {
  if (state.pingedAt === null) return;
  state.dialled.roundTrip = now(state.self) - state.pingedAt;
  state.pingedAt = null;
}

export function dial(state: State): void {
  const { network, self } = state;
  if (state.socket !== undefined) return;
  const { tls, message } = network.settings;
  const socket = new WebSocket(`${tls === null ? 'ws' : 'wss'}://${addressOf(state)}/`, offer(VERSIONS), {
    perMessageDeflate: false,
    handshakeTimeout: UPGRADE_TIMEOUT,
    maxPayload: message === 0 ? 0 : message + FRAME_BYTES,
    // Who is at the other end is proved by its certificate of the network's own authority, whatever its name.
    ...(tls === null ? {} : { ...tls.reveal(), checkServerIdentity: anyName }),
  });
  socket.on('message', (payload: Buffer) => send(self, { type: 'frame', socket, payload }));
  let why = 'connection lost';
  let isRefused = false;
  socket.on('unexpected-response', (_request, response) => {
    isRefused = true;
    why = `refused: ${response.statusMessage}`;
    // Who speaks other versions says so.
    response.on('data', (text: Buffer) => {
      why = text.toString().trim().slice(0, REASON_LENGTH);
    });
    response.on('end', () => socket.terminate());
  });
  socket.on('error', (error) => {
    // Of a refusal, the error only says that the connection was ended.
    if (!isRefused) why = error.message;
  });
  socket.on('pong', () => send(self, { type: 'answered', socket }));
  socket.on('close', () => send(self, { type: 'closed', socket, why }));
  state.socket = socket;
  state.spareOf = undefined;
  state.phase = 'dialling';
  state.nonce = randomBytes(NONCE_BYTES);
  const { stats } = state;
  const hello = encodePeerFrame({
    type: 'hello',
    relay: network.self,
    nonce: state.nonce,
    of: stats?.incarnation ?? '',
    last: stats?.last ?? 0,
    received: stats?.received ?? 0,
    epoch: network.order.highest,
  });
  socket.on('open', () => socket.send(hello));
  state.timer = sendAfter(self, ANSWER_TIMEOUT, { type: 'answer-late' });
}

/** There is no need to wait any longer. */
export function seen(state: State): void {
  if (state.phase !== 'waiting' && state.phase !== 'dialling') return;
  disconnect(state, 'dialled anew');
  state.timer?.cancel();
  state.retry = RETRY_FIRST;
  dial(state);
}

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

export function welcomed(state: State, mac: Buffer, next: number, epoch: number): boolean {
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
  const before = state.stats?.incarnation === peer.incarnation ? state.stats : undefined;
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
          unheard: 0,
          linked: true,
        };
  stats.last = next - 1;
  stats.linked = true;
  state.stats = stats;
  state.phase = 'linked';
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
  network.log.note('linked', {
    peer: peer.node,
    address: addressOf(state),
    missed: stats.last - stats.received - lostBefore,
    lost: stats.last - stats.received,
  });
  sendNamed(self.system, network.interest, { type: 'attach', link: self });
  sendNamed(self.system, network.ownership, { type: 'attach', link: self, node: peer.node });
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

/** Tells what has come, and looks whether anything has. */
export function tick(state: State): void {
  const { network, self, stats } = state;
  const { heartbeat, timeout } = network.settings;
  if (stats === undefined) return;
  const { bytesRead } = socketOf(state) ?? { bytesRead: 0 };
  // While we do not read, nothing can be heard.
  if (bytesRead !== state.bytesRead || state.paused) state.heardAt = now(self);
  state.bytesRead = bytesRead;
  if (now(self) - state.heardAt >= timeout) {
    hangUp(state, 'silent');
    return;
  }
  tell(state, { type: 'heartbeat', last: stats.last, received: stats.received });
  if (state.pingedAt === null && state.socket?.readyState === WebSocket.OPEN) {
    state.pingedAt = now(self);
    state.socket.ping();
  }
  state.timer?.cancel();
  state.timer = sendAfter(self, heartbeat, { type: 'tick' });
}

/** The type of ws is not that of Node, which it calls: no error is a name that will do. */
const anyName = (() => undefined) as unknown as () => boolean;

function socketOf({ socket }: State): { readonly bytesRead: number } | undefined {
  return (socket as (WebSocket & { readonly _socket?: { readonly bytesRead: number } }) | undefined)?._socket;
}

export function tell({ socket }: State, frame: PeerFrame): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(encodePeerFrame(frame));
}

/** There is no use in this link as long as things are as they are. */
function needless(state: State, text: string): void {
  const { network } = state;
  if (isNews(network, `needless ${addressOf(state)}`, text))
    network.log.note('link not needed', { why: text });
  hangUp(state, text, RETRY_NEEDLESS);
  state.dialled.state = 'needless';
}

/** Ends the connection, if there is one, and dials again later. */
export function hangUp(state: State, why: string, delay?: number): void {
  const { network, self } = state;
  if (state.phase !== 'linked' && delay === undefined && isNews(network, addressOf(state), why))
    network.log.warn('not linked', { address: addressOf(state), why });
  disconnect(state, why);
  state.dialled.state = 'connecting';
  state.dialled.why = why;
  // Relays that lost each other at once do not come back at once.
  const wait = delay ?? state.retry * (0.5 + Math.random() / 2);
  if (delay === undefined) state.retry = Math.min(state.retry * 2, RETRY_MOST);
  state.timer?.cancel();
  state.timer = sendAfter(self, wait, { type: 'dial' });
}

export function disconnect(state: State, why: string): void {
  const { network, self, socket, peer } = state;
  if (state.phase === 'linked') {
    const fields = { peer: peer?.node, address: addressOf(state), why };
    if (why === 'ended') network.log.note('unlinked', fields);
    else network.log.warn('unlinked', fields);
    sendNamed(self.system, network.interest, { type: 'detach', link: self });
    sendNamed(self.system, network.ownership, { type: 'detach', link: self });
    if (peer !== undefined && network.linked.get(peer.incarnation) === self)
      network.linked.delete(peer.incarnation);
    if (peer !== undefined && network.nodes.get(peer.node) === self) network.nodes.delete(peer.node);
    newEpoch(network);
    if (state.stats !== undefined) state.stats.linked = false;
    if (peer !== undefined)
      for (const link of network.dialling.values())
        send(link, { type: 'needed', incarnation: peer.incarnation });
  }
  state.phase = 'waiting';
  state.socket = undefined;
  state.pingedAt = null;
  state.dialled.roundTrip = null;
  state.paused = false;
  state.bytesRead = 0;
  socket?.terminate();
}
