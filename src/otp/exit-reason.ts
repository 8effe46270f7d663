/**
 * Why a process ended. `normal`, `shutdown` and `{ shutdown }` are orderly: nobody is told loudly. All others are
 * crashes. As in OTP a killed process ends with `killed`, and `noproc` stands for one that was never there.
 */
export type ExitReason =
  | 'normal'
  | 'shutdown'
  | 'killed'
  | 'noproc'
  | { readonly shutdown: string }
  | { readonly stop: string }
  | { readonly error: Error };

/** What a process may be told with an exit signal: `kill` cannot be trapped and arrives elsewhere as `killed`. */
export type ExitSignal = ExitReason | 'kill';

/** True for the reasons after which a transient child stays down and no report is written. */
export function isOrderly(reason: ExitReason): boolean {
  return reason === 'normal' || reason === 'shutdown' || (typeof reason === 'object' && 'shutdown' in reason);
}

/** One line for people: `shutdown: drained`, `TypeError: x is not a function`. Holds no message contents. */
export function describeReason(reason: ExitReason): string {
  if (typeof reason === 'string') return reason;
  if ('shutdown' in reason) return `shutdown: ${reason.shutdown}`;
  if ('stop' in reason) return reason.stop;
  return describeError(reason.error);
}

/** Name and message. A SyntaxError's message is left out: V8 quotes the text that was parsed, which may be a client's. */
export function describeError(error: Error): string {
  return error instanceof SyntaxError ? error.name : `${error.name}: ${error.message}`;
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(`thrown: ${typeof thrown}`);
}
