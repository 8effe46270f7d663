import type { Gap, GapReason } from '../topic/gap.ts';
import type { Format, Message } from '../topic/message.ts';
import type { Position, Since } from '../topic/position.ts';

/**
 * What a door is: one protocol, as pure functions. It says what a request is for, and from then on turns events into
 * commands; the connection's handler performs them. It sees no socket, no clock and no process.
 */
export interface Door {
  readonly name: string;
  /** Subprotocols of its WebSockets; a client may offer none. */
  readonly protocols: readonly string[];
  /** Absent: the door has nothing for pages of other origins but WebSockets, which browsers let them open unasked. */
  readonly crossOrigin?: CrossOriginOffer;
  /** Judges a request that is well-formed HTTP. `upgrade`: a well-formed WebSocket handshake. */
  route(request: DoorRequest): Route;
}

/** A subprotocol that a door speaks in place of its own protocol with clients that offer it. */
export interface Dialect {
  readonly protocol: string;
  /** `credential`: what the request brings; null: nothing. */
  route(credential: string | null): Route;
}

/** What pages of other origins may ask for over HTTP, each joined by `, `. */
export interface CrossOriginOffer {
  readonly methods: string;
  /** Headers that pages may set. */
  readonly headers: string;
}

/** A request as it came: nothing in it is decoded. */
export interface DoorRequest {
  readonly method: string;
  /** The request target up to the first `?`. */
  readonly path: string;
  /** What follows the first `?`, or the empty string. */
  readonly query: string;
  readonly upgrade: boolean;
  /** A header's value; the values of a repeated one joined by `, `. */
  header(name: string): string | undefined;
  /** The value of the cookie that holds a credential, where the door has one and the request is of a page that may. */
  cookie(): string | undefined;
}

export type Route =
  | HttpReply
  | (Opening & {
      readonly transport: 'websocket';
      /** A finished frame that asks for a sign of life, in place of the ping of WebSockets, which pages cannot see. */
      readonly ping?: Buffer;
    })
  | (Opening & {
      /** One HTTP request, its body, one answer. */
      readonly transport: 'exchange';
    })
  | (Opening & {
      /** An endless HTTP answer. */
      readonly transport: 'stream';
      readonly headers: Readonly<Record<string, string>>;
      /** Finished bytes that say nothing, to keep the way open. */
      readonly keepAlive: Buffer;
      /** Finished bytes that it begins with. `chance`: from 0 to 1, by which clients are spread over time. */
      opening(chance: number): Buffer;
      /** A refusal that may be over soon, in words that make the client come back by itself. */
      later(refusal: HttpReply, chance: number): HttpReply;
    });

interface Opening {
  readonly type: 'open';
  /** Null where nothing is ever delivered. */
  readonly format: Format | null;
  readonly session: Session;
  /** Who judges it: the door's authenticator, its API keys, or nobody (it may read all of the realm). */
  readonly guard: 'authenticator' | 'apikeys' | 'open';
  /** Absent: the topics that it is about are named later. */
  readonly about?: About;
}

/** What a request that names its topic wants there, for those who judge requests. */
export interface About {
  readonly read: boolean;
  readonly write: boolean;
  /** The topic that a request of the same kind for another path would name; null: none. */
  topicAt(path: string): string | null;
}

