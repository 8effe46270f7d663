import type { RelayView } from '../view/relay-view.ts';
import type { Sampling } from '../view/sampling.ts';
import type { Definitions } from './definitions.ts';

/** The supervision tree. */
export function processMetrics(
  { system }: RelayView,
  sampling: Sampling,
  { gauge, counter }: Definitions,
): void {
  const { counters, restarts } = system;
  const kinds = ['kind'];
  const ofKind = (read: 'count' | 'mailbox' | 'highWater') => () =>
    [...sampling.census().kinds].map(([kind, census]) => [census[read], { kind }] as const);
  gauge('processes', 'Live processes.', ofKind('count'), kinds);
  gauge('mailbox_messages', 'Messages that wait in mailboxes.', ofKind('mailbox'), kinds);
  gauge(
    'mailbox_high_water_messages',
    'The longest that the mailbox of a live process has been.',
    ofKind('highWater'),
    kinds,
  );
  gauge('timers', 'Timers that processes have set.', () => [[sampling.census().timers]]);
  counter(
    'restarts_total',
    'Children that a supervisor has restarted.',
    () => [...restarts].map(([supervisor, count]) => [count, { supervisor }] as const),
    ['supervisor'],
  );
  counter('processes_started_total', 'Processes that were started.', () => [[counters.spawned]]);
  counter('crashes_total', 'Processes that crashed.', () => [[counters.crashed]]);
  counter('dead_letters_total', 'Messages sent to a process that was dead.', () => [[counters.deadLetters]]);
  counter('mailbox_refused_total', 'Messages that a full mailbox refused.', () => [[counters.refused]]);
}
