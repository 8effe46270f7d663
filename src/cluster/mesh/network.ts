import type { WebSocketServer } from 'ws';
import type { Hidden } from '../../config/hidden.ts';
import type { Relay } from '../../door/peer/codec.ts';
import type { Pid } from '../../otp/process.ts';
import type { ProcessName } from '../../otp/registry.ts';
import type { Sequencer } from '../../topic/elsewhere.ts';
import type { Topics } from '../../topic/topics.ts';
import type { InterestMessage } from '../interest-server.ts';
import type { OwnershipMessage } from '../ownership-state.ts';
import type { PeerLinkMessage } from './peer-link-state.ts';
import type { ServingLinkMessage } from './serving-link-state.ts';

/** What all processes of the mesh share. The tables are changed by those whose entries they hold, and read by anybody. */
export interface Network {
  readonly self: Relay;
  /** Those with which the network port was opened last. */
  settings: MeshSettings;
  readonly topics: () => Topics;
  readonly interest: ProcessName<InterestMessage>;
  readonly ownership: ProcessName<OwnershipMessage>;
  readonly webSockets: WebSocketServer;
  readonly log: MeshLog;
  /** Links that dial, by address as `host:port`. */
  readonly dialling: Map<string, Pid<PeerLinkMessage>>;
  /** Those of them that are linked, by the incarnation at the other end: one for each. */
  readonly linked: Map<string, Pid<PeerLinkMessage>>;
  /** The same links, by the node at the other end. */
  readonly nodes: Map<string, Pid<PeerLinkMessage>>;
  /** Links that serve, by the node at the other end. */
  readonly serving: Map<string, Serving>;
  /** IP addresses that the list of relays stands for. */
  readonly addresses: Set<string>;
  /** How the links that dial are, for tools: by address. */
  readonly dialled: Map<string, Dialled>;
  /** How links are, for tools: by node. */
  readonly taking: Map<string, TakingStats>;
  /** What was forwarded to other relays: by node. It outlives links, and who held them. */
  readonly forwarding: Map<string, Forwarding>;
  /** This relay's epoch as a sequencer, and the highest that it has heard of. */
  readonly order: { epoch: number; highest: number; self: Sequencer };
  /** What was logged last of something that is tried again and again: it is not said again until it has changed. */
  readonly said: Map<string, string>;
}

/** Times in milliseconds, sizes in bytes. */
export interface MeshSettings {
  readonly host: string;
  readonly port: number;
  /** The key that proves are made with; null: there is no secret. */
  readonly secret: Hidden<Buffer> | null;
  readonly tls: Hidden<{ readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer }> | null;
  readonly heartbeat: number;
  readonly timeout: number;
  readonly pending: number;
  /** The longest that somebody at the port may take to prove to be a relay. */
  readonly handshake: number;
  /** The longest message of a client. */
  readonly message: number;
}

export interface MeshLog {
  note(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** How a link that dials gets on. Times in milliseconds. */
export interface Dialled {
  /** Who was at the other end last; null: nobody yet. */
  node: string | null;
  /** `needless`: the address is this relay itself, or another one of a relay that is linked already. */
  state: 'up' | 'connecting' | 'needless';
  /** Why it is not linked. */
  why: string | null;
  /** How often it was. */
  links: number;
  /** From a ping to its answer, behind what the other side had to write before; null: none has come. */
  roundTrip: number | null;
}

export interface Serving {
  readonly incarnation: string;
  readonly pid: Pid<ServingLinkMessage>;
  /** It has a connection. */
  live: boolean;
  /** How often it had one. */
  links: number;
  readonly stats: ServingStats;
  /** Bytes that wait to be written. */
  pending(): number;
  /** Milliseconds that the other side's word of what has come is behind. */
  lag(now: number): number;
}

/** What became of the messages for one relay, by number since its start: `lost` as it has told. */
export interface ServingStats {
  /** The number of the last message that was for this relay. */
  last: number;
  overflow: number;
  unlinked: number;
  lost: number;
  /** Of messages, written. */
  bytes: number;
  /** Messages that the other relay has forwarded, and this one has taken: be it to be lost here, and counted. */
  taken: number;
}

/**
 * What this relay has forwarded to another one, to be given its order there: how many messages were handed to the
 * connection, and how many the other relay had taken when it said so last. Both count from one beginning.
 */
export interface Forwarding {
  readonly incarnation: string;
  sent: number;
  taken: number;
  /** Lost on the way there, since the start. */
  unreachable: number;
  /** Since when there is no link, in milliseconds; null: there is one. */
  partedAt: number | null;
}

/** Milliseconds for which a relay that cannot be reached is counted for, and remembered by. */
export const FORGET = 10 * 60_000;

/** What has come from one relay. */
export interface TakingStats {
  readonly incarnation: string;
  /** The number of the last message known of, and how many have come. The difference was lost. */
  last: number;
  received: number;
  bytes: number;
  linked: boolean;
}

/** Strangers choose what there is to say of them. */
const SAID = 1000;

/** Whether `text` is news of `what`. */
export function isNews({ said }: Network, what: string, text: string): boolean {
  if (said.get(what) === text) return false;
  if (said.size >= SAID) said.clear();
  said.set(what, text);
  return true;
}
