import { Reader, Writer } from './wire.ts';

/**
 * The frames between two relays, each a binary WebSocket message: a byte for its type, then its fields. The relay that
 * dials sends `hello`, `proof`, `interest`, `claims`; the one that was dialled `challenge`, `welcome`, `refuse`, and
 * messages (see `batch.ts`); `heartbeat`, `confirm`, `verdict` go both ways. See doc/peer-protocol.md.
 */
export type PeerFrame =
  | Hello
  | { readonly type: 'challenge'; readonly relay: Relay; readonly nonce: Buffer }
  | { readonly type: 'proof'; readonly mac: Buffer }
  /** `next`: the number of the next message on this link. `taken`: how many messages the other relay has forwarded. */
  | {
      readonly type: 'welcome';
      readonly mac: Buffer;
      readonly next: number;
      readonly epoch: number;
      readonly taken: number;
    }
  /** What follows on this link is of this epoch of its sender. */
  | { readonly type: 'epoch'; readonly epoch: number }
  | { readonly type: 'refuse'; readonly why: Refusal; readonly text: string }
  /**
   * `last`: the number of the last message known of. `received`: how many messages have come from the other side; of the
   * relay that was dialled those are the ones that were forwarded.
   */
  | { readonly type: 'heartbeat'; readonly last: number; readonly received: number }
  | InterestFrame
  | ClaimsFrame
  | Answer;

/** What the relay that was dialled says of interest and claims: on this link, or on its own to the relay that dials. */
export type Answer =
  | { readonly type: 'confirm'; readonly version: number }
  | { readonly type: 'verdict'; readonly ref: number; readonly granted: boolean };

/** Who somebody is: a name, and which of its starts. */
export interface Relay {
  readonly node: string;
  /** Random for each start. */
  readonly incarnation: string;
}

export interface Hello {
  readonly type: 'hello';
  readonly relay: Relay;
  readonly nonce: Buffer;
  /** What the dialling relay has of its last link: the other's incarnation ('' for none), and the counts. */
  readonly of: string;
  readonly last: number;
  readonly received: number;
  /** The highest epoch that it knows of. */
  readonly epoch: number;
}

export type Refusal = (typeof refusals)[number];
const refusals = ['self', 'name-taken', 'proof', 'address', 'busy'] as const;

export interface PeerTopic {
  readonly realm: string;
  readonly name: string;
}

/** Changes of what the dialling relay wants. `begin`, `end`: the first and the last of the frames that name all of it. */
export interface InterestFrame {
  readonly type: 'interest';
  readonly version: number;
  readonly begin: boolean;
  readonly end: boolean;
  readonly add: readonly PeerTopic[];
  readonly drop: readonly PeerTopic[];
}

export interface PeerClaim extends PeerTopic {
  readonly state: (typeof claimStates)[number];
  readonly since: number;
  readonly grace: number;
}
const claimStates = ['asked', 'owned', 'grace', 'gone'] as const;

export interface ClaimsFrame {
  readonly type: 'claims';
  /** Of a claim that asks, to be answered by a `verdict`; 0: it does not. */
  readonly ref: number;
  readonly begin: boolean;
  readonly end: boolean;
  readonly claims: readonly PeerClaim[];
}

const types = [
  'none',
  'hello',
  'challenge',
  'proof',
  'welcome',
  'refuse',
  'heartbeat',
  'interest',
  'confirm',
  'claims',
  'verdict',
  'epoch',
] as const;
/** The type of a frame of messages. */
export const MESSAGES = 16;
/** The type of a frame of messages that the other relay is to give their order; the number is of relays passed before. */
export const FORWARDED = 17;

