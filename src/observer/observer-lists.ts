import { Connection } from '../connection/connection.ts';
import { type ProcessView, type Resident, resident, residents, viewOf } from '../otp/inspect.ts';
import { Topic } from '../topic/topic.ts';
import { type ConnectionRow, connectionOf, connectionRow, pendingOf } from '../view/connections.ts';
import { type Page, pageOf } from '../view/page-of.ts';
import type { RelayView } from '../view/relay-view.ts';
import { type TopicRow, topicRow } from '../view/topics.ts';
import { ROWS } from './observer-query.ts';
import type { Rates } from './rates.ts';

/**
 * The observer page's lists: one page of each, in the order that is asked for. Of ten thousand rows fifty are made.
 */
export interface ListQuery {
  readonly by: string;
  readonly filter: string;
  readonly offset: number;
}

/** Counts everything once for rates; to be called every few seconds while somebody looks. */
export function noteRates({ system, topics }: RelayView, rates: Rates, now: number): void {
  rates.begin(now);
  for (const process of residents(system)) {
    const connection = connectionOf(process);
    if (connection !== undefined) {
      rates.note(process.id, process.handled, connection.messagesIn, connection.messagesOut);
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

export type ProcessRow = ProcessView & {
  readonly rate: number;
  /** What a process without a name of its own is about: its topic, or where its client is. */
  readonly about: string | null;
};

function aboutOf({ state }: Resident): string | null {
  if (state instanceof Connection) return `${state.context.door.name} ${state.address}`;
  const topic = typeof state === 'object' && state !== null && 'topic' in state ? state.topic : null;
  return topic instanceof Topic ? topic.toString() : null;
}

export function processPage({ system }: RelayView, rates: Rates, query: ListQuery): Page<ProcessRow> {
  const score = (process: Resident): number => {
    switch (query.by) {
      case 'mailbox':
        return process.mailboxLength;
      case 'mailboxHighWater':
        return Math.max(process.highWater, process.mailboxLength);
      case 'handled':
        return process.handled;
      case 'restarts':
        return process.restarts;
      case 'uptime':
        return -process.startedAt;
      default:
        return rates.of(process.id).handledRate;
    }
  };
  const { filter } = query;
  const matches = (process: Resident) =>
    filter === '' ||
    viewOf(process).name.toLowerCase().includes(filter) ||
    (aboutOf(process)?.toLowerCase().includes(filter) ?? false) ||
    process.behaviour.name.includes(filter);
  const { rows, total } = pageOf(only(residents(system), matches), score, pagePart(query));
  return {
    rows: rows.map((one) => ({ ...viewOf(one), rate: rates.of(one.id).handledRate, about: aboutOf(one) })),
    total,
  };
}

export type ObservedTopic = TopicRow & {
  readonly pid: number | null;
  readonly messages: number;
  readonly rate: number;
  readonly deliveryRate: number;
};

export function topicPage({ topics }: RelayView, rates: Rates, query: ListQuery): Page<ObservedTopic> {
  const score = (topic: Topic): number => {
    switch (query.by) {
      case 'members':
        return topic.members.size;
      case 'queue':
        return topic.fanOut.queue.length;
      case 'behind':
        return topic.fanOut.behind.size;
      case 'messages':
        return topic.fanOut.messages;
      case 'rate':
        return rates.of(topic.server?.id).trafficRate;
      default:
        return rates.of(topic.server?.id).deliveryRate;
    }
  };
  const { filter } = query;
  const matches = (topic: Topic) => filter === '' || topic.toString().toLowerCase().includes(filter);
  const { rows, total } = pageOf(only(topics.all(), matches), score, pagePart(query));
  return {
    rows: rows.map((topic) => ({
      ...topicRow(topic),
      pid: topic.server?.id ?? null,
      messages: topic.fanOut.messages,
      rate: rates.of(topic.server?.id).trafficRate,
      deliveryRate: rates.of(topic.server?.id).deliveryRate,
    })),
    total,
  };
}

export type ObservedConnection = ConnectionRow & {
  readonly pid: number;
  readonly inRate: number;
  readonly outRate: number;
};

export function connectionPage(
  { system }: RelayView,
  rates: Rates,
  query: ListQuery,
): Page<ObservedConnection> {
  const score = (process: Resident): number => {
    const connection = connectionOf(process);
    if (connection === undefined) return 0;
    switch (query.by) {
      case 'inRate':
        return rates.of(process.id).trafficRate;
      case 'outRate':
        return rates.of(process.id).deliveryRate;
      case 'topics':
        return connection.memberships.size;
      case 'age':
        return -process.startedAt;
      case 'roundTrip':
        return connection.heartbeat.roundTrip;
      case 'pendingHighWater':
        return connection.outflow.highWater;
      default:
        // The slowest first: those who do not read, those who hold others back, and then by what waits for them.
        return (
          pendingOf(connection) + (connection.outflow.stalled ? 2e12 : connection.outflow.behind ? 1e12 : 0)
        );
    }
  };
  const { filter } = query;
  const matches = (process: Resident) => {
    const connection = connectionOf(process);
    if (connection === undefined || connection.phase === 'opening') return false;
    return (
      filter === '' || connection.address.includes(filter) || connection.context.door.name.includes(filter)
    );
  };
  const { rows, total } = pageOf(only(residents(system), matches), score, pagePart(query));
  return {
    rows: rows.flatMap((process) => {
      const row = connectionRow(process);
      const inRate = rates.of(process.id).trafficRate;
      const outRate = rates.of(process.id).deliveryRate;
      return row === undefined ? [] : [{ ...row, pid: process.id, inRate, outRate }];
    }),
    total,
  };
}

function pagePart({ offset }: ListQuery): { offset: number; limit: number } {
  return { offset: Math.min(offset, 100_000), limit: ROWS };
}

function* only<T>(items: Iterable<T>, matches: (item: T) => boolean): Iterable<T> {
  for (const item of items) if (matches(item)) yield item;
}
