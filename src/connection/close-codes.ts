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
