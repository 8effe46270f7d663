import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { costOf, type Message } from '../../topic/message.ts';
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

/** Publishes what one turn of a topic has brought, and counts what cannot be. Never waits. */
export function handOver(network: NatsNetwork, outlet: Outlet | undefined, published: Published): void {
  const { topic, messages } = published;
  const { accounting } = network.topics();
  const { stats } = network;
  if (outlet === undefined || outlet.connection.isClosed()) {
    accounting.drop(messages.length, 'unlinked');
    stats.unlinked += messages.length;
    published.left = 0;
    return;
  }
  const { connection, headers, subjects, window } = outlet;
  const { runs, tooLarge } = split(messages, outlet.maxPayload - HEADERS);
  accounting.drop(tooLarge, 'undeliverable');
  stats.tooLarge += tooLarge;
  published.left -= tooLarge;
  for (const run of runs) {
    const bytes = encodeMessages(run);
    published.left -= run.length;
    if (window.add(run.length, costOf(bytes.length))) {
      connection.publish(subjects.topic(topic), bytes, { headers });
      stats.bytesOut += bytes.length;
      continue;
    }
    accounting.drop(run.length, 'overflow');
    stats.overflow += run.length;
    outlet.overflow.add(topic, run.length);
  }
}
