import type { RelayView } from '../view/relay-view.ts';
import { byKey, type Definitions } from './definitions.ts';

/** What becomes of messages. */
export function messageMetrics(
  { topics, doors }: RelayView,
  { gauge, counter, histogram }: Definitions,
): void {
  const { accounting } = topics;
  counter('messages_total', 'Messages taken from publishers.', () => [[accounting.messages]]);
  counter(
    'door_messages_total',
    'Messages that came in at a door.',
    function* () {
      for (const { name: door, counters } of doors()) {
        yield [counters.messages, { door, via: 'websocket' }];
        yield [counters.posts, { door, via: 'http' }];
      }
    },
    ['door', 'via'],
  );
  counter(
    'delivery_attempts_total',
    'Messages for members: one for each message and member. Deliveries and drops add up to it.',
    () => [[accounting.attempts]],
  );
  counter('deliveries_total', 'Messages handed to the kernel for a member.', () => [[accounting.delivered]]);
  counter(
    'dropped_total',
    'Messages for members that did not reach them.',
    () => byKey(accounting.dropped, 'reason'),
    ['reason'],
  );
  counter('lost_total', 'Messages that were fanned out to nobody.', () => byKey(accounting.lost, 'reason'), [
    'reason',
  ]);
  histogram(
    'publish_to_write_seconds',
    'From taking a message to its write at a member. One message in 64 is timed, and one each second.',
    () => [[accounting.latency, {}]],
  );
  histogram('fanout_members', 'Members that a delivery goes to, of the messages that are timed.', () => [
    [accounting.fanOut, {}],
  ]);
  gauge(
    'topics',
    'Live topics.',
    () => {
      const counts = new Map<string, number>(doors().map(({ realm }) => [realm, 0]));
      for (const { realm } of topics.all()) counts.set(realm, (counts.get(realm) ?? 0) + 1);
      return [...counts].map(([realm, count]) => [count, { realm }] as const);
    },
    ['realm'],
  );
}