export interface HttpReply {
  readonly type: 'reply';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One connection's protocol state machine. `step` returns the next session and what to do, in order. */
export interface Session {
  start(): readonly Command[];
  step(event: Event): Step;
}

export type Step = readonly [Session, readonly Command[]];

/**
 * What may happen to a session. What the client sends while a question (`authorise`, `join`, `claim`, a `leave`
 * that is to be heard) is open waits until it has been answered.
 */
export type Event =
  /** A whole message. Text is valid UTF-8. It is a view of a read buffer: copy what is kept. */
  | { readonly type: 'text' | 'binary'; readonly payload: Buffer }
  /** The body of an exchange, whole. */
  | { readonly type: 'body'; readonly payload: Buffer }
  | Authorised
  /**
   * The authenticator did not answer, or could not; in place of the answer to any question. faulty: the fault is not one
   * that goes away, for what came is no answer. `attempt`: what was to be judged; absent: a credential.
   */
  | { readonly type: 'unavailable' | 'faulty'; readonly attempt?: Attempt }
  | Joined
  /** Answers `claim`: the connection owns the topic. */
  | { readonly type: 'claimed'; readonly topic: string }
  /**
   * Answers a `publish` of an exchange, or one with a receipt: the topic has taken the message. `at`: its position, where
   * the topic has positions, and this relay has given it.
   */
  | { readonly type: 'published'; readonly topic: string; readonly receipt?: string; readonly at?: Position }
  | Refused
  /** Answers a `leave` that is to be heard: nothing of the topic comes any more, until it is joined again. */
  | { readonly type: 'left'; readonly topic: string }
  /** The topic's owner is gone for good: for those who joined with `while: 'owned'`. */
  | { readonly type: 'ended'; readonly topic: string }
  /** This client alone has missed messages of a topic that it is in. What all have missed, the format tells. */
  | ({ readonly type: 'gap'; readonly topic: string } & Gap)
  /** The connection is about to be closed, as many others are: the client should come back within so many seconds. */
  | { readonly type: 'leaving'; readonly within: number };

/** Answers `authorise`. */
export interface Authorised {
  readonly type: 'authorised';
  /** At least one right was granted. */
  readonly granted: boolean;
  /** The credential is none that is known: what it was granted, if anything, everybody has. */
  readonly unrecognised?: true;
  /** Who the client is, where the authenticator says so. */
  readonly subject?: string;
  /** Whole seconds until what was granted expires; absent: it does not, as far as is known. */
  readonly expiresIn?: number;
}

/** Answers `join`: every message accepted from now on will be delivered. */
export interface Joined {
  readonly type: 'joined';
  readonly topic: string;
  /**
   * The position behind which begins what follows: where the client stands now, and from where it is to come back if it is
   * cut off before it has got any of it. Only where the join had a `since`, the topic has positions, and the connection was
   * not in it already.
   */
  readonly from?: Position;
  /** Where the client stands once it has what follows; `from` where nothing does. There wherever `from` is. */
  readonly at?: Position;
  /** Only for a join since a position: exactly what was missed since then follows. */
  readonly recovered?: boolean;
  /** Messages since then that are not sent, only where `recovered` is false; null: nobody can know. */
  readonly missed?: number | null;
  /** Only where `recovered` is false. */
  readonly why?: GapReason;
}

/** What needs a right, or the relay's help, and may fail. `receipt`: of a publish that has one. */
export interface Attempt {
  readonly action: 'join' | 'claim' | 'publish';
  readonly topic: string;
  readonly receipt?: string;
}

/**
 * A join, claim or publish that is not to be.
 * forbidden: no right. denied: the request as a whole was judged, and refused. missing: `while: 'owned'` and nobody owns it. owned: another connection does.
 * too-many: more topics than one connection may have. unavailable: the relay cannot, now.
 */
export interface Refused extends Attempt {
  readonly type: 'refused';
  readonly why: 'forbidden' | 'denied' | 'missing' | 'owned' | 'too-many' | 'unavailable';
}

export type Command =
  /** Asks for the rights of a credential; they are added to those that the connection has. */
  | { readonly type: 'authorise'; readonly authorization: string }
  /**
   * Becomes a member; needs the right to read. `while: 'owned'`: only of a topic that has an owner, until it has none.
   * `since`: what of the past is to be delivered first; absent: nothing, and nothing is said of positions.
   */
  | {
      readonly type: 'join';
      readonly topic: string;
      readonly while: 'wanted' | 'owned';
      readonly since?: Since;
    }
  /** Becomes the owner of a topic; needs the right to write. Owners are not members. */
  | { readonly type: 'claim'; readonly topic: string }
  /** Of a topic that it is not a member of: nothing. */
  | {
      readonly type: 'leave';
      readonly topic: string;
      /** An event is to say when nothing of the topic comes any more. */
      readonly isHeard?: true;
    }
  /**
   * Needs the right to write; refused by an event when there is none, and silent otherwise, but for an exchange. An
   * empty message of an exchange is judged, and goes nowhere. `receipt`: JSON text of 64 characters at most, and the
   * answer is an event, with this receipt. `key`: of several messages with the same key the first alone is delivered.
   */
  | {
      readonly type: 'publish';
      readonly topic: string;
      readonly message: Message;
      readonly receipt?: string;
      readonly key?: string;
    }
  /** Completes the upgrade, or begins the stream. Until then the connection can be answered with a `reply`. */
  | { readonly type: 'accept' }
  | HttpReply
  /** The client has answered a ping that was a frame of the protocol. */
  | { readonly type: 'alive' }
  /** Finished bytes for this client alone. */
  | { readonly type: 'send'; readonly bytes: Buffer }
  /** Ends the connection; nothing more of what the client sent is handled. */
  | { readonly type: 'close'; readonly code: number; readonly reason: string };

/** For sessions that have nothing to do. */
export const nothing: readonly Command[] = [];
