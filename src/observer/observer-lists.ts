import type { Connection } from '../connection/connection.ts';
import { type ProcessView, type Resident, resident, residents, viewOf } from '../otp/sys.ts';
import type { System } from '../otp/system.ts';
import type { Topic } from '../topic/topic.ts';
import { connectionOf, connectionRow, gone, pendingOf } from '../view/connections.ts';
import type { Ended } from '../view/history.ts';
import { type Page, pageOf } from '../view/page-of.ts';
import { branchesOf, NOTHING_BELOW } from '../view/processes.ts';
import type { RelayView } from '../view/relay-view.ts';
import { topicRow } from '../view/topics.ts';
import type { Rates } from './rates.ts';

/** What an observer page wants to see, from the query of its address. Odd values count as not given. */
export interface ObserverQuery {
  readonly tab: Tab;
  readonly by: string;
  readonly filter: string;
  readonly offset: number;
  /** The process that is shown in detail; null: none. */
  readonly pid: number | null;
  /** Supervisors whose children are to be shown, or hidden, against the rule. */
  readonly toggled: ReadonlySet<number>;
}

const TABS = ['tree', 'processes', 'topics', 'connections', 'gone', 'links', 'reports'] as const;
type Tab = (typeof TABS)[number];

/** Rows of one page. */
const ROWS = 50;
const REPORTS = 100;
const FARTHEST = 100_000;
const MOST_TOGGLED = 200;
const LONGEST_FILTER = 100;

export function observerQuery(query: string): ObserverQuery {
  const params = new URLSearchParams(query);
  const tab = params.get('tab');
  return {
    tab: TABS.find((one) => one === tab) ?? 'tree',
    by: (params.get('by') ?? '').slice(0, 20),
    filter: (params.get('filter') ?? '').slice(0, LONGEST_FILTER).toLowerCase(),
    offset: Math.min(numberIn(params.get('offset')) ?? 0, FARTHEST),
    pid: numberIn(params.get('pid')),
    toggled: new Set(
      (params.get('toggled') ?? '')
        .split(',')
        .slice(0, MOST_TOGGLED)
        .map(numberIn)
        .filter((id) => id !== null),
    ),
  };
}

function numberIn(text: string | null): number | null {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : null;
}

/** Counts everything once for rates; to be called every few seconds while a page looks. */
export function noteRates({ system, topics }: RelayView, rates: Rates, now: number): void {
  rates.begin(now);
  for (const process of residents(system)) {
    const connection = connectionOf(process);
    if (connection !== undefined) {
      rates.note(process.id, process.handled, connection.intake.published, connection.outflow.messages);
    } else if (process.behaviour.name !== 'topic-server') {
      rates.note(process.id, process.handled, 0, 0);
    }
  }
  for (const { server, fanOut } of topics.all()) {
    if (server !== undefined)
      rates.note(server.id, resident(server).handled, fanOut.messages, fanOut.attempts);
  }
  rates.end();
}

/** The list of a tab: one page of it, in the order that is asked for. Of ten thousand rows fifty are made. */
export function listOf(view: RelayView, rates: Rates, query: ObserverQuery): Page<unknown> {
  switch (query.tab) {
    case 'tree':
      return whole(treeRows(view.system, query.toggled));
    case 'processes':
      return processPage(view, rates, query);
    case 'topics':
      return topicPage(view, rates, query);
    case 'connections':
      return connectionPage(view, rates, query);
    case 'gone':
      return gone(view, { limit: ROWS, offset: query.offset }, (ended) => isWanted(ended, query.filter));
    case 'links':
      return whole(view.links() ?? []);
    case 'reports':
      return whole(view.history.reports.last(REPORTS).toReversed());
  }
}

/** Whether a client that is gone has the text somewhere in what is known of it. */
function isWanted(ended: Ended, filter: string): boolean {
  if (filter === '') return true;
  const known = [ended.door, ended.address, ended.reason];
  if (ended.type === 'closed') known.push(ended.subject ?? '', ended.event, ...ended.topics);
  return known.some((text) => text.toLowerCase().includes(filter));
}

function whole<T>(rows: readonly T[]): Page<T> {
  return { rows, total: rows.length };
}

/** A line of the supervision tree. */
interface TreeRow extends ProcessView {
  readonly depth: number;
  /** Processes below, at any depth, and the messages that wait in their mailboxes. */
  readonly below: number;
  readonly waitingBelow: number;
  readonly open: boolean;
  /** Children that are not shown though it is open. */
  readonly more: number;
}

/** Children of one supervisor that are shown; the others are in the lists. */
const CHILDREN = 50;

/**
 * The tree from its root down as lines, children in the order of their start. Supervisors of a fixed order of children
 * are open, those of any number of alike ones are not; `toggled` turns that round, by pid. A view is made only of the
 * processes that are shown.
 */
