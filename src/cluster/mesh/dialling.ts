import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { encodePeerFrame, type PeerFrame } from '../../door/peer/codec.ts';
import { NONCE_BYTES } from '../../door/peer/proof.ts';
import { offer, VERSIONS } from '../../door/peer/versions.ts';
import { inform } from '../../otp/process.ts';
import { informNamed } from '../../otp/registry.ts';
import { now, sendAfter } from '../../otp/timer.ts';
import { forgetIfLongGone, parted } from './forwarding.ts';
import { type Dialled, isNews } from './network.ts';
import { newEpoch } from './ordering.ts';
import type { State } from './peer-link-state.ts';

/** How a link is made, watched, and made again. */

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
  socket.on('message', (payload: Buffer) => inform(self, { type: 'frame', socket, payload }));
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
  socket.on('pong', () => inform(self, { type: 'answered', socket }));
  socket.on('close', () => inform(self, { type: 'closed', socket, why }));
  state.socket = socket;
  state.spareOf = undefined;
  state.phase = 'dialling';
  state.nonce = randomBytes(NONCE_BYTES);
  // Those of a link before this one, at this address.
  const stats = state.dialled.node === null ? undefined : network.taking.get(state.dialled.node);
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
export function needless(state: State, text: string): void {
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
  forgetIfLongGone(state);
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
    const unconfirmed = peer === undefined ? 0 : parted(state, peer.node);
    const fields = {
      peer: peer?.node,
      address: addressOf(state),
      why,
      ...(unconfirmed > 0 ? { unconfirmed } : {}),
    };
    if (why === 'ended') network.log.note('unlinked', fields);
    else network.log.warn('unlinked', fields);
    informNamed(self.system, network.interest, { type: 'detach', link: self });
    informNamed(self.system, network.ownership, { type: 'detach', link: self });
    if (peer !== undefined && network.linked.get(peer.incarnation) === self)
      network.linked.delete(peer.incarnation);
    if (peer !== undefined && network.nodes.get(peer.node) === self) network.nodes.delete(peer.node);
    newEpoch(network);
    if (state.stats !== undefined) state.stats.linked = false;
    if (peer !== undefined)
      for (const link of network.dialling.values())
        inform(link, { type: 'needed', incarnation: peer.incarnation });
  }
  state.phase = 'waiting';
  state.socket = undefined;
  state.pingedAt = null;
  state.dialled.roundTrip = null;
  state.paused = false;
  state.bytesRead = 0;
  socket?.terminate();
}
