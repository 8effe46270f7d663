import type { LinkView } from '../view/link-view.ts';
import type { RelayView } from '../view/relay-view.ts';
import type { Definitions } from './definitions.ts';

/** The links to other relays. Their names are those of the network's own relays: as many as there are links. */
export function linkMetrics({ links }: RelayView, { gauge, counter }: Definitions): void {
  const labels = ['peer', 'direction'];
  const all = () => links() ?? [];
  const each = (read: (link: LinkView) => number | null) =>
    function* () {
      const said = new Set<string>();
      for (const link of all()) {
        const { peer, direction } = link;
        const value = read(link);
        // A relay may be in the list by two addresses: it is counted once.
        if (value === null || said.has(`${direction} ${peer}`)) continue;
        said.add(`${direction} ${peer}`);
        yield [value, { peer, direction }] as const;
      }
    };
  gauge(
    'links',
    'Links to other relays, or to the network that carries their messages, by state.',
    function* () {
      for (const state of ['up', 'down'])
        yield [all().filter((link) => link.state === state).length, { state }] as const;
    },
    ['state'],
  );
  gauge(
    'link_up',
    'Whether a link is up.',
    each(({ state }) => (state === 'up' ? 1 : 0)),
    labels,
  );
  gauge(
    'link_round_trip_seconds',
    'From a question over a link to its answer, behind what was under way.',
    each(({ roundTrip }) => roundTrip),
    labels,
  );
  gauge(
    'link_lag_seconds',
    'How far what has come to the other side is behind what was sent there.',
    each(({ lag }) => lag),
    labels,
  );
  gauge(
    'link_pending_bytes',
    'Bytes that wait to be written to a link.',
    each(({ messages, pending }) => (messages === null ? null : pending)),
    labels,
  );
  counter(
    'link_messages_total',
    'Messages over a link.',
    each(({ messages }) => messages),
    labels,
  );
  counter(
    'link_bytes_total',
    'Bytes of messages over a link.',
    each(({ bytes }) => bytes),
    labels,
  );
  counter(
    'link_lost_messages_total',
    'Messages for the other side of a link that did not get there.',
    each(({ messages, lost }) => (messages === null ? null : lost)),
    labels,
  );
  counter(
    'link_reconnects_total',
    'How often a link was made again.',
    each(({ messages, reconnects }) => (messages === null ? null : reconnects)),
    labels,
  );
}
