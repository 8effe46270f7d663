import { jsonMessage } from '../../topic/json-message.ts';
import type { Message } from '../../topic/message.ts';

/**
 * What a message of NATS carries: one or more messages of one topic, each a byte for its kind, its length in 32 bits
 * (network order), and its bytes; of the kind `json`, the sender's own frame.
 */
const kinds = ['text', 'binary', 'json'] as const;
const HEAD = 5;

export function encodeMessages(messages: readonly Message[]): Buffer {
  let total = 0;
  for (const { payload } of messages) total += HEAD + payload.length;
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const { kind, payload } of messages) {
    bytes[at] = kinds.indexOf(kind);
    bytes.writeUInt32BE(payload.length, at + 1);
    bytes.set(payload, at + HEAD);
    at += HEAD + payload.length;
  }
  return bytes;
}

/** The payloads are views of `bytes`. Null: it is not of this form. */
export function decodeMessages(bytes: Buffer): Message[] | null {
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEAD) return null;
    const kind = kinds[bytes[at] as number];
    const length = bytes.readUInt32BE(at + 1);
    const from = at + HEAD;
    at = from + length;
    if (kind === undefined || at > bytes.length) return null;
    const payload = bytes.subarray(from, at);
    messages.push(kind === 'json' ? jsonMessage(payload) : { kind, payload });
  }
  return messages.length === 0 ? null : messages;
}

/** The messages in runs of which each takes no more than `limit` bytes, and those that take more alone. */
export function split(
  messages: readonly Message[],
  limit: number,
): { readonly runs: Message[][]; readonly tooLarge: number } {
  const runs: Message[][] = [];
  let run: Message[] = [];
  let size = 0;
  let tooLarge = 0;
  for (const message of messages) {
    const cost = HEAD + message.payload.length;
    if (cost > limit) {
      tooLarge++;
      continue;
    }
    if (run.length > 0 && size + cost > limit) {
      runs.push(run);
      run = [];
      size = 0;
    }
    run.push(message);
    size += cost;
  }
  if (run.length > 0) runs.push(run);
  return { runs, tooLarge };
}
