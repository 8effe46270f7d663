import type { LinkView } from '../../view/link-view.ts';
import { safeLine } from './safe-text.ts';
import { table } from './table.ts';
import { size, whole } from './units.ts';

/** The links as lines for people. */
export function linksText(rows: readonly LinkView[]): string {
  const time = (seconds: number | null) =>
    seconds === null ? '-' : `${Math.round(seconds * 10_000) / 10}ms`;
  return table<LinkView>(
    [
      { title: 'peer', value: ({ peer }) => peer },
      { title: 'way', value: ({ direction }) => direction },
      { title: 'state', value: ({ state }) => state },
      { title: 'address', value: ({ address }) => address ?? '-' },
      { title: 'round trip', align: 'right', value: ({ roundTrip }) => time(roundTrip) },
      { title: 'lag', align: 'right', value: ({ lag }) => time(lag) },
      { title: 'messages', align: 'right', value: ({ messages }) => countOf(messages) },
      { title: 'bytes', align: 'right', value: ({ bytes }) => (bytes === null ? '-' : size(bytes)) },
      { title: 'lost', align: 'right', value: ({ lost }) => whole(lost) },
      { title: 'pending', align: 'right', value: ({ pending }) => size(pending) },
      { title: 'again', align: 'right', value: ({ reconnects }) => whole(reconnects) },
      { title: '', value: ({ why }) => (why === null ? '' : safeLine(why)) },
    ],
    rows,
  );
}

function countOf(count: number | null): string {
  return count === null ? '-' : whole(count);
}
