import type { Format, Message } from '../topic/message.ts';

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
      /** websocket: an upgrade; exchange: one HTTP request, its body, one answer. */
      readonly transport: 'websocket' | 'exchange';
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
 * What may happen to a session. What the client sends while a question (`authorise`, `join`, `claim`) is open waits
 * until it has been answered.
 */
export type Event =
  /** A whole message. Text is valid UTF-8. It is a view of a read buffer: copy what is kept. */
  | { readonly type: 'text' | 'binary'; readonly payload: Buffer }
  /** The body of an exchange, whole. */
  | { readonly type: 'body'; readonly payload: Buffer }
  /** Answers `authorise`. `granted`: at least one right was; `unrecognised`: one that everybody has, if any. */
  | { readonly type: 'authorised'; readonly granted: boolean; readonly unrecognised?: true }
  /** The authenticator did not answer, or could not; in place of the answer to any question. */
  | { readonly type: 'unavailable' }
  /** The same, where the fault is not one that goes away: who was asked has answered what is no answer. */
  | { readonly type: 'faulty' }
  /** Answers `join`: every message accepted from now on will be delivered. */
  | { readonly type: 'joined'; readonly topic: string }
  /** Answers `claim`: the connection owns the topic. */
  | { readonly type: 'claimed'; readonly topic: string }
  /** Answers a `publish` of an exchange: the topic has taken the message. */
  | { readonly type: 'published'; readonly topic: string }
  | Refused
  /** The topic's owner is gone for good: for those who joined with `while: 'owned'`. */
  | { readonly type: 'ended'; readonly topic: string };

/**
 * A join, claim or publish that is not to be.
 * forbidden: no right. denied: the request as a whole was judged, and refused. missing: `while: 'owned'` and nobody owns it. owned: another connection does.
 * too-many: more topics than one connection may have. unavailable: the relay cannot, now.
 */
export interface Refused {
  readonly type: 'refused';
  readonly action: 'join' | 'claim' | 'publish';
  readonly topic: string;
  readonly why: 'forbidden' | 'denied' | 'missing' | 'owned' | 'too-many' | 'unavailable';
}

export type Command =
  /** Asks for the rights of a credential; they are added to those that the connection has. */
  | { readonly type: 'authorise'; readonly authorization: string }
  /** Becomes a member; needs the right to read. `while: 'owned'`: only of a topic that has an owner, until it has none. */
  | { readonly type: 'join'; readonly topic: string; readonly while: 'wanted' | 'owned' }
  /** Becomes the owner of a topic; needs the right to write. Owners are not members. */
  | { readonly type: 'claim'; readonly topic: string }
  /** Of a topic that it is not a member of: nothing. */
  | { readonly type: 'leave'; readonly topic: string }
  /**
   * Needs the right to write; refused by an event when there is none, and silent otherwise, but for an exchange. An
   * empty message of an exchange is judged, and goes nowhere.
   */
  | { readonly type: 'publish'; readonly topic: string; readonly message: Message }
  /** Completes the upgrade, or begins the stream. Until then the connection can be answered with a `reply`. */
  | { readonly type: 'accept' }
  | HttpReply
  /** Finished bytes for this client alone. */
  | { readonly type: 'send'; readonly bytes: Buffer }
  /** Ends the connection; nothing more of what the client sent is handled. */
  | { readonly type: 'close'; readonly code: number; readonly reason: string };

/** For sessions that have nothing to do. */
export const nothing: readonly Command[] = [];
