import type { TopicKey } from '../../door/peer/codec.ts';
import { costOf, type Message } from '../../topic/message.ts';
import { Overflow } from '../overflow.ts';
import { encodeMessages, split } from './payload.ts';
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
