/** WebSocket close codes (RFC 6455, section 7.4.1, and the IANA registry) with which we end connections. */
export const NORMAL = 1000;
/** The relay is shutting down. */
export const GOING_AWAY = 1001;
/** Only ever logged: a close frame without a code. */
export const NO_STATUS = 1005;
/** Only ever logged: the connection broke without a close frame. */
export const ABNORMAL = 1006;
export const INVALID_TEXT = 1007;
export const POLICY_VIOLATION = 1008;
export const TOO_BIG = 1009;
export const INTERNAL_ERROR = 1011;
/** Come back later: the client does not read, or the relay cannot serve it now. */
export const TRY_AGAIN_LATER = 1013;

/** How an accepted connection ends. All that is told of an end follows from this, in `tellingOf`. */
export type End =
  /** The client did not read: so many bytes waited for it, or nothing was read for so many milliseconds. */
  | { readonly type: 'slow'; readonly limit: 'pending' | 'write_stall'; readonly reached: number }
  /** The client took what it had missed more slowly than the topic went on. */
  | { readonly type: 'slow'; readonly limit: 'resume' }
  /** The client, or its machine, gave no sign of life for so many milliseconds. */
  | { readonly type: 'no pong' | 'no acknowledgement'; readonly after: number }
  /** The socket closed without a close frame. */
  | { readonly type: 'connection lost' }
  /** The client closed, with this code. */
  | { readonly type: 'left'; readonly code: number }
  /** The client sent what no WebSocket may. */
  | { readonly type: 'fault'; readonly code: number; readonly reason: string }
  /** The door's session ended it, in the words of its protocol: `owned elsewhere`, `topic ended`, … */
  | { readonly type: 'session'; readonly code: number; readonly reason: string }
  | { readonly type: 'authorize first' | 'authorize timeout' | 'too many failed authorisations' }
  | { readonly type: 'revoked' | 'expired' }
  /** A topic that was lost could not be had again. */
  | { readonly type: 'topic lost' }
  /** The relay or its door was drained. */
  | { readonly type: 'drained' }
  /** An operator disconnected it, with these words for the client. */
  | { readonly type: 'operator'; readonly words: string }
  | { readonly type: 'crash'; readonly why: string }
  | { readonly type: 'killed' };

export interface Telling {
  /** Of the close frame and the log. */
  readonly code: number;
  readonly reason: string;
  /** `warn`: the relay is why, and not its client, whatever the client did. */
  readonly level: 'info' | 'warn';
  /** What the messages count as that still waited for the client. */
  readonly dropped: 'slow' | 'closed' | 'crash';
  /** What led to the end, in words for people. */
  readonly event: string;
}

/** How a connection ended. Written for every one that was accepted. */
export interface Closed {
  readonly door: string;
  readonly conn: number;
  readonly code: number;
  readonly reason: string;
  readonly address: string;
  /** Messages that came from the client, and deliveries that went to it. */
  readonly in: number;
  readonly out: number;
  /** Messages that came from the client and were never published, though nobody had refused them; absent: none. */
  readonly unpublished?: number;
  /** Milliseconds. */
  readonly age: number;
  /** Who it was, where the authenticator has said so. */
  readonly subject?: string;
}

/** What else is known of a connection at its end: for an operator who asks `why`, not for the log. */
export interface ClosedDetails {
  readonly authorised: boolean;
  /** Some of the topics that it was in. */
  readonly topics: readonly string[];
  readonly topicCount: number;
  /** The topic that it owned. */
  readonly owned: string | null;
  /** Bytes. */
  readonly pendingHighWater: number;
  /** Milliseconds of the last ping and its pong; null: there was none. */
  readonly roundTrip: number | null;
  /** What led to the end, in words. */
  readonly event: string;
}

export interface ConnectionLog {
  closed(closed: Closed, level: 'info' | 'warn', details: ClosedDetails): void;
  /** `offered`: subprotocols, where those are why. */
  refused(door: string, status: number, address: string, offered?: string): void;
}

export function tellingOf(end: End, transport: 'websocket' | 'stream' | 'exchange'): Telling {
  switch (end.type) {
    case 'slow':
      return { ...told(TRY_AGAIN_LATER, 'slow', slowness(end)), dropped: 'slow' };
    case 'no pong':
      return told(
        ABNORMAL,
        end.type,
        `a ping was not answered within ${end.after} ms (limits.pong), and no byte has moved`,
      );
    case 'no acknowledgement':
      return told(ABNORMAL, end.type, `its machine acknowledged nothing for ${end.after} ms (limits.pong)`);
    case 'connection lost':
      return told(ABNORMAL, end.type, 'the socket closed without a close frame');
    case 'left':
      return told(
        end.code,
        'closed by client',
        transport === 'stream' ? 'the client ended its request' : 'the client sent a close frame',
      );
    case 'fault':
    case 'session':
      return told(end.code, end.reason, 'the relay answered what the client had sent');
    case 'authorize first':
      return told(TOO_BIG, end.type, 'it sent more than a client may that has no right yet');
    case 'authorize timeout':
      return told(POLICY_VIOLATION, end.type, 'no right was granted in time (limits.authorise)');
    case 'too many failed authorisations':
      return told(POLICY_VIOLATION, end.type, 'too many wrong credentials came from its address');
    case 'revoked':
      return told(POLICY_VIOLATION, end.type, 'a right that it used was taken back');
    case 'expired':
      return told(POLICY_VIOLATION, end.type, 'a right that it used has expired');
    case 'topic lost':
      return {
        ...told(TRY_AGAIN_LATER, end.type, 'its topic ended and could not be had again'),
        level: 'warn',
      };
    case 'drained':
      return told(GOING_AWAY, 'going away', 'the relay or its door was drained');
    case 'operator':
      return told(GOING_AWAY, end.words, 'an operator disconnected it');
    case 'crash':
      return {
        ...told(INTERNAL_ERROR, 'crash', `its process crashed: ${end.why}`),
        level: 'warn',
        dropped: 'crash',
      };
    case 'killed':
      return { ...told(ABNORMAL, 'killed', 'its process was killed'), level: 'warn', dropped: 'crash' };
  }
}

function told(code: number, reason: string, event: string): Telling {
  return { code, reason, level: 'info', dropped: 'closed', event };
}

function slowness(end: Extract<End, { readonly type: 'slow' }>): string {
  switch (end.limit) {
    case 'pending':
      return `${end.reached} bytes waited for it (limits.pending)`;
    case 'write_stall':
      return `it read nothing for ${end.reached} ms (limits.write_stall)`;
    case 'resume':
      return 'its topic went on faster than it took what it had missed (history.resume)';
  }
}

/** What a close code that ws has chosen says of the client, in the log. */
export function reasonOfFault(code: number): string {
  switch (code) {
    case INVALID_TEXT:
      return 'invalid UTF-8';
    case TOO_BIG:
      return 'message too big';
    case POLICY_VIOLATION:
      return 'too many fragments';
    default:
      return 'protocol error';
  }
}
