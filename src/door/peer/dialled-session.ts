import { type Messages, parseMessages } from './batch.ts';
import {
  type Answer,
  FORWARDED,
  type Hello,
  type InterestFrame,
  type PeerClaim,
  type PeerFrame,
  parsePeerFrame,
  type Refusal,
  type Relay,
  type ResumeFrame,
  type Version,
  type VitalsFrame,
} from './codec.ts';
import { type NumberedOutbox, Progress } from './numbered-outbox.ts';
import { type Handshake, isProved, Liveness, NONCE_BYTES, prove } from './session.ts';

/** What the relay that was dialled knows, and begins a connection with. */
export interface DialledArgs {
  readonly self: Relay;
  readonly nonce: Buffer;
  /** Null: there is no secret. */
  readonly key: Buffer | null;
  /** Why the address at the other end is not let in; null: it is. */
  readonly stranger: string | null;
  /** Milliseconds. */
  readonly timeout: number;
  /** That both speak on this connection. */
  readonly version: Version;
}

/** What is to be done about a caller that has not proved to be a relay, or has just done so. */
export type Greeting =
  | { readonly type: 'say'; readonly frame: PeerFrame }
  | { readonly type: 'refuse'; readonly why: Refusal; readonly text: string }
  /** It is a relay of the network: to be welcomed, or refused by its name. */
  | { readonly type: 'proved'; readonly hello: Hello }
  | { readonly type: 'hang-up' };

/** What is to be done about a relay that is served. */
export type DialledCommand =
  | Messages
  | InterestFrame
  /** Put together from as many frames as it took. `all`: these claims and no others. */
  | {
      readonly type: 'claims';
      readonly ref: number;
      readonly all: boolean;
      readonly claims: readonly PeerClaim[];
    }
  | Answer
  | ResumeFrame
  | VitalsFrame
  | { readonly type: 'hang-up'; readonly why: string };

/** Longer than any frame of a handshake. */
const HANDSHAKE_BYTES = 2048;
const HANG_UP = { type: 'hang-up' } as const;
const NO_FRAME = { type: 'hang-up', why: 'not a frame of the protocol' } as const;

/**
 * One connection, as the relay that was dialled sees it: has the other side prove to be of the network, proves it, and
 * serves: tells the epoch before messages that are of it, and with each heartbeat how far it is. Pure; times in
 * milliseconds.
 */
export class DialledSession {
  readonly #args: DialledArgs;
  #hello: Hello | undefined = undefined;
  #isProved = false;
  #outbox: NumberedOutbox | undefined = undefined;
  #liveness: Liveness | undefined = undefined;
  readonly #progress: Progress;
  /** The epoch that the other side was told last. */
  #epoch = 0;
  /** Of the messages that it has forwarded, how many it was told last that were taken. */
  #confirmed = 0;
  /** Claims that came in a full list that is still coming; undefined: none is. */
  #claims: PeerClaim[] | undefined = undefined;

  constructor(args: DialledArgs) {
    this.#args = args;
    this.#progress = new Progress(args.timeout);
  }

  get version(): Version {
    return this.#args.version;
  }

  /** The name of the other relay, once it has named itself. */
  get peer(): string | undefined {
    return this.#hello?.relay.node;
  }

