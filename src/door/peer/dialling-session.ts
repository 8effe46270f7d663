import { type Messages, parseMessages } from './batch.ts';
import {
  type Answer,
  type FateFrame,
  MESSAGES,
  type PeerFrame,
  parsePeerFrame,
  type Relay,
  type Version,
  type VitalsFrame,
} from './codec.ts';
import { type Handshake, isProved, Liveness, NONCE_BYTES, prove } from './session.ts';

/** What the relay that dials knows, and begins a connection with. */
export interface DiallingArgs {
  readonly self: Relay;
  readonly known: KnownRelays;
  /** As it is named in reasons. */
  readonly address: string;
  readonly nonce: Buffer;
  /** Null: there is no secret. */
  readonly key: Buffer | null;
  /** Milliseconds. */
  readonly timeout: number;
}

export interface KnownRelays {
  /** Whether a connection to that start of a relay is linked. */
  isLinked(incarnation: string): boolean;
  /** What has come from the relay of that name before. */
  countsOf(node: string): ReceivedCounts | undefined;
}

/** What is to be done. */
export type DiallingCommand =
  | { readonly type: 'say'; readonly frame: PeerFrame }
  /** As often as a heartbeat; `ping`: with a WebSocket ping behind it. */
  | { readonly type: 'beat'; readonly frame: PeerFrame; readonly ping: boolean }
  | Linked
  /** Publish them: each batch is told to `take` before it is handed on. */
  | Messages
  | { readonly type: 'epoch'; readonly epoch: number }
  /** So many messages that were forwarded have been taken. */
  | { readonly type: 'taken'; readonly count: number }
  | FateFrame
  | Answer
  | VitalsFrame
  /** Hang up. `spareOf`: the start of a relay that is linked by another address; null: this is the relay that dials. */
  | { readonly type: 'needless'; readonly why: string; readonly spareOf: string | null }
  | { readonly type: 'hang-up'; readonly why: string };

export interface Linked {
  readonly type: 'linked';
  readonly peer: Relay;
  readonly counts: ReceivedCounts;
  /** Messages that were lost since the connection before. */
  readonly missed: number;
  /** The same start of the relay has forgotten what was before: how many were lost is known to nobody. */
  readonly isForgotten: boolean;
  /** Messages that were forwarded and have been taken. */
  readonly taken: number;
  readonly epoch: number;
}

/**
 * Messages that have come from one start of another relay, over however many connections: its last number that is known
 * of, and how many have come. The difference was lost.
 */
export class ReceivedCounts {
  readonly incarnation: string;
  last: number;
  received: number;
  /** Of frames of messages. */
  bytes = 0;

  constructor(incarnation: string, last: number) {
    this.incarnation = incarnation;
    this.last = last;
    this.received = last;
  }

  get lost(): number {
    return this.last - this.received;
  }

  /** A frame comes whose first message has that number. False: it was there before. */
  begin(first: number, bytes: number): boolean {
    if (first <= this.last) return false;
    this.last = first - 1;
    this.bytes += bytes;
    return true;
  }

  /** The next messages of the frame. */
  take(count: number): void {
    this.last += count;
    this.received += count;
  }

  /** The other side has come to that number, as it tells. */
  told(last: number): void {
    this.last = Math.max(this.last, last);
  }
}

const NO_FRAME = { type: 'hang-up', why: 'not a frame of the protocol' } as const;

/**
 * One connection, as the relay that has dialled sees it: proves to be of the network, has the other side prove it, takes
 * messages by number, and tells with each heartbeat what has come. Pure; times in milliseconds.
 */
export class DiallingSession {
  phase: 'dialling' | 'challenged' | 'linked' = 'dialling';
  /** That both speak on this connection: known from the answer to its upgrade. */
  version: Version = 1;
  /** The other relay, once it has named itself. */
  peer: Relay | undefined = undefined;
  /** The same one, when linked, as the relay that orders what comes. */
  via: { readonly node: string; readonly epoch: number } = { node: '', epoch: 0 };
  readonly #args: DiallingArgs;
  #handshake: Handshake | undefined = undefined;
  #counts: ReceivedCounts | undefined = undefined;
  #liveness: Liveness | undefined = undefined;
  /** When the ping was sent that has not been answered; null: there is none. */
  #pingedAt: number | null = null;

  constructor(args: DiallingArgs) {
    this.#args = args;
  }

  /** Messages of the other relay that were lost, as far as is known; null: it is not linked yet. */
  get lost(): number | null {
    return this.#counts?.lost ?? null;
  }

  /** So many messages of the frame that has come are handed on now. */
  take(count: number): void {
    this.#counts?.take(count);
  }

  /** The first frame. `node`: the relay that is thought to be there; `epoch`: the highest that is known of. */
  hello(node: string | null, epoch: number, version: Version = 1): PeerFrame {
    this.version = version;
    const { self, nonce, known } = this.#args;
    const counts = node === null ? undefined : known.countsOf(node);
    const { incarnation = '', last = 0, received = 0 } = counts ?? {};
    return { type: 'hello', relay: self, nonce, of: incarnation, last, received, epoch };
  }

