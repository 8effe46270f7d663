import {
  type Column,
  duration,
  left,
  right,
  safeLine,
  spareRight,
  tableWithin,
  whole,
} from '../../attach/text.ts';
import { rateScore } from '../../measure/rate-score.ts';
import { size } from '../../measure/size.ts';

/** A row as the relay tells it: which fields there are depends on the list, and on the relay's version. */
export type Row = Readonly<Record<string, unknown>>;

export const listNames = ['topics', 'connections', 'processes', 'links', 'relays'] as const;
export type ListName = (typeof listNames)[number];

/** One column, and the word by which rows are sorted by it; null: they are not. */
interface ListColumn {
  readonly key: string | null;
  readonly title: string;
  readonly of: (row: Row) => number | string | null;
  readonly text: (value: number) => string;
  /** What rows are sorted by, where that is not the value itself. */
  readonly score?: (row: Row) => number | string | null;
}

interface List {
  readonly columns: readonly ListColumn[];
  /** The key that counts when none is given. */
  readonly usual: string;
  /** What tells one row from the others. */
  readonly identity: (row: Row) => string;
  /** Rates that the relay need not tell: counted from the field that grows. */
  readonly rates: Readonly<Record<string, string>>;
  /** The operation of the attach socket, and its order that comes next to a key. */
  readonly operation: string;
  readonly operationBy: Readonly<Record<string, string>>;
  /** The operation looks twice by itself, and tells rates. */
  readonly looksTwice: boolean;
  /** The order of the observer's list for a key; its own order is ''. */
  readonly observerBy: Readonly<Record<string, string>>;
}

function field(name: string): (row: Row) => number | string | null {
  return (row) => {
    const value = row[name];
    return typeof value === 'number' || typeof value === 'string' ? value : null;
  };
}

const number = (key: string, title = key, name = key, text: ListColumn['text'] = whole): ListColumn => ({
  key,
  title,
  of: field(name),
  text,
});
const word = (title: string, of = field(title), key: string | null = null): ListColumn => ({
  key,
  title,
  of,
  text: String,
});
/** Below ten a rate has a decimal: one message in two seconds is not none. */
const perSecond = (rate: number) => (rate > 0 && rate < 10 ? rate.toFixed(1) : whole(rate));
const milliseconds = (ms: number) => `${Math.round(ms * 10) / 10}ms`;

export const lists: Readonly<Record<ListName, List>> = {
  topics: {
    usual: 'rate',
    identity: (row) => String(row['topic']),
    rates: {},
    looksTwice: true,
    operation: 'topics',
    operationBy: {
      rate: 'rate',
      deliveries: 'deliveries',
      members: 'members',
      queue: 'queue',
      behind: 'queue',
      name: 'name',
    },
    observerBy: { rate: 'rate', deliveries: '', members: 'members', queue: 'queue', behind: 'behind' },
    columns: [
      word('topic', field('topic'), 'name'),
      number('members'),
      heldFirst(number('rate', 'msg/s', 'rate', perSecond)),
      heldFirst({
        key: 'deliveries',
        title: 'deliv/s',
        of: (row) => field('deliveryRate')(row) ?? field('deliveries')(row),
        text: perSecond,
      }),
      number('queue'),
      number('behind'),
    ],
  },
  connections: {
    usual: 'pending',
    identity: (row) => String(row['ref']),
    rates: { inRate: 'in', outRate: 'out' },
    looksTwice: false,
    operation: 'connections',
    operationBy: { pending: 'pending', in: 'in', out: 'out', topics: 'topics', age: 'age', rtt: 'pending' },
    observerBy: { pending: '', in: 'inRate', out: 'outRate', topics: 'topics', age: 'age', rtt: 'roundTrip' },
    columns: [
      word('ref'),
      word('door'),
      word('address'),
      word('state', stateOf),
      number('topics'),
      number('pending', 'pending', 'pending', size),
      number('in', 'in/s', 'inRate', perSecond),
      number('out', 'out/s', 'outRate', perSecond),
      number('rtt', 'round trip', 'roundTrip', milliseconds),
      number('age', 'age', 'age', duration),
    ],
  },
  processes: {
    usual: 'rate',
    identity: (row) => String(row['ref']),
    rates: {},
    looksTwice: true,
    operation: 'top',
    operationBy: { rate: 'handled', mailbox: 'mailbox', highest: 'mailbox' },
    observerBy: { rate: '', mailbox: 'mailbox', highest: 'mailboxHighWater' },
    columns: [
      word('ref'),
      word('process', (row) => field('about')(row) ?? field('name')(row)),
      number('rate', 'msg/s', 'rate', perSecond),
      number('mailbox'),
      number('highest', 'highest', 'mailboxHighWater'),
    ],
  },
  links: {
    usual: 'lag',
    identity: (row) => `${row['direction']} ${row['peer']}`,
    rates: { rate: 'messages' },
    looksTwice: false,
    operation: 'peers',
    operationBy: {},
    observerBy: {},
    columns: [
      word('peer'),
      word('way', field('direction')),
      word('state'),
      word('address'),
      number('rtt', 'round trip', 'roundTrip', milliseconds),
      number('lag', 'lag', 'lag', milliseconds),
      number('rate', 'msg/s', 'rate', perSecond),
      number('pending', 'pending', 'pending', size),
      number('lost'),
      word('', field('why')),
    ],
  },
  relays: {
    usual: 'name',
    identity: (row) => String(row['node']),
    rates: {},
    looksTwice: false,
    operation: 'network',
    operationBy: {},
    observerBy: {},
    columns: [
      word('relay', field('node'), 'name'),
      word('state'),
      number('in', 'in/s', 'in', perSecond),
      number('out', 'out/s', 'out', perSecond),
      number('clients', 'clients', 'connections'),
      number('loop', 'loop', 'loopDelay', milliseconds),
      number('busy', 'busy', 'busy', (part) => `${Math.round(part * 100)}%`),
      number('lag', 'lag', 'lag', milliseconds),
      number('rtt', 'round trip', 'roundTrip', milliseconds),
      number('heard', 'heard', 'heard', duration),
      word('', troublesOf),
    ],
  },
};