  /** A frame of the handshake has come. */
  greeted(payload: Buffer): Greeting {
    const frame = payload.length > HANDSHAKE_BYTES ? null : parsePeerFrame(payload);
    if (frame?.type === 'hello' && this.#hello === undefined) return this.#introduced(frame);
    if (frame?.type === 'proof' && this.#hello !== undefined) return this.#proved(this.#hello, frame.mac);
    return HANG_UP;
  }

  /**
   * Takes the relay in. Returns the welcome. `outbox`: what there is for that start of the relay; `taken`: how many
   * messages it has forwarded.
   */
  welcome(outbox: NumberedOutbox, taken: number, epoch: number, now: number): PeerFrame {
    if (this.#hello === undefined || !this.#isProved) throw new Error('nothing is proved');
    const { of, last, received } = this.#hello;
    const { self, key, timeout } = this.#args;
    if (of === self.incarnation) outbox.resume(last, received);
    this.#outbox = outbox;
    this.#epoch = epoch;
    this.#confirmed = taken;
    this.#liveness = new Liveness(timeout, now);
    const mac = prove(key, 'dialled', this.#handshake(this.#hello));
    return { type: 'welcome', mac, next: outbox.last + 1, epoch, taken };
  }

  /** A frame has come from a relay that is served. */
  received(payload: Buffer, now: number): DialledCommand | null {
    const { version } = this.#args;
    if (payload[0] === FORWARDED) return parseMessages(payload, version) ?? NO_FRAME;
    const frame = parsePeerFrame(payload, version);
    switch (frame?.type) {
      case 'heartbeat':
        if (this.#outbox?.told(frame.last, frame.received)) this.#progress.confirmed(frame.last, now);
        return null;
      case 'claims': {
        const { ref, begin, end, claims } = frame;
        if (begin) this.#claims = [];
        const listed = this.#claims;
        if (listed === undefined) return { type: 'claims', ref, all: end, claims };
        for (const claim of claims) listed.push(claim);
        if (!end) return null;
        this.#claims = undefined;
        return { type: 'claims', ref, all: true, claims: listed };
      }
      case 'interest':
      case 'confirm':
      case 'verdict':
      case 'resume':
      case 'vitals':
        return frame;
      case 'presence':
        // It has its place in the protocol, and nobody here wants it yet.
        return null;
      default:
        return NO_FRAME;
    }
  }

  /** It is time for a heartbeat. False: the other side is silent. Numbers and bytes are those since the beginning. */
  tick(bytesRead: number, isRead: boolean, now: number): boolean {
    if (this.#outbox === undefined || this.#liveness?.isSilent(bytesRead, isRead, now) !== false)
      return false;
    return true;
  }

  /** Messages may have taken numbers. */
  numbered(now: number): void {
    if (this.#outbox !== undefined) this.#progress.sent(this.#outbox.last, now);
  }

  /** The connection, which was not read for a while, is read again. */
  resumed(now: number): void {
    this.#liveness?.resumed(now);
  }

  /** How far this end is, and how many forwarded messages it has taken. */
  beat(taken: number): PeerFrame {
    this.#confirmed = taken;
    return { type: 'heartbeat', last: this.#outbox?.settled ?? 0, received: taken };
  }

  /** Whether some have been taken since the other side was told. */
  isToTell(taken: number): boolean {
    return taken > this.#confirmed;
  }

  /** What is to be said before messages of that epoch; null: nothing. */
  epoch(epoch: number): PeerFrame | null {
    if (epoch === this.#epoch) return null;
    this.#epoch = epoch;
    return { type: 'epoch', epoch };
  }

  /** Milliseconds that what has come to the other side is behind what was numbered here. */
  lag(now: number): number {
    return this.#progress.lag(now);
  }

  #introduced(hello: Hello): Greeting {
    const { self, nonce, stranger } = this.#args;
    // Views of a read buffer: copied, because they are kept.
    this.#hello = { ...hello, nonce: Buffer.from(hello.nonce) };
    if (hello.nonce.length !== NONCE_BYTES || hello.relay.node === '') return HANG_UP;
    if (stranger !== null) return { type: 'refuse', why: 'address', text: stranger };
    return { type: 'say', frame: { type: 'challenge', relay: self, nonce } };
  }

  #proved(hello: Hello, mac: Buffer): Greeting {
    const { self, key } = this.#args;
    const { node, incarnation } = hello.relay;
    if (!isProved(mac, key, 'dialling', this.#handshake(hello)))
      return { type: 'refuse', why: 'proof', text: 'the secrets of the network differ' };
    if (incarnation === self.incarnation)
      return { type: 'refuse', why: 'self', text: 'this is the same relay' };
    if (node === self.node)
      return { type: 'refuse', why: 'name-taken', text: `${node} is the name of the relay that was dialled` };
    this.#isProved = true;
    return { type: 'proved', hello };
  }

  #handshake({ relay, nonce }: Hello): Handshake {
    const { self, nonce: dialledNonce } = this.#args;
    return { dialling: relay, dialled: self, diallingNonce: nonce, dialledNonce };
  }
}
