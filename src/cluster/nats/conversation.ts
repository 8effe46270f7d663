import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { claimsFrames } from '../../door/peer/chunks.ts';
import { encodePeerFrame, type PeerClaim, type PeerFrame, parsePeerFrame } from '../../door/peer/codec.ts';
import type { Self } from '../../otp/process.ts';
import { now, sendAfter } from '../../otp/timer.ts';
import type { LinkMessage } from '../backplane.ts';
import * as ownership from '../ownership-server.ts';
import type { NatsNetwork } from './network.ts';
import { type Heard, Peers, type Verdict } from './peers.ts';
import type { Subjects } from './subject.ts';

/**
 * What relays say to each other over NATS beside messages: that they are there, and who owns what. All hear all of it,
 * but for the verdict on a claim, which goes to the one who asked. The frames are those of the mesh (`door/peer`).
 *
 * A claim is asked of every relay that has been heard of lately. It is granted once all of them have, refused by the
 * first that refuses. One that does not answer in time is not waited for, unless it owns the topic: then nobody else may.
 * On a connection that is too young to know who is there, only time grants.
 */
export interface Conversation {
  readonly network: NatsNetwork;
  readonly self: Self<LinkMessage | AskedEnough>;
  readonly connection: NatsConnection;
  readonly subjects: Subjects;
  readonly headers: MsgHdrs;
  readonly peers: Peers;
  /** Claims of relays that are still listing all of theirs. */
  readonly listings: Map<string, PeerClaim[]>;
  readonly since: number;
}

/** To the link itself. */
export interface AskedEnough {
  readonly type: 'asked-enough';
  readonly ref: number;
}

/** Milliseconds that a claim waits for the verdicts of the others. */
const ASK_TIMEOUT = 250;
/** The relays that are there have said so within this time after a connection was made, in milliseconds. */
const SETTLED = 250;
export const HEADER = 'Fanfare-Relay';
const VERSION = '1';

export function openConversation(
  given: Pick<Conversation, 'network' | 'self' | 'connection' | 'subjects' | 'headers'>,
): Conversation {
  const talk = { ...given, peers: new Peers(), listings: new Map(), since: now(given.self) };
  const { connection, subjects, headers } = talk;
  connection.publish(subjects.hello, undefined, { headers });
  return talk;
}

export function headerOf({ incarnation, node }: Heard): string {
  return `${VERSION} ${incarnation} ${node}`;
}

/** Null: no relay has sent it, or none that speaks this version. */
export function senderOf({ headers }: Msg): Heard | null {
  const [version, incarnation, node, ...more] = headers?.get(HEADER).split(' ') ?? [];
  if (version !== VERSION || !incarnation || !node || more.length > 0) return null;
  return { incarnation, node };
}

/** Takes what another relay has sent on a subject that is no topic's. False: it is nothing of the kind. */
export function takeControl(talk: Conversation, from: Heard, message: Msg): boolean {
  const { network, peers, self, subjects } = talk;
  if (from.incarnation === network.self.incarnation) return true;
  if (from.node === network.self.node) {
    complainOnce(talk, from);
    return true;
  }
  const hello = message.subject === subjects.hello;
  if (peers.heard(from, now(self))) network.log.note('linked', { peer: from.node, over: 'nats' });
  else if (!hello) return takeFrame(talk, from, message);
  network.stats.peers = peers.nodes;
  // It has heard nothing yet: attaching anew brings all claims, which are for everybody.
  ownership.attach(self.system, self, null);
  return hello || takeFrame(talk, from, message);
}

function takeFrame(talk: Conversation, { node, incarnation }: Heard, message: Msg): boolean {
  const { peers } = talk;
  const frame = parsePeerFrame(Buffer.from(message.data));
  switch (frame?.type) {
    case 'heartbeat':
      return true;
    case 'claims':
      takeClaims(talk, node, incarnation, frame);
      return true;
    case 'verdict': {
      const { ref, granted } = frame;
      report(talk, ref, peers.answered(ref, node, granted));
      return true;
    }
    default:
      return false;
  }
}

function takeClaims(
  talk: Conversation,
  node: string,
  incarnation: string,
  frame: Extract<PeerFrame, { readonly type: 'claims' }>,
): void {
  const { self, subjects, listings } = talk;
  if (frame.begin) listings.set(node, []);
  const listing = listings.get(node);
  if (listing !== undefined) for (const claim of frame.claims) listing.push(claim);
  // What is said between the pieces of a list is as new as the list, and belongs into it; a question is answered at once.
  if (listing !== undefined && !frame.end && frame.ref === 0) return;
  if (frame.end) listings.delete(node);
  const { ref } = frame;
  const answer = (granted: boolean) =>
    tell(talk, { type: 'verdict', ref, granted }, subjects.relay(incarnation));
  const claims = frame.end ? (listing ?? frame.claims) : frame.claims;
  ownership.announced(self.system, node, { all: frame.end, claims }, ref === 0 ? null : answer);
}

/** Tells the others of claims made here. */
export function tellClaims(
  talk: Conversation,
  message: Extract<LinkMessage, { readonly type: 'claims' }>,
): void {
  const { self, peers, subjects } = talk;
  const { ref } = message;
  for (const frame of claimsFrames(message)) tell(talk, frame, subjects.relays);
  if (ref === 0) return;
  // What is granted before it was heard who is there is granted by time alone.
  peers.ask(ref, now(self) - talk.since >= SETTLED);
  report(talk, ref, peers.decided(ref));
  sendAfter(self, ASK_TIMEOUT, { type: 'asked-enough', ref });
}

/** A relay that has not answered a claim by now is not waited for. */
export function askedEnough(talk: Conversation, ref: number): void {
  report(talk, ref, talk.peers.end(ref));
}

function report({ self }: Conversation, ref: number, verdict: Verdict | null): void {
  if (verdict !== null) ownership.verdict(self.system, self, { ref, ...verdict });
}

/** Says that this relay is there, and looks who is not any more. */
export function beat(talk: Conversation): void {
  const { network, self, peers, subjects } = talk;
  tell(talk, { type: 'heartbeat', last: 0, received: 0 }, subjects.relays);
  loseTouch(talk, peers.silent(now(self), network.settings.timeout));
}

/** Without a connection nobody can be heard. */
export function endConversation(talk: Conversation): void {
  loseTouch(talk, talk.peers.clear());
}

function loseTouch({ network, self, peers, listings }: Conversation, nodes: readonly string[]): void {
  for (const node of nodes) {
    listings.delete(node);
    network.log.warn('unlinked', { peer: node, over: 'nats' });
    ownership.unheard(self.system, node);
  }
  if (nodes.length > 0) network.stats.peers = peers.nodes;
}

function tell({ connection, headers }: Conversation, frame: PeerFrame, subject: string): void {
  if (!connection.isClosed()) connection.publish(subject, encodePeerFrame(frame), { headers });
}

const complained = new WeakMap<NatsNetwork, Set<string>>();

/** Two relays of one name: each takes the other's claims for its own. */
function complainOnce({ network }: Conversation, { node, incarnation }: Heard): void {
  const known = complained.get(network) ?? new Set();
  complained.set(network, known);
  if (known.has(incarnation)) return;
  known.add(incarnation);
  network.log.warn('name taken', { why: `another relay is called ${node}: give each a name of its own` });
}
