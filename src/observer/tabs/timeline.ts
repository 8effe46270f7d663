import type { Happening } from '../../view/happenings.ts';
import { happenings } from '../../view/timeline.ts';
import { listTab } from '../tab.ts';

export const timeline = listTab<Happening>({
  title: 'Time line',
  empty: 'Nothing has happened.',
  key: ['at', 'kind', 'of', 'what'],
  pid: null,
  first: 'at',
  items: ({ view }) => happenings(view.history),
  matches: ({ kind, of, what }, filter) =>
    [kind, of, String(what)].some((text) => text.toLowerCase().includes(filter)),
  row: (happening) => happening,
  columns: [
    { field: 'at', head: 'When', kind: 'when', early: true, order: ({ at }) => at },
    { field: 'kind', head: 'Kind', kind: 'text', natural: 'asc', order: ({ kind }) => kind },
    { field: 'of', head: 'Of', kind: 'name', natural: 'asc', order: ({ of }) => of },
    {
      field: 'count',
      head: 'Times',
      kind: 'count',
      hint: 'Closes and refusals are counted for each minute and reason',
      order: ({ count }) => count,
    },
    {
      field: 'what',
      head: 'What',
      kind: 'name',
      early: true,
      natural: 'asc',
      order: ({ what }) => String(what),
    },
  ],
});
