import { kindOf, MESSAGE_HEAD, readMessage, writeMessage } from '../../door/peer/batch.ts';
import { Reader } from '../../door/peer/wire.ts';
import type { Message } from '../../topic/message.ts';

/** What a message of NATS carries: one or more messages of one topic, each as in a batch between relays of a mesh. */
export function encodeMessages(messages: readonly Message[]): Buffer {
  let total = 0;
  for (const { payload } of messages) total += MESSAGE_HEAD + payload.length;
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const message of messages) at = writeMessage(bytes, at, kindOf(message), message.payload);
  return bytes;
}

/** The payloads are views of `bytes`. Null: it is not of this form. */
export function decodeMessages(bytes: Buffer): Message[] | null {
  const from = new Reader(bytes);
  const messages: Message[] = [];
  while (from.left > 0) {
    const message = readMessage(from);
    if (message === null || from.bad) return null;
    messages.push(message);
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
    const cost = MESSAGE_HEAD + message.payload.length;
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
