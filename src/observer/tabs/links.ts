import type { LinkView } from '../../view/relay-view.ts';
import { listTab } from '../tab.ts';

export const links = listTab<LinkView>({
  title: 'Links',
  total: 'links',
  empty: 'This relay has no links to others.',
  key: ['direction', 'peer', 'address'],
  pid: null,
  also: ['why'],
  first: 'peer',
  items: ({ view }) => view.links() ?? [],
  matches: ({ peer, address, state, why }, filter) =>
    [peer, address ?? '', state, why ?? ''].some((text) => text.toLowerCase().includes(filter)),
  row: (link) => link,
  columns: [
    { field: 'peer', head: 'Relay', kind: 'mono', early: true, natural: 'asc', order: ({ peer }) => peer },
    { field: 'direction', head: 'Way', kind: 'way', natural: 'asc', order: ({ direction }) => direction },
    { field: 'state', head: 'State', kind: 'link', early: true, natural: 'asc', order: ({ state }) => state },
    { field: 'address', head: 'Address', kind: 'mono', natural: 'asc', order: ({ address }) => address },
    {
      field: 'roundTrip',
      head: 'Round trip',
      hint: 'From a question to its answer, behind the messages that were under way',
      kind: 'milliseconds',
      order: ({ roundTrip }) => roundTrip,
    },
    {
      field: 'lag',
      head: 'Lag',
      hint: 'How late the messages come on the other side',
      kind: 'milliseconds',
      order: ({ lag }) => lag,
    },
    { field: 'messages', head: 'Messages', kind: 'count', order: ({ messages }) => messages },
    { field: 'bytes', head: 'Bytes', kind: 'bytes', order: ({ bytes }) => bytes },
    {
      field: 'pending',
      head: 'Waiting',
      hint: 'Bytes that wait to be written',
      kind: 'bytes',
      order: ({ pending }) => pending,
    },
    {
      field: 'lost',
      head: 'Lost',
      hint: 'Messages meant for the other side that did not get there',
      kind: 'count',
      order: ({ lost }) => lost,
    },
    {
      field: 'reconnects',
      head: 'Made again',
      hint: 'How often the link was made again',
      kind: 'count',
      order: ({ reconnects }) => reconnects,
    },
  ],
});
