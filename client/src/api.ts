/// <reference lib="esnext.disposable" preserve="true" />

/** What came on a channel. */
export interface Message<T = unknown> {
  readonly type: 'message';
  readonly content: T;
  /** Its position, where the relay keeps the channel's history: a later `since`. */
  readonly at?: string;
  /** It was published before the relay answered the subscription, and comes from its history. */
  readonly replayed: boolean;
}

/** Messages that were published and will not come. */
export interface Gap {
  readonly type: 'gap';
  /** How many; absent: nobody can know. */
  readonly missed?: number;
  /** The position behind which they were; absent: not known. */
  readonly from?: string;
  /** The position of the last of them; absent: not known. */
  readonly to?: string;
  /**
   * `disconnected`: the connection was lost, and the relay keeps no history of the channel; `overflow`: the buffer here
   * was full; `unknown`: numbers were left out, and the relay has not said why; else in the relay's words, such as `too_old`, or
   * those of the error that ends the subscription: then nothing follows.
   */
  readonly why: string;
}

/** idle: the page is not to be seen, and the browser may put it away. waiting: for the next attempt. closed: for good. */
export type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

/** What the two sides speak: fanfare.1, or with an older relay or pusud what all of them know. */
export type Level = 'pusu' | 'fanfare.1';

export interface Options {
  /**
   * The credential, or a function that fetches one. It is asked for the `first`, when the last is `expiring`, and once after
   * one was `refused`; `null` ends the client. What it throws is tried again, as a connection is.
   */
  readonly token?:
    | string
    | ((why: TokenReason, signal: AbortSignal) => Promise<string | null> | string | null);
  /** Milliseconds. Before attempt n the client waits a random part of `base` · 2ⁿ, of `cap` at the most. */
  readonly retry?: { readonly base?: number; readonly cap?: number; readonly attempts?: number };
  /** Milliseconds without any frame of the relay's, until it is asked whether it is there. */
  readonly silence?: number;
  /** What becomes of a publish while there is no connection: it is rejected, or waits, up to so many characters. */
  readonly offline?: 'reject' | { readonly queue: number };
  /** In the place of the global one, or of `ws` in Node. */
  readonly WebSocket?: WebSocketClass;
}

export type TokenReason = 'first' | 'expiring' | 'refused';

export interface SubscribeOptions {
  /** From where on: a position, all that the relay keeps, the last that it keeps, or what comes from now on. */
  readonly since?: string;
  /** Messages that may wait for the loop that reads them. */
  readonly buffer?: number;
  /**
   * What happens when so many wait. `pause`: nothing more is read from the relay, which slows its publishers; a browser
   * cannot do that. `gap`: the oldest go, and a gap says how many.
   */
  readonly overflow?: 'pause' | 'gap';
  /** Milliseconds for which the relay is not told that the last subscription of a channel has ended. */
  readonly linger?: number;
}

export interface Client extends AsyncDisposable {
  readonly state: State;
  /** Known from the first connection on. */
  readonly level: Level | undefined;
  /** `error`: why it is waiting, or why it is closed where that was not asked for. Returns the function that ends it. */
  on(event: 'state', listener: (state: State, error?: FanfareError) => void): () => void;
  subscribe<T = unknown>(channel: string, options?: SubscribeOptions): Subscription<T>;
  /**
   * Settles when the relay has passed the message on, with its position where there is one. At level `pusu` nobody says so:
   * there it settles when the message is on its way. It is sent once, or not at all.
   */
  publish(channel: string, content: unknown, signal?: AbortSignal): Promise<string | undefined>;
  /** Settles when all that was published so far is answered, and the relay with it: with the milliseconds it took. */
  flush(): Promise<number>;
  /** What was published is still answered, for two seconds; then nothing is left, no timer and no listener. */
  close(): Promise<void>;
}

/** Ends by `end`, by leaving its loop, and with the client. Read by one loop, or by any number of listeners. */
export interface Subscription<T = unknown> extends AsyncIterable<Message<T> | Gap>, AsyncDisposable {
  readonly channel: string;
  /** Settles once the relay has answered. */
  readonly ready: Promise<void>;
  /** How far its reader has come: a later `since`. */
  readonly position: string | undefined;
  /** Returns the function that ends it. */
  on(listener: (event: Message<T> | Gap) => void): () => void;
  end(): Promise<void>;
}

/** Why something was not done, in one word. */
export class FanfareError extends Error {
  override readonly name = 'FanfareError';
  /**
   * `offline`: there is no connection; `unconfirmed`: it was lost before the answer, and the message may have been passed on;
   * `too_large`; `queue_full`; `closed`; `unauthorized`; `unreachable`; else in the relay's words, such as `permission_denied`.
   */
  readonly why: string;

  constructor(why: string, cause?: unknown) {
    super(cause ? `${why}: ${(cause as Error).message ?? cause}` : why, { cause });
    this.why = why;
  }
}

/** As much of a WebSocket as is used. Those that can pause and end at once are asked to. */
export interface Socket {
  readonly protocol: string;
  readonly bufferedAmount: number;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: object) => void) | null;
  send(text: string): void;
  close(code?: number): void;
  pause?(): void;
  resume?(): void;
  terminate?(): void;
}

export type WebSocketClass = new (url: string, protocols: string[]) => object;
