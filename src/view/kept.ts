import type { Entry } from '../topic/history/cursor.ts';
import type { Line } from '../topic/history/line.ts';
import { formatPosition } from '../topic/position.ts';
import { type Page, pageOf } from './page-of.ts';
import { topicParts } from './references.ts';
import { type NodeView, Refusal } from './relay-view.ts';

/** What is kept of one topic's messages, be the topic live or not. */
export interface KeptRow {
  readonly topic: string;
  /** The topic has members now, or is waited for. */
  readonly live: boolean;
  /** The position of its last message. */
  readonly at: string;
  readonly messages: number;
  /** Of the messages, with 13 bytes for each. */
  readonly bytes: number;
}

/** The topics of which most bytes are kept. */
export function keptTopics(
  { topics }: NodeView,
  wanted: { readonly limit: number; readonly offset?: number },
): Page<KeptRow> {
  const page = pageOf(topics.histories.all(), ({ ring }) => ring?.bytes ?? 0, wanted);
  return { ...page, rows: page.rows.map(keptRow) };
}

function keptRow({ key: { realm, name }, isLive, position, ring }: Line): KeptRow {
  return {
    topic: `topic:${realm}:${name}`,
    live: isLive,
    at: formatPosition(position),
    messages: ring?.messages ?? 0,
    bytes: ring?.bytes ?? 0,
  };
}

export interface KeptMessage {
  readonly at: string;
  /** When it was published here, in milliseconds since 1970. */
  readonly time: number;
  readonly kind: string;
  /** Of its payload, which is not shown: it belongs to clients. */
  readonly bytes: number | null;
  /** Of a hole, how many messages are missing there; null: nobody knows, or it is none. */
  readonly missed: number | null;
}

/** The last `n` entries of what is kept of a topic: messages, and holes where some are missing; the oldest first. */
export function keptMessages({ topics, system }: NodeView, ref: unknown, n: number) {
  const parts = topicParts(ref);
  if (parts === undefined) throw new Refusal('a topic is named as topic:REALM:NAME, such as topic:main:chat');
  const line = topics.histories.find(parts.realm, parts.name);
  if (line?.ring === undefined || line.ring === null)
    throw new Refusal(
      `nothing is kept of ${String(ref).slice(0, 200)}: no rule keeps it, or nothing was published yet`,
    );
  const { ring } = line;
  ring.expire(system.clock.now());
  const zero = Date.now() - system.clock.now();
  const rows: KeptMessage[] = [];
  // An entry takes one offset at the least.
  const cursor = ring.from(Math.max(ring.first, ring.next - n));
  for (let entry = cursor.peek(); entry !== null; entry = cursor.peek()) {
    rows.push(rowOf(entry, line.epoch, zero));
    cursor.pass();
  }
  return { ...keptRow(line), rows, total: ring.messages };
}

function rowOf(entry: Entry, epoch: string, zero: number): KeptMessage {
  const at = formatPosition({ epoch, offset: entry.offset });
  const time = Math.round(zero + entry.time);
  if (entry.type === 'hole')
    return { at, time, kind: `missing: ${entry.why}`, bytes: null, missed: entry.missed };
  const { kind, payload } = entry.message;
  return { at, time, kind, bytes: payload.length, missed: null };
}
