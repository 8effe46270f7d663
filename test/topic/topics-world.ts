import type { Exit } from '../../src/otp/behaviour.ts';
import { type Behaviour, keep, stop } from '../../src/otp/behaviour.ts';
import { isAlive, type Pid, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { Accounting } from '../../src/topic/accounting.ts';
import type { Elsewhere } from '../../src/topic/elsewhere.ts';
import { Histories, type HistorySettings, noHistory } from '../../src/topic/history/histories.ts';
import type { Bounds } from '../../src/topic/history/ring.ts';
import { Delivery, type Format, type Message, type Publish } from '../../src/topic/message.ts';
import { formatPosition } from '../../src/topic/position.ts';
import type { Claim, Join, Joined, Lost, MemberMessage, Topic } from '../../src/topic/topic.ts';
import { leave, portion } from '../../src/topic/topic-requests.ts';
import { Topics } from '../../src/topic/topics.ts';
import { spawnOk, type TestSystem, testSystem } from '../support/otp.ts';

export const REALM = 'main';

/** A member, publisher or owner under test, and what has come to it. */
export interface TestMember {
  readonly pid: Pid<MemberMessage | 'end'>;
  /** The messages of all deliveries, in order. */
  readonly heard: string[];
  /** The deliveries themselves, as they came. */
  readonly deliveries: Delivery[];
  /** The first answer to its joins, and what it heard when its topic was lost. */
  readonly answer: Joined | undefined;
  readonly lost: Lost | undefined;
  /** It asks for the next portion as soon as it has one. */
  asks: boolean;
  /** There is a next portion to ask for. */
  readonly more: boolean;
  /** Portions that have come behind the first. */
  readonly portions: number;
  /** Asks for the next one. */
  ask(): void;
  /** Everything else: `joined t`, `refused join t missing`, `ended t`, `lost t`. */
  readonly told: string[];
  credit: number;
  /** The topic of the last `joined` or `claimed`. */
  topic: Topic | undefined;
  readonly alive: boolean;
}

export interface TopicsWorld extends TestSystem {
  readonly topics: Topics;
  readonly accounting: Accounting;
  /** The supervisor of all topics. */
  readonly root: Pid<Exit>;
  member(): TestMember;
  /** False: nobody could be asked. */
  join(member: TestMember, name: string, options?: Partial<Join>): boolean;
  claim(member: TestMember, name: string, grace?: number): void;
  leave(member: TestMember, name: string): void;
  /** False: nobody took it. The cost is the credit that must come back. */
  publish(
    from: TestMember,
    name: string,
    text: string | Message,
    cost?: number,
    more?: Partial<Publish>,
  ): boolean;
  /** The live topic; it must be there. */
  topic(name: string): Topic;
  end(member: TestMember): void;
  /** Ends a process by its registered name, or the one of a pid, without a word. */
  kill(who: string | Pid<never>): void;
}

/** All topics of a relay on a clock wound by hand, without sockets. */
export function topicsWorld(
  elsewhere: Elsewhere | null = null,
  kept: HistorySettings = noHistory,
): TopicsWorld {
  const world = testSystem();
  const { system } = world;
  const accounting = new Accounting();
  const topics = new Topics(accounting, elsewhere, new Histories(kept));
  const started = topics.spec.start(system, { label: 'topics' });
  if (!started.ok) throw new Error('the topics have not started');
  const find = (name: string) => topics.find(REALM, name);
  return {
    ...world,
    topics,
    accounting,
    root: started.pid as Pid<Exit>,
    member: () => newMember(world, accounting),
    join({ pid }, name, options = {}) {
      return topics.route(system, REALM, {
        type: 'join',
        name,
        member: pid,
        format: plain,
        while: 'wanted',
        ...options,
      });
    },
    claim({ pid }, name, grace = 1000) {
      const request: Claim = { type: 'claim', name, member: pid, grace };
      topics.route(system, REALM, request);
    },
    leave({ pid, topic }, name) {
      const left = topic?.name === name ? topic : find(name);
      if (left !== undefined) leave(left, pid);
    },
    publish({ pid }, name, text, cost = 0, more = {}) {
      const message: Message = typeof text === 'string' ? textMessage(text) : text;
      const request: Publish = { type: 'publish', message, from: pid, via: null, credit: cost, ...more };
      return topics.publish(system, REALM, name, find(name), request);
    },
    topic(name) {
      const found = find(name);
      if (found === undefined) throw new Error(`no topic ${name}`);
      return found;
    },
    end: ({ pid }) => send(pid, 'end'),
    kill(who) {
      const pid = typeof who === 'string' ? system.names.get(who) : who;
      if (pid === undefined) throw new Error(`no process ${String(who)}`);
      exit(pid, 'kill');
    },
  };
}

function newMember({ system }: TestSystem, accounting: Accounting): TestMember {
  const heard: string[] = [];
  const deliveries: Delivery[] = [];
  const told: string[] = [];
  const hear = (delivery: Delivery) => {
    deliveries.push(delivery);
    heard.push(...textsOf(delivery));
    accounting.deliver(delivery.count);
  };
  let more = false;
  let portions = 0;
  let answer: Joined | undefined;
  let lost: Lost | undefined;
  const behaviour: Behaviour<null, null, MemberMessage | 'end'> = {
    name: 'test-member',
    init: () => null,
    handle(_state, message) {
      if (message === 'end') return stop('normal');
      if (message instanceof Delivery) {
        hear(message);
      } else if (message.type === 'portion') {
        for (const delivery of message.deliveries) hear(delivery);
        portions++;
        more = message.more === true;
        if (more && member.asks) member.ask();
      } else if (message.type === 'credit') {
        member.credit += message.bytes;
      } else {
        if (message.type === 'joined' || message.type === 'claimed') member.topic = message.topic;
        told.push(describe(message));
        if (message.type === 'lost') lost = message;
        if (message.type !== 'joined') return keep;
        answer ??= message;
        for (const delivery of message.deliveries ?? []) hear(delivery);
        more = message.more === true;
        if (more && member.asks) member.ask();
      }
      return keep;
    },
    undelivered(message) {
      if (message === 'end') return;
      const held =
        message instanceof Delivery ? [message] : 'deliveries' in message ? (message.deliveries ?? []) : [];
      for (const delivery of held) delivery.accounting.drop(delivery.count, 'closed');
    },
  };
  const pid = spawnOk(system, behaviour, null);
  const member: TestMember = {
    pid,
    heard,
    deliveries,
    told,
    get answer() {
      return answer;
    },
    get lost() {
      return lost;
    },
    asks: true,
    get more() {
      return more;
    },
    get portions() {
      return portions;
    },
    ask() {
      if (member.topic !== undefined) portion(member.topic, pid);
    },
    credit: 0,
    topic: undefined,
    get alive() {
      return isAlive(pid);
    },
  };
  return member;
}

type Told = Exclude<MemberMessage, Delivery | { readonly type: 'credit' | 'portion' }>;

function describe(message: Told): string {
  if (message.type === 'refused') {
    const { action, name, why, receipt } = message;
    return `refused ${action} ${name} ${why}${receipt === undefined ? '' : ` ${receipt}`}`;
  }
  if (message.type === 'joined' && message.resumption !== undefined) {
    const { from, at, recovered, missed, why } = message.resumption;
    const outcome = recovered === undefined ? '' : recovered ? ' recovered' : ` missed ${missed} ${why}`;
    return `joined ${message.topic.name} ${from.offset}-${at.offset}${outcome}`;
  }
  if (message.type === 'lost' && message.at !== null)
    return `lost ${message.topic.name} ${message.at.offset}`;
  if (message.type === 'published')
    return `published ${message.name} ${message.receipt} ${message.at?.offset ?? null}`;
  return `${message.type} ${message.topic.name}`;
}

export function textMessage(text: string): Message {
  // Formats carry every text.
  return { kind: text.startsWith('undeliverable') ? 'binary' : 'text', payload: Buffer.from(text) };
}

/** Texts joined by line feeds; a large one is told by its first characters. */
export function textsOf({ bytes }: Delivery): string[] {
  return bytes
    .toString()
    .split('\n')
    .map((text) => text.slice(0, 20));
}

/** Delivers texts as they are, but for those that say what is to happen. */
export function formatOf(name: string, special: (text: string) => void = () => undefined): Format {
  return {
    name,
    render({ payload }) {
      const text = payload.toString('utf8', 0, 20);
      if (text.startsWith('poison')) throw new Error('poison');
      special(text);
      if (text.startsWith('undeliverable')) return 'undeliverable';
      if (text.startsWith('nothing')) return 'nothing';
      return { opcode: 1, payload };
    },
    assemble: (parts) => Buffer.from(parts.map(({ payload }) => payload.toString()).join('\n')),
  };
}

export const plain = formatOf('plain');

/** Delivers texts with their numbers in front, `3:three`, and gaps as `-2 restarted`. */
export function numbering(name: string, special: (text: string) => void = () => undefined): Format {
  const { render, assemble } = formatOf(name, special);
  return {
    name,
    render(message, topic, at) {
      const part = render(message, topic, at);
      if (typeof part === 'string') return part;
      return { opcode: 1, payload: Buffer.from(`${at?.offset ?? null}:${part.payload.toString()}`) };
    },
    gap: (_, { missed, why }) => ({ opcode: 1, payload: Buffer.from(`-${missed} ${why}`) }),
    assemble,
  };
}

/** Keeps messages of topics whose name begins with `kept`. */
export function keeping(bounds: Partial<Bounds> = {}, more: Partial<HistorySettings> = {}): HistorySettings {
  const all = { messages: 100, bytes: 256 * 1024, age: 300_000, ...bounds };
  return {
    rule: (name) => (name.startsWith('kept') ? all : null),
    total: 64 * 1024 * 1024,
    resume: 1024 * 1024,
    ...more,
  };
}

/** `EPOCH:OFFSET` of where a topic is. */
export function positionOf(topic: Topic): string {
  return topic.line === null ? 'none' : formatPosition(topic.line.position);
}

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
