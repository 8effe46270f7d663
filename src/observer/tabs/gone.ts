import type { Ended } from '../../view/history.ts';
import { listTab } from '../tab.ts';

export const gone = listTab<Ended>({
  title: 'Closed',
  total: 'gone',
  empty: 'No client has gone, and none was turned away.',
  key: ['at', 'conn', 'address'],
  pid: 'conn',
  also: [
    'type',
    'code',
    'event',
    'authorised',
    'topicCount',
    'owned',
    'in',
    'out',
    'pendingHighWater',
    'roundTrip',
  ],
  first: 'at',
  items: ({ view }) => view.history.ended(),
  matches: (ended, filter) => {
    const known = [ended.door, ended.address, ended.reason];
    if (ended.type === 'closed') known.push(ended.subject ?? '', ended.event, ...ended.topics);
    return known.some((text) => text.toLowerCase().includes(filter));
  },
  row: (ended) => ended,
  columns: [
    { field: 'at', head: 'When', kind: 'when', early: true, order: ({ at }) => at },
    {
      field: 'conn',
      head: 'Pid',
      kind: 'mono',
      natural: 'asc',
      order: (ended) => (ended.type === 'closed' ? -ended.conn : null),
    },
    { field: 'door', head: 'Door', kind: 'text', natural: 'asc', order: ({ door }) => door },
    { field: 'address', head: 'Address', kind: 'mono', natural: 'asc', order: ({ address }) => address },
    {
      field: 'subject',
      head: 'Who',
      kind: 'name',
      natural: 'asc',
      order: (ended) => (ended.type === 'closed' ? (ended.subject ?? null) : null),
    },
    { field: 'reason', head: 'Why', kind: 'why', early: true, natural: 'asc', order: ({ reason }) => reason },
    {
      field: 'topics',
      head: 'Topics',
      kind: 'names',
      order: (ended) => (ended.type === 'closed' ? ended.topicCount : null),
    },
    {
      field: 'age',
      head: 'Lived',
      kind: 'duration',
      order: (ended) => (ended.type === 'closed' ? ended.age : null),
    },
  ],
});
