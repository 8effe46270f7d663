import { type Resident, residents, viewOf } from '../../otp/sys.ts';
import { listTab } from '../tab.ts';

export const processes = listTab<Resident>({
  title: 'Processes',
  total: 'processes',
  empty: 'No processes.',
  key: ['id'],
  pid: 'id',
  also: ['name', 'about', 'type', 'parent', 'status'],
  first: 'rate',
  items: ({ view }) => residents(view.system),
  matches: (process, filter) =>
    viewOf(process).name.toLowerCase().includes(filter) ||
    (process.about?.toLowerCase().includes(filter) ?? false) ||
    process.behaviour.name.includes(filter),
  row: (process, { rates }) => {
    const view = viewOf(process);
    const title = view.registered ?? view.about ?? (view.name.replace(/<\d+>$/, '') || view.name);
    return { ...view, title, rate: rates.of(process.id).handledRate };
  },
  columns: [
    { field: 'ref', head: 'Pid', kind: 'mono', natural: 'asc', order: ({ id }) => -id },
    {
      field: 'title',
      head: 'Name',
      kind: 'name',
      natural: 'asc',
      order: ({ name, about, label, behaviour }) => name ?? about ?? label ?? behaviour.name,
    },
    {
      field: 'behaviour',
      head: 'Runs',
      kind: 'runs',
      natural: 'asc',
      order: ({ behaviour }) => behaviour.name,
    },
    { field: 'mailbox', head: 'Mailbox', kind: 'count', order: ({ mailboxLength }) => mailboxLength },
    {
      field: 'mailboxHighWater',
      head: 'Longest',
      hint: 'The longest that the mailbox has been',
      kind: 'count',
      order: ({ highWater, mailboxLength }) => Math.max(highWater, mailboxLength),
    },
    {
      field: 'rate',
      head: 'Handled/s',
      kind: 'rate',
      bar: true,
      order: ({ id }, { rates }) => rates.of(id).handledRate,
    },
    { field: 'handled', head: 'Handled', kind: 'count', order: ({ handled }) => handled },
    { field: 'restarts', head: 'Restarts', kind: 'count', order: ({ restarts }) => restarts },
    { field: 'uptime', head: 'Up', kind: 'duration', order: ({ startedAt }) => -startedAt },
  ],
});
