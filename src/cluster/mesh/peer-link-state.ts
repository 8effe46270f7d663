import type { WebSocket } from 'ws';
import type { Answer, Relay } from '../../door/peer/codec.ts';
import type { Exit } from '../../otp/behaviour.ts';
import type { Self } from '../../otp/process.ts';
import type { Timer } from '../../otp/timer.ts';
import type { Sequencer } from '../../topic/elsewhere.ts';
import type { MemberMessage } from '../../topic/topic.ts';
import type { LinkMessage } from '../backplane.ts';
import type { Dialled, Network, TakingStats } from './network.ts';

/** What a peer link starts with. */
export interface PeerLinkArgs {
  readonly network: Network;
  /** An IP address, and a port. */
  readonly host: string;
  readonly port: number;
}

export type PeerLinkMessage =
  | LinkMessage
  | MemberMessage
  | Exit
  | { readonly type: 'frame'; readonly socket: WebSocket; readonly payload: Buffer }
  | { readonly type: 'closed'; readonly socket: WebSocket; readonly why: string }
  | { readonly type: 'answered'; readonly socket: WebSocket }
  | { readonly type: 'dial' | 'tick' | 'answer-late' | 'end' }
  /** The link to that relay has ended: another address of it may be needed after all. */
  | { readonly type: 'needed'; readonly incarnation: string }
  /** For the relay at the other end to give an order. */
  | { readonly type: 'forward'; readonly bytes: Buffer; readonly count: number; readonly hops: number }
  /** For the relay at the other end, of the link that it has made to this one. */
  | { readonly type: 'answer'; readonly frame: Answer }
  /** That relay has just dialled us: it can be reached. */
  | { readonly type: 'seen'; readonly node: string };

export interface State extends PeerLinkArgs {
  readonly self: Self<PeerLinkMessage>;
  socket: WebSocket | undefined;
  phase: 'waiting' | 'dialling' | 'challenged' | 'linked';
  nonce: Buffer;
  peer: Relay | undefined;
  /** The relay's other nonce, for its proof. */
  theirNonce: Buffer;
  stats: TakingStats | undefined;
  readonly dialled: Dialled;
  /** When the ping was sent that has not been answered; null: there is none. */
  pingedAt: number | null;
  retry: number;
  /** The relay that was found here, and linked already; it is dialled again much later. */
  spareOf: string | undefined;
  timer: Timer | undefined;
  /** Who orders what comes: the relay at the other end, in its epoch. */
  via: Sequencer;
  /** Bytes that are on their way to topics. */
  credit: number;
  paused: boolean;
  /** What the socket had read when it was looked at last, and when it had read more than before. */
  bytesRead: number;
  heardAt: number;
}
