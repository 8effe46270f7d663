import type { Connection } from '../connection/connection.ts';
import type { Ended } from './history.ts';
import { topicParts } from './references.ts';
import { Refusal } from './relay-view.ts';

/** Which clients are meant: those for whom all that is given here is so. */
export interface Whom {
  readonly address?: string;
  /** The name under which the authenticator knows the client. */
  readonly subject?: string;
  /** A topic's name, or all of it: `chat`, `topic:main:chat`. */
  readonly topic?: string;
  readonly door?: string;
  /** Of clients that are gone: the reason of their close, or of their refusal. */
  readonly reason?: string;
  /** Of clients that are gone: in milliseconds since 1970, since when. */
  readonly since?: number;
}

/** The clients that are meant, from what an operator has written. */
export function whom(given: Readonly<Record<string, unknown>>, now: number): Whom {
  const wanted: Record<string, string | number> = {};
  for (const name of ['address', 'subject', 'topic', 'door', 'reason'] as const) {
    const value = given[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' || value === '') throw new Refusal(`${name} is a text`);
    wanted[name] = value;
  }
  if (given['since'] !== undefined && given['since'] !== null) wanted['since'] = sinceOf(given['since'], now);
  return wanted;
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10m`: so long ago; otherwise a time as `Date` reads it. */
export function sinceOf(value: unknown, now: number): number {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(String(value)) ?? [];
  if (count !== undefined) return now - Number(count) * (UNITS[unit] ?? 0);
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at))
    throw new Refusal("since is how long ago, such as '10m', or a time, such as '2030-01-31T03:00Z'");
  return at;
}

/** What connections are looked for by: whatever else is given says nothing of one that lives. */
export function isMeant(connection: Connection, { address, subject, topic, door }: Whom): boolean {
  const { context, memberships } = connection;
  return (
    (address === undefined || connection.address === address) &&
    (subject === undefined || connection.subject === subject) &&
    (door === undefined || context.door.name === door) &&
    (topic === undefined || isIn(memberships, context.realm, topic))
  );
}

function isIn(memberships: Connection['memberships'], realm: string, topic: string): boolean {
  if (memberships.get(topic) !== undefined) return true;
  const parts = topicParts(topic);
  return parts !== undefined && parts.realm === realm && memberships.get(parts.name) !== undefined;
}

/** The same of a client that is gone. Of its topics some are remembered by name. */
export function wasMeant(ended: Ended, { address, subject, topic, door, reason, since }: Whom): boolean {
  const name = topic === undefined ? undefined : (topicParts(topic)?.name ?? topic);
  return (
    (since === undefined || ended.at >= since) &&
    (address === undefined || ended.address === address) &&
    (door === undefined || ended.door === door) &&
    (reason === undefined || ended.reason === reason) &&
    (subject === undefined || (ended.type === 'closed' && ended.subject === subject)) &&
    (name === undefined || (ended.type === 'closed' && (ended.topics.includes(name) || ended.owned === name)))
  );
}
