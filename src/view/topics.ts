import { rateScore } from '../measure/rate-score.ts';
import type { Pid } from '../otp/process.ts';
import { viewOf } from '../otp/sys.ts';
import { type MemberMessage, Topic } from '../topic/topic.ts';
import { pageOf } from './page-of.ts';
import { topicParts } from './references.ts';
import { type NodeView, Refusal } from './relay-view.ts';

type TopicRow = ReturnType<typeof topicRow>;

export function topicRow(node: NodeView, topic: Topic) {
  const { server } = topic;
  return {
    /** `topic:main:chat`. */
    topic: topic.toString(),
    ref: server?.toString() ?? null,
    members: topic.members.size,
    /** Messages that are not fanned out yet. */
    queue: topic.fanOut.queue.length,
    /** Members that are behind and hold it back. */
    behind: topic.fanOut.behind.size,
    /** The members that hold it back, where messages wait for them; null: nobody does. */
    heldBy: holdersOf(topic),
    /** Who alone publishes to it; null: everybody may. */
    owner: ownerOf(node, topic),
    /** Messages that are kept, and their bytes; null: none are to be. */
    kept: topic.line?.ring?.messages ?? null,
    keptBytes: topic.line?.ring?.bytes ?? null,
    /** Messages that its process has handled. */
    handled: server === undefined ? 0 : viewOf(server).handled,
  };
}

/** Refs in one text. */
const HOLDERS_NAMED = 3;

function holdersOf({ fanOut }: Topic): string | null {
  const { behind, queue } = fanOut;
  if (behind.size === 0 || queue.length === 0) return null;
  const named: string[] = [];
  for (const pid of behind) if (named.push(pid.toString()) === HOLDERS_NAMED) break;
  const more = behind.size - named.length;
  if (more > 0) return `${named.join(', ')} and ${more} more`;
  return named.length === 1 ? named.join() : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
}

function ownerOf(node: NodeView, topic: Topic): string | null {
  const { lifetime } = topic;
  switch (lifetime.state) {
    case 'unowned':
      return null;
    case 'owned':
      return lifetime.owner.toString();
    case 'grace':
      return 'gone, awaited';
    case 'elsewhere': {
      const relay = node.ownerElsewhere(topic) ?? 'another relay';
      return lifetime.grace ? `gone from ${relay}, awaited` : `at ${relay}`;
    }
  }
}

/** The topic of a topic server's state; undefined: it is the state of another process. */
export function topicIn(state: unknown): Topic | undefined {
  const topic = typeof state === 'object' && state !== null && 'topic' in state ? state.topic : undefined;
  return topic instanceof Topic ? topic : undefined;
}

/** How many live topics there are. */
export function topicCount({ topics }: NodeView): number {
  let count = 0;
  for (const _ of topics.all()) count++;
  return count;
}

export type TopicsBy =
  | 'rate'
  | 'deliveries'
  | 'members'
  | 'queue'
  | 'handled'
  | 'kept'
  | 'keptBytes'
  | 'name';

/** How much has gone through each topic, for `topics` to compare with later. */
export interface Traffic {
  /** Milliseconds of this process's clock. */
  readonly at: number;
  readonly topics: ReadonlyMap<Topic, { readonly messages: number; readonly attempts: number }>;
}

export function trafficSoFar({ topics }: NodeView): Traffic {
  return {
    at: performance.now(),
    topics: new Map(
      Array.from(topics.all(), (topic) => [
        topic,
        { messages: topic.fanOut.messages, attempts: topic.fanOut.attempts },
      ]),
    ),
  };
}

/**
 * Some of the topics: those that have most of something first, or by name; and how many there are. `since`: what there was
 * before; without it no rates are known.
 */
export function topics(
  node: NodeView,
  by: TopicsBy,
  wanted: { readonly limit: number; readonly offset?: number },
  since: Traffic | null = null,
) {
  const seconds = since === null ? 0 : Math.max(0.001, (performance.now() - since.at) / 1000);
  const rows = Array.from(node.topics.all(), (topic) => {
    const { messages, attempts } = topic.fanOut;
    const before = since?.topics.get(topic) ?? { messages: 0, attempts: 0 };
    return {
      ...topicRow(node, topic),
      /** Messages and deliveries in a second; null: they were not looked at. */
      rate: since === null ? null : (messages - before.messages) / seconds,
      deliveries: since === null ? null : (attempts - before.attempts) / seconds,
    };
  });
  const byName = (a: TopicRow, b: TopicRow) => (a.topic === b.topic ? 0 : a.topic < b.topic ? -1 : 1);
  const score = (row: (typeof rows)[number]) => {
    if (by === 'name') return 0;
    const isRate = by === 'rate' || by === 'deliveries';
    return (isRate ? rateScore(row[by], row.queue, row.behind) : row[by]) ?? -1;
  };
  return pageOf(rows, score, { ...wanted, tie: byName });
}

/** Publishes a text as a client would. `from`: the process that a refusal is sent to. */
export function publish(node: NodeView, ref: unknown, message: unknown, from: Pid<MemberMessage>): string {
  const parts = topicParts(ref);
  if (parts === undefined) throw new Refusal('a topic is named as topic:REALM:NAME, such as topic:main:chat');
  const { topics, system } = node;
  const { realm, name } = parts;
  const topic = topics.find(realm, name);
  const isLive = topic?.server !== undefined;
  if (!isLive && !topics.isStartedByMessages(name)) return `nobody is in ${String(ref)} on this relay`;
  if (topic?.lifetime.state === 'owned')
    throw new Refusal(`${topic} has an owner, who alone publishes to it`);
  const payload = Buffer.from(typeof message === 'string' ? message : (JSON.stringify(message) ?? ''));
  const taken = topics.publish(system, realm, name, topic, {
    type: 'publish',
    message: { kind: 'text', payload },
    from,
    via: null,
    credit: 0,
  });
  if (!taken) throw new Refusal(`${String(ref)} takes no more messages now`);
  const where = topics.histories.keeps(name) ? 'they are kept' : 'they go to the other relays';
  if (!isLive) return `published ${payload.length} bytes to ${String(ref)}, which nobody is in; ${where}`;
  return `published ${payload.length} bytes to ${topic.members.size} members of ${topic}`;
}