export function encodePeerFrame(frame: PeerFrame): Buffer {
  const to = new Writer().byte(types.indexOf(frame.type));
  switch (frame.type) {
    case 'hello':
      writeRelay(to, frame.relay)
        .bytes(frame.nonce)
        .text(frame.of)
        .u64(frame.last)
        .u64(frame.received)
        .u64(frame.epoch);
      break;
    case 'challenge':
      writeRelay(to, frame.relay).bytes(frame.nonce);
      break;
    case 'proof':
      to.bytes(frame.mac);
      break;
    case 'welcome':
      to.bytes(frame.mac).u64(frame.next).u64(frame.epoch).u64(frame.taken);
      break;
    case 'refuse':
      to.byte(refusals.indexOf(frame.why)).text(frame.text);
      break;
    case 'epoch':
      to.u64(frame.epoch);
      break;
    case 'heartbeat':
      to.u64(frame.last).u64(frame.received);
      break;
    case 'interest':
      to.u64(frame.version).byte(flags(frame));
      writeTopics(writeTopics(to, frame.add), frame.drop);
      break;
    case 'confirm':
      to.u64(frame.version);
      break;
    case 'claims':
      to.u32(frame.ref).byte(flags(frame)).u32(frame.claims.length);
      for (const { realm, name, state, since, grace } of frame.claims) {
        to.text(realm).text(name).byte(claimStates.indexOf(state)).u64(since).u64(grace);
      }
      break;
    case 'verdict':
      to.u32(frame.ref).byte(frame.granted ? 1 : 0);
      break;
  }
  return to.finish();
}

/** Null: not a frame of this protocol. Nothing of the frame is kept but texts, and the buffers of a handshake. */
export function parsePeerFrame(bytes: Buffer): PeerFrame | null {
  const from = new Reader(bytes);
  const frame = readFrame(from);
  return frame !== null && from.done ? frame : null;
}

function readFrame(from: Reader): PeerFrame | null {
  const type = types[from.byte()];
  switch (type) {
    case 'hello':
      return {
        type,
        relay: readRelay(from),
        nonce: from.bytes(),
        of: from.text(),
        last: from.u64(),
        received: from.u64(),
        epoch: from.u64(),
      };
    case 'challenge':
      return { type, relay: readRelay(from), nonce: from.bytes() };
    case 'proof':
      return { type, mac: from.bytes() };
    case 'welcome':
      return { type, mac: from.bytes(), next: from.u64(), epoch: from.u64(), taken: from.u64() };
    case 'refuse': {
      const why = refusals[from.byte()];
      return why === undefined ? null : { type, why, text: from.text() };
    }
    case 'epoch':
      return { type, epoch: from.u64() };
    case 'heartbeat':
      return { type, last: from.u64(), received: from.u64() };
    case 'interest':
      return { type, version: from.u64(), ...readFlags(from), add: readTopics(from), drop: readTopics(from) };
    case 'confirm':
      return { type, version: from.u64() };
    case 'claims':
      return { type, ref: from.u32(), ...readFlags(from), claims: readClaims(from) };
    case 'verdict':
      return { type, ref: from.u32(), granted: from.byte() === 1 };
    default:
      return null;
  }
}

function writeRelay(to: Writer, { node, incarnation }: Relay): Writer {
  return to.text(node).text(incarnation);
}

function readRelay(from: Reader): Relay {
  return { node: from.text(), incarnation: from.text() };
}

function flags({ begin, end }: { readonly begin: boolean; readonly end: boolean }): number {
  return (begin ? 1 : 0) | (end ? 2 : 0);
}

function readFlags(from: Reader): { begin: boolean; end: boolean } {
  const bits = from.byte();
  return { begin: (bits & 1) !== 0, end: (bits & 2) !== 0 };
}

function writeTopics(to: Writer, topics: readonly PeerTopic[]): Writer {
  to.u32(topics.length);
  for (const { realm, name } of topics) to.text(realm).text(name);
  return to;
}

function readTopics(from: Reader): PeerTopic[] {
  const topics: PeerTopic[] = [];
  for (let left = from.u32(); left > 0 && !from.bad; left--) {
    topics.push({ realm: from.text(), name: from.text() });
  }
  return topics;
}

function readClaims(from: Reader): PeerClaim[] {
  const claims: PeerClaim[] = [];
  for (let left = from.u32(); left > 0 && !from.bad; left--) {
    const realm = from.text();
    const name = from.text();
    const state = claimStates[from.byte()];
    if (state === undefined) from.bad = true;
    else claims.push({ realm, name, state, since: from.u64(), grace: from.u64() });
  }
  return claims;
}
