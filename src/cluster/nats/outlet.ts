import { kindOf, MESSAGE_HEAD, writeMessage } from '../../door/peer/batch.ts';
import type { TopicKey } from '../../door/peer/codec.ts';
import { costOf, type Message } from '../../topic/message.ts';
import { Overflow } from '../overflow.ts';
import type { Window } from './window.ts';

/** What becomes of messages: published as these payloads, and confirmed later; or dropped, so many for each reason. */
interface Outgoing {
  readonly payloads: readonly Buffer[];
  readonly tooLarge: number;
  readonly overflow: number;
}

/** Above what the one header takes, in bytes. */
const HEADERS = 512;

/** The way out through one connection: what fits into its messages and into the window of what is not confirmed. */
export class Outlet {
  readonly #window: Window;
  readonly #limit: number;
  readonly #overflow = new Overflow();

  /** `maxPayload`: bytes that the server takes in one message, headers included. */
  constructor(window: Window, maxPayload: number) {
    this.#window = window;
    this.#limit = maxPayload - HEADERS;
  }

  /** What one turn of a topic has brought. */
  take(topic: TopicKey, messages: readonly Message[]): Outgoing {
    const { runs, tooLarge } = split(messages, this.#limit);
    const payloads: Buffer[] = [];
    let overflow = 0;
    for (const run of runs) {
      const bytes = encodeMessages(run);
      if (this.#window.add(run.length, costOf(bytes.length))) payloads.push(bytes);
      else overflow += run.length;
    }
    if (overflow > 0) this.#overflow.add(topic, overflow);
    return { payloads, tooLarge, overflow };
  }

  /** Messages that were dropped for want of room since this was asked last, by topic; null: none. */
  overflowed(): Readonly<Record<string, number>> | null {
    return this.#overflow.take();
  }
}

/** What a message of NATS carries: one or more messages of one topic, each as in a batch between relays of a mesh. */
export function encodeMessages(messages: readonly Message[]): Buffer {
  let total = 0;
  for (const { payload } of messages) total += MESSAGE_HEAD + payload.length;
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const message of messages) at = writeMessage(bytes, at, kindOf(message), message.payload);
  return bytes;
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
