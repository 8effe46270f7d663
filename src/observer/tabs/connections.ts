import type { Connection } from '../../connection/connection.ts';
import { type Resident, residents } from '../../otp/sys.ts';
import { connectionOf, connectionRow, pendingOf } from '../../view/connections.ts';
import { type Look, listTab } from '../tab.ts';

interface Client {
  readonly process: Resident;
  readonly connection: Connection;
}

function* clients({ view }: Look): Iterable<Client> {
  for (const process of residents(view.system)) {
    const connection = connectionOf(process);
    if (connection !== undefined && connection.phase !== 'opening') yield { process, connection };
  }
}

/** Clients that do not read come first, then those that hold their topics back, then by the bytes that wait. */
function slowness({ connection }: Client): number {
  const { stalled, behind } = connection.outflow;
  return pendingOf(connection) + (stalled ? 2e12 : behind ? 1e12 : 0);
}

export const connections = listTab<Client>({
  title: 'Connections',
  total: 'connections',
  empty: 'Nobody is connected.',
  key: ['pid'],
  pid: 'pid',
  also: ['phase', 'in', 'out'],
  first: 'state',
  items: clients,
  matches: ({ connection }, filter) => {
    const { address, context, subject, memberships } = connection;
    const has = (text: string) => text.toLowerCase().includes(filter);
    if (has(address) || has(context.door.name) || has(subject ?? '')) return true;
    for (const { name } of memberships) if (has(name)) return true;
    return false;
  },
  row: ({ process }, { rates }) => {
    const row = connectionRow(process);
    const { trafficRate, deliveryRate } = rates.of(process.id);
    return row && { ...row, pid: process.id, inRate: trafficRate, outRate: deliveryRate };
  },
  columns: [
    { field: 'ref', head: 'Pid', kind: 'mono', natural: 'asc', order: ({ process }) => -process.id },
    {
      field: 'door',
      head: 'Door',
      kind: 'text',
      natural: 'asc',
      order: ({ connection }) => connection.context.door.name,
    },
    {
      field: 'address',
      head: 'Address',
      kind: 'mono',
      early: true,
      natural: 'asc',
      order: ({ connection }) => connection.address,
    },
    {
      field: 'subject',
      head: 'Who',
      hint: 'The name under which the authenticator knows the client',
      kind: 'name',
      natural: 'asc',
      order: ({ connection }) => connection.subject,
    },
    {
      field: 'state',
      head: 'State',
      hint: 'The slowest first',
      kind: 'client',
      early: true,
      order: slowness,
    },
    {
      field: 'pending',
      head: 'Waiting',
      hint: 'Bytes that wait to be written to the client',
      kind: 'bytes',
      bar: true,
      early: true,
      order: ({ connection }) => pendingOf(connection),
    },
    {
      field: 'pendingHighWater',
      head: 'Most',
      hint: 'The most bytes that have waited',
      kind: 'bytes',
      order: ({ connection }) => connection.outflow.highWater,
    },
    {
      field: 'topics',
      head: 'Topics',
      kind: 'count',
      order: ({ connection }) => connection.memberships.size,
    },
    {
      field: 'inRate',
      head: 'In/s',
      hint: 'Messages that it publishes in a second',
      kind: 'rate',
      bar: true,
      order: ({ process }, { rates }) => rates.of(process.id).trafficRate,
    },
    {
      field: 'outRate',
      head: 'Out/s',
      hint: 'Messages that are written to it in a second',
      kind: 'rate',
      bar: true,
      order: ({ process }, { rates }) => rates.of(process.id).deliveryRate,
    },
    {
      field: 'roundTrip',
      head: 'Round trip',
      hint: 'From the last ping to its pong',
      kind: 'milliseconds',
      order: ({ connection }) => connection.heartbeat.roundTrip,
    },
    { field: 'age', head: 'Age', kind: 'duration', order: ({ process }) => -process.startedAt },
  ],
});