function treeRows(system: System, toggled: ReadonlySet<number>): TreeRow[] {
  const { roots, below } = branchesOf(system);
  const rows: TreeRow[] = [];
  const add = (process: Resident, depth: number): void => {
    const branch = below.get(process.id);
    const { children, count, mailbox } = branch ?? NOTHING_BELOW;
    const usual = process.behaviour.name !== 'dynamic-supervisor';
    const open = branch !== undefined && usual !== toggled.has(process.id);
    const shown = open ? children.slice(0, CHILDREN) : [];
    const more = open ? children.length - shown.length : 0;
    rows.push({ ...viewOf(process), depth, below: count, waitingBelow: mailbox, open, more });
    for (const child of shown) add(child, depth + 1);
  };
  for (const root of roots) add(root, 0);
  return rows;
}

function processPage({ system }: RelayView, rates: Rates, query: ObserverQuery) {
  const rate = ({ id }: Resident) => rates.of(id).handledRate;
  const score = scoreBy<Resident>(query, rate, {
    mailbox: ({ mailboxLength }) => mailboxLength,
    mailboxHighWater: ({ highWater, mailboxLength }) => Math.max(highWater, mailboxLength),
    handled: ({ handled }) => handled,
    restarts: ({ restarts }) => restarts,
    uptime: ({ startedAt }) => -startedAt,
  });
  const { filter } = query;
  const matches = (process: Resident) =>
    filter === '' ||
    viewOf(process).name.toLowerCase().includes(filter) ||
    (process.about?.toLowerCase().includes(filter) ?? false) ||
    process.behaviour.name.includes(filter);
  return pageBy(residents(system), matches, score, query, (process) => ({
    ...viewOf(process),
    rate: rate(process),
  }));
}

function topicPage(view: RelayView, rates: Rates, query: ObserverQuery) {
  const rate = ({ server }: Topic) => rates.of(server?.id).trafficRate;
  const deliveryRate = ({ server }: Topic) => rates.of(server?.id).deliveryRate;
  const score = scoreBy<Topic>(query, deliveryRate, {
    members: ({ members }) => members.size,
    queue: ({ fanOut }) => fanOut.queue.length,
    behind: ({ fanOut }) => fanOut.behind.size,
    kept: ({ line }) => line?.ring?.messages ?? -1,
    keptBytes: ({ line }) => line?.ring?.bytes ?? -1,
    messages: ({ fanOut }) => fanOut.messages,
    rate,
  });
  const { filter } = query;
  const matches = (topic: Topic) => filter === '' || topic.toString().toLowerCase().includes(filter);
  return pageBy(view.topics.all(), matches, score, query, (topic) => ({
    ...topicRow(view, topic),
    pid: topic.server?.id ?? null,
    messages: topic.fanOut.messages,
    rate: rate(topic),
    deliveryRate: deliveryRate(topic),
  }));
}

function connectionPage({ system }: RelayView, rates: Rates, query: ObserverQuery) {
  const inRate = ({ id }: Resident) => rates.of(id).trafficRate;
  const outRate = ({ id }: Resident) => rates.of(id).deliveryRate;
  const of = (read: (connection: Connection) => number) => (process: Resident) => {
    const connection = connectionOf(process);
    return connection === undefined ? 0 : read(connection);
  };
  // The slowest first: clients that do not read, clients that hold their topics back, then by the bytes that wait.
  const slowness = of(
    (connection) =>
      pendingOf(connection) + (connection.outflow.stalled ? 2e12 : connection.outflow.behind ? 1e12 : 0),
  );
  const score = scoreBy<Resident>(query, slowness, {
    inRate,
    outRate,
    topics: of(({ memberships }) => memberships.size),
    age: ({ startedAt }) => -startedAt,
    roundTrip: of(({ heartbeat }) => heartbeat.roundTrip ?? -1),
    pendingHighWater: of(({ outflow }) => outflow.highWater),
  });
  const { filter } = query;
  const matches = (process: Resident) => {
    const connection = connectionOf(process);
    if (connection === undefined || connection.phase === 'opening') return false;
    const { address, context, subject, memberships } = connection;
    const has = (text: string) => text.toLowerCase().includes(filter);
    if (filter === '' || has(address) || has(context.door.name) || has(subject ?? '')) return true;
    for (const { name } of memberships) if (has(name)) return true;
    return false;
  };
  return pageBy(residents(system), matches, score, query, (process) => {
    const row = connectionRow(process);
    return row && { ...row, pid: process.id, inRate: inRate(process), outRate: outRate(process) };
  });
}

type Score<T> = (item: T) => number;

/** The score that is asked for; `usual`, where there is none of that name. */
function scoreBy<T>(
  { by }: ObserverQuery,
  usual: Score<T>,
  scores: Readonly<Record<string, Score<T>>>,
): Score<T> {
  return (Object.hasOwn(scores, by) ? scores[by] : undefined) ?? usual;
}

function pageBy<T, Row>(
  items: Iterable<T>,
  matches: (item: T) => boolean,
  score: Score<T>,
  { offset }: ObserverQuery,
  row: (item: T) => Row,
): Page<Row> {
  const { rows, total } = pageOf(only(items, matches), score, { offset, limit: ROWS });
  return { rows: rows.map(row), total };
}

function* only<T>(items: Iterable<T>, matches: (item: T) => boolean): Iterable<T> {
  for (const item of items) if (matches(item)) yield item;
}
