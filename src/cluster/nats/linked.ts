import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { inform, type Self, send } from '../../otp/process.ts';
import { now } from '../../otp/timer.ts';
import type { LinkMessage } from '../backplane.ts';
import { keyOf, type TopicKey } from '../topic-key.ts';
import type { Conversation } from './conversation.ts';
import { notTaken } from './intake.ts';
import type { NatsLinkMessage } from './nats-link-state.ts';
import type { NatsNetwork } from './network.ts';
import type { Outlet } from './outlet.ts';

/** A connection in use: what is subscribed to on it, and what the server has confirmed. */
export interface Linked extends Outlet {
  readonly talk: Conversation;
  readonly subscriptions: Map<string, Subscription>;
  /** Bytes that had come at the last heartbeat, and when they had become more. */
  received: number;
  heardAt: number;
}

/** What the functions here need of the link. */
interface Link {
  readonly self: Self<NatsLinkMessage>;
  readonly network: NatsNetwork;
}

/** To a topic, or to what relays say to each other. */
export function subscribe(
  { self, network }: Link,
  connection: NatsConnection,
  subject: string,
  topic: TopicKey | null,
): Subscription {
  return connection.subscribe(subject, {
    callback: (error, message) => {
      if (error === null && !send(self, { type: 'arrived', connection, topic, message }) && topic !== null)
        notTaken(network, message.data, 'refused');
    },
  });
}

/** Subscribes as the interest server says, and tells the link when the server knows. */
export function interest(
  state: Link,
  linked: Linked,
  { version, all, add, drop }: Extract<LinkMessage, { readonly type: 'interest' }>,
): void {
  const { self } = state;
  const { connection, subscriptions } = linked;
  if (connection.isClosed()) return;
  if (all) {
    const named = new Set(add.map(keyOf));
    for (const key of subscriptions.keys()) if (!named.has(key)) unsubscribe(linked, key);
  }
  for (const { realm, name } of drop) unsubscribe(linked, keyOf({ realm, name }));
  for (const topic of add) {
    const key = keyOf(topic);
    if (subscriptions.has(key)) continue;
    subscriptions.set(key, subscribe(state, connection, linked.subjects.topic(topic), topic));
  }
  afterAll(connection, () => inform(self, { type: 'subscribed', connection, version }));
}

function unsubscribe({ subscriptions }: Linked, key: string): void {
  subscriptions.get(key)?.unsubscribe();
  subscriptions.delete(key);
}

/** Calls back when the server has taken all that it was told so far; never, if the connection ends before. */
export function afterAll(connection: NatsConnection, then: () => void): void {
  if (connection.isClosed()) return;
  connection.flush().then(then, () => undefined);
}

/** Asks the server whether it has taken what was handed over; `always`: whether it is there. */
export function askServer({ self }: Link, linked: Linked, always = false): void {
  const { connection, window } = linked;
  if (linked.askedAt !== null || (!window.ask() && !always)) return;
  linked.askedAt = now(self);
  afterAll(connection, () => inform(self, { type: 'answered', connection }));
}

/**
 * Whether the server has said nothing for so many milliseconds that it was asked something. What it sends counts as well
 * as its answer, which stands behind all that is under way.
 */
export function isSilent({ self }: Link, linked: Linked, timeout: number): boolean {
  const { connection, askedAt } = linked;
  const { inBytes } = connection.stats();
  if (inBytes !== linked.received) linked.heardAt = now(self);
  linked.received = inBytes;
  return askedAt !== null && now(self) - Math.max(askedAt, linked.heardAt) >= timeout;
}

export function answered({ network, self }: Link, linked: Linked): void {
  const count = linked.window.answered();
  if (linked.askedAt !== null) network.stats.roundTrip = now(self) - linked.askedAt;
  linked.askedAt = null;
  network.stats.sent += count;
  network.topics().accounting.deliver(count);
}
