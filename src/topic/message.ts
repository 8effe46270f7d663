/**
 * A message as its publisher sent it, and no door's own. What each door makes of it is in the door's `Format`.
 *
 * - `text`: `payload` is valid UTF-8.
 * - `binary`: any bytes.
 * - `json`: `payload` is the sender's own frame, for doors that speak JSON to pass on byte for byte; `content` finds in
 *   it what text doors deliver: a string content as itself, any other as its JSON text as sent, null when there is none.
 */
export type Message =
  | { readonly kind: 'text'; readonly payload: Buffer }
  | { readonly kind: 'binary'; readonly payload: Buffer }
  | { readonly kind: 'json'; readonly payload: Buffer; readonly content: () => Buffer | null };