  /** A frame has come. */
  received(payload: Buffer, now: number): DiallingCommand | null {
    if (this.phase === 'linked' && payload[0] === MESSAGES) return this.#messages(payload);
    const frame = parsePeerFrame(payload, this.version);
    switch (frame?.type) {
      case 'refuse':
        if (frame.why === 'self') return { type: 'needless', why: frame.text, spareOf: null };
        return { type: 'hang-up', why: `refused: ${frame.text}` };
      case 'challenge':
        return this.phase === 'dialling' ? this.#challenged(frame.relay, frame.nonce) : NO_FRAME;
      case 'welcome':
        return this.phase === 'challenged' ? this.#welcomed(frame, now) : NO_FRAME;
    }
    if (this.#counts === undefined) return NO_FRAME;
    switch (frame?.type) {
      case 'epoch':
        this.via = { node: this.via.node, epoch: frame.epoch };
        return frame;
      case 'heartbeat':
        this.#counts.told(frame.last);
        return { type: 'taken', count: frame.received };
      case 'confirm':
      case 'verdict':
      case 'vitals':
      case 'fate':
        return frame;
      case 'presence':
        // It has its place in the protocol, and nobody here wants it yet.
        return null;
      default:
        return NO_FRAME;
    }
  }

  /** It is time for a heartbeat. `bytesRead`: since the beginning; `isRead`: whether the connection is being read. */
  tick(bytesRead: number, isRead: boolean, now: number): DiallingCommand | null {
    if (this.#counts === undefined || this.#liveness === undefined) return null;
    if (this.#liveness.isSilent(bytesRead, isRead, now)) return { type: 'hang-up', why: 'silent' };
    const { last, received } = this.#counts;
    const ping = this.#pingedAt === null;
    if (ping) this.#pingedAt = now;
    return { type: 'beat', frame: { type: 'heartbeat', last, received }, ping };
  }

  /** The connection, which was not read for a while, is read again. */
  resumed(now: number): void {
    this.#liveness?.resumed(now);
  }

  /** The answer stands behind what the other side has written before: it is as late as a message would be. */
  ponged(now: number): number | null {
    if (this.#pingedAt === null) return null;
    const roundTrip = now - this.#pingedAt;
    this.#pingedAt = null;
    return roundTrip;
  }

  /** Milliseconds that a ping has waited for its answer; null: none does. */
  unanswered(now: number): number | null {
    return this.#pingedAt === null ? null : now - this.#pingedAt;
  }

  #messages(payload: Buffer): DiallingCommand {
    const messages = parseMessages(payload, this.version);
    if (messages === null) return NO_FRAME;
    // A number that was there before would be a message delivered twice.
    return this.#counts?.begin(messages.first, payload.length) === true
      ? messages
      : { type: 'hang-up', why: 'a number came twice' };
  }

  #challenged(peer: Relay, dialledNonce: Buffer): DiallingCommand {
    const { self, address, nonce, key } = this.#args;
    if (peer.incarnation === self.incarnation)
      return { type: 'needless', why: `${address} is this relay itself`, spareOf: null };
    const spare = this.#spareOf(peer);
    if (spare !== null) return spare;
    if (dialledNonce.length !== NONCE_BYTES) return NO_FRAME;
    this.#handshake = { dialling: self, dialled: peer, diallingNonce: nonce, dialledNonce };
    this.peer = peer;
    this.phase = 'challenged';
    return { type: 'say', frame: { type: 'proof', mac: prove(key, 'dialling', this.#handshake) } };
  }

  #welcomed(
    { mac, next, epoch, taken }: Extract<PeerFrame, { readonly type: 'welcome' }>,
    now: number,
  ): DiallingCommand {
    const { key, known, timeout } = this.#args;
    const handshake = this.#handshake as Handshake;
    if (!isProved(mac, key, 'dialled', handshake))
      return { type: 'hang-up', why: 'it does not know the secret of the network' };
    const { dialled: peer } = handshake;
    // Another address of the same relay may have been faster.
    const spare = this.#spareOf(peer);
    if (spare !== null) return spare;
    const before = known.countsOf(peer.node);
    // A link that was served afresh counts from the beginning.
    const goesOn = before?.incarnation === peer.incarnation && next > before.last;
    const counts = goesOn ? before : new ReceivedCounts(peer.incarnation, next - 1);
    const lostBefore = counts.lost;
    counts.told(next - 1);
    this.#counts = counts;
    this.phase = 'linked';
    this.via = { node: peer.node, epoch };
    this.#liveness = new Liveness(timeout, now);
    const isForgotten = !goesOn && before?.incarnation === peer.incarnation;
    return { type: 'linked', peer, counts, missed: counts.lost - lostBefore, isForgotten, taken, epoch };
  }

  #spareOf({ node, incarnation }: Relay): DiallingCommand | null {
    if (!this.#args.known.isLinked(incarnation)) return null;
    return {
      type: 'needless',
      why: `${this.#args.address} is another address of ${node}`,
      spareOf: incarnation,
    };
  }
}
