import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import type { Message } from '../../topic/message.ts';
import type { Overflow } from '../overflow.ts';
import type { TopicKey } from '../topic-key.ts';
import type { NatsNetwork } from './network.ts';
import { encodeMessages, split } from './payload.ts';
import type { Subjects } from './subject.ts';
import type { Window } from './window.ts';

/** What one turn of a topic has brought. */
export interface Published {
  readonly type: 'published';
  readonly topic: TopicKey;
  readonly messages: readonly Message[];
  /** How many of them are not counted yet: should the link crash on them, those alone are counted then. */
  left: number;
}

/** A connection as messages go out through it. */
export interface Outlet {
  readonly connection: NatsConnection;
  readonly headers: MsgHdrs;
  readonly subjects: Subjects;
  readonly window: Window;
  readonly overflow: Overflow;
  /** Bytes that the server takes in one message, headers included. */
  readonly maxPayload: number;
  /** When the server was asked the question that it has not answered; null: there is none. */
  askedAt: number | null;
}

/** Above what the one header takes. */
const HEADERS = 512;
/** Bytes that a message costs beside its own. */
const COST = 64;

/** Publishes what one turn of a topic has brought, and counts what cannot be. Never waits. */
export function handOver(network: NatsNetwork, outlet: Outlet | undefined, published: Published): void {
  const { topic, messages } = published;
  const { dropped } = network.topics().accounting;
  const { stats } = network;
  if (outlet === undefined || outlet.connection.isClosed()) {
    dropped.unlinked += messages.length;
    stats.unlinked += messages.length;
    published.left = 0;
    return;
  }
  const { connection, headers, subjects, window } = outlet;
  const { runs, tooLarge } = split(messages, outlet.maxPayload - HEADERS);
  dropped.undeliverable += tooLarge;
  stats.tooLarge += tooLarge;
  published.left -= tooLarge;
  for (const run of runs) {
    const bytes = encodeMessages(run);
    published.left -= run.length;
    if (window.add(run.length, bytes.length + COST)) {
      connection.publish(subjects.topic(topic), bytes, { headers });
      stats.bytesOut += bytes.length;
      continue;
    }
    dropped.overflow += run.length;
    stats.overflow += run.length;
    outlet.overflow.add(topic, run.length);
  }
}
