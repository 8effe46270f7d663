import type { RelayView } from '../view/relay-view.ts';
import type { Sampling } from '../view/sampling.ts';
import { byKey, type Definitions } from './definitions.ts';

/** Those who are connected, those who were turned away, and who asks for them. */
export function clientMetrics(
  view: RelayView,
  sampling: Sampling,
  { gauge, counter, histogram }: Definitions,
): void {
  const { doors, chronicle, admission, authenticators, refused } = view;
  gauge(
    'connections',
    'Accepted connections that are open.',
    () => doors().map(({ name, counters }) => [counters.connections, { door: name }] as const),
    ['door'],
  );
  counter(
    'closes_total',
    'Accepted connections that ended.',
    () => [...chronicle.closes].map(({ count, labels }) => [count, labels] as const),
    ['door', 'code', 'reason'],
  );
  counter(
    'refusals_total',
    'Connections and requests that were turned away, by limit or HTTP status.',
    () => [...chronicle.refusals].map(({ count, labels }) => [count, labels] as const),
    ['door', 'reason'],
  );
  counter(
    'gate_refusals_total',
    'What the limits and checks before a door turned away.',
    () => byKey(refused(), 'reason'),
    ['reason'],
  );
  gauge('admitted_sockets', 'Sockets that count against limits.connections.', () => [[admission.open]]);
  gauge('shedding', '1 while new connections are turned away because the heap is nearly full.', () => [
    [admission.shedding ? 1 : 0],
  ]);
  gauge('pending_bytes', 'Bytes that wait to be written to clients.', () => [[sampling.census().pending]]);
  gauge(
    'slow_connections',
    'Clients that are behind: those that hold their topics back, and those that do not read at all.',
    () => {
      const { behind, stalled } = sampling.census();
      return [
        [behind, { state: 'behind' }],
        [stalled, { state: 'stalled' }],
      ];
    },
    ['state'],
  );
  const guard = ['guard', 'authenticator'];
  counter(
    'authenticator_calls_total',
    'Questions to an authenticator, by whether it answered.',
    function* () {
      for (const { guard, authenticator, answered, failed } of authenticators()) {
        yield [answered, { guard, authenticator, outcome: 'answered' }];
        yield [failed, { guard, authenticator, outcome: 'failed' }];
      }
    },
    [...guard, 'outcome'],
  );
  histogram('authenticator_call_seconds', 'From the question to an authenticator to its answer.', () =>
    authenticators().map(({ guard, authenticator, latency }) => [latency, { guard, authenticator }] as const),
  );
}