/** A rate of topics, by which those that are held back come first. */
function heldFirst(column: ListColumn): ListColumn {
  const count = (row: Row, name: string) => Number(row[name] ?? 0);
  const score = (row: Row) => {
    const rate = column.of(row);
    return typeof rate === 'string' ? rate : rateScore(rate, count(row, 'queue'), count(row, 'behind'));
  };
  return { ...column, score };
}

/** Why it lags. */
function troublesOf({ troubles }: Row): string | null {
  return Array.isArray(troubles) ? troubles.join('; ') : null;
}

function stateOf(row: Row): string | null {
  if (row['stalled'] === true) return 'stalled';
  if (row['behind'] === true) return 'behind';
  return (field('state')(row) as string | null) ?? (field('phase')(row) as string | null);
}

/** The words by which a list is sorted, in the order of its columns. */
export function sortKeys(list: ListName): string[] {
  return lists[list].columns.flatMap(({ key }) => key ?? []);
}

/** The rows by a key, the most first, names from A on; what is not known comes last. */
export function sorted(list: ListName, rows: readonly Row[], key: string, reverse = false): Row[] {
  const column = lists[list].columns.find((one) => one.key === key);
  if (column === undefined) return [...rows];
  const score = column.score ?? column.of;
  const sign = reverse ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [one, other] = [score(a), score(b)];
    if (one === null || other === null) return (one === null ? 1 : 0) - (other === null ? 1 : 0);
    if (typeof one === 'string' || typeof other === 'string')
      return sign * (String(one) < String(other) ? -1 : 1);
    return sign * (other - one);
  });
}

/** The fields of the table's columns, for programs. */
export function plainRow(list: ListName, row: Row): Record<string, number | string | null> {
  return Object.fromEntries(
    lists[list].columns.map(({ key, title, of }) => [(key ?? title) || 'why', of(row)]),
  );
}

/**
 * A table of the rows, in lines of so many characters; the title of the column that they are sorted by has a mark. Numbers
 * that have no room are left out: half of one would be read as another.
 */
export function listText(
  list: ListName,
  rows: readonly Row[],
  sort: string,
  width = Number.POSITIVE_INFINITY,
): string[] {
  const columns = lists[list].columns.map(({ key, title, of, text }): Column<Row> => {
    const shown = key !== null && key === sort ? `${title}*` : title;
    const cell = (row: Row) => {
      const value = of(row);
      if (value === null) return title === '' ? '' : '-';
      return typeof value === 'number' ? text(value) : safeLine(value);
    };
    if (key === null || key === 'name') return left(shown, cell, 40);
    return key === sort ? right(shown, cell) : spareRight(shown, cell);
  });
  return tableWithin(width, rows, ...columns).split('\n');
}

/** Rates per second from two looks at the same rows: `before` holds the rows of the earlier one by their identity. */
export function withRates(
  list: ListName,
  rows: readonly Row[],
  before: ReadonlyMap<string, Row>,
  milliseconds: number,
): Row[] {
  const { rates, identity } = lists[list];
  return rows.map((row) => {
    const earlier = before.get(identity(row));
    const counted = Object.entries(rates).flatMap(([rate, name]) => {
      const [now, then] = [row[name], earlier?.[name]];
      if (typeof now !== 'number' || typeof then !== 'number' || milliseconds <= 0) return [];
      return [[rate, Math.max(0, ((now - then) * 1000) / milliseconds)]];
    });
    return { ...Object.fromEntries(counted), ...row };
  });
}
