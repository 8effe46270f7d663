import type { Exit } from '../../src/otp/behaviour.ts';
import { type Behaviour, keep, stop } from '../../src/otp/behaviour.ts';
import { isAlive, type Pid, send } from '../../src/otp/process.ts';
import { exit } from '../../src/otp/signal.ts';
import { Accounting } from '../../src/topic/accounting.ts';
import type { Elsewhere } from '../../src/topic/elsewhere.ts';
import { Delivery, type Format, type Message } from '../../src/topic/message.ts';
import type { Claim, Join, MemberMessage, Topic } from '../../src/topic/topic.ts';
import { leave } from '../../src/topic/topic-server.ts';
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
  publish(from: TestMember, name: string, text: string | Message, cost?: number): boolean;
  /** The live topic; it must be there. */
  topic(name: string): Topic;
  end(member: TestMember): void;
  /** Ends a process by its registered name, or the one of a pid, without a word. */
  kill(who: string | Pid<never>): void;
}

/** All topics of a relay on a clock wound by hand, without sockets. */
export function topicsWorld(elsewhere: Elsewhere | null = null): TopicsWorld {
  const world = testSystem();
  const { system } = world;
  const accounting = new Accounting();
  const topics = new Topics(accounting, elsewhere);
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
    publish({ pid }, name, text, cost = 0) {
      const message: Message = typeof text === 'string' ? textMessage(text) : text;
      const request = { type: 'publish', message, from: pid, via: null, credit: cost } as const;
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
  const behaviour: Behaviour<null, null, MemberMessage | 'end'> = {
    name: 'test-member',
    init: () => null,
    handle(_state, message) {
      if (message === 'end') return stop('normal');
      if (message instanceof Delivery) {
        deliveries.push(message);
        heard.push(...textsOf(message));
        accounting.deliver(message.count);
      } else if (message.type === 'credit') {
        member.credit += message.bytes;
      } else {
        if (message.type === 'joined' || message.type === 'claimed') member.topic = message.topic;
        told.push(describe(message));
      }
      return keep;
    },
    undelivered(message) {
      if (message instanceof Delivery) message.accounting.drop(message.count, 'closed');
    },
  };
  const pid = spawnOk(system, behaviour, null);
  const member: TestMember = {
    pid,
    heard,
    deliveries,
    told,
    credit: 0,
    topic: undefined,
    get alive() {
      return isAlive(pid);
    },
  };
  return member;
}

function describe(message: Exclude<MemberMessage, Delivery | { readonly type: 'credit' }>): string {
  if (message.type === 'refused') return `refused ${message.action} ${message.name} ${message.why}`;
  if (message.type === 'published')
    return `published ${message.name} ${message.receipt} ${message.at?.offset ?? null}`;
  return `${message.type} ${message.topic.name}`;
}

export function textMessage(text: string): Message {
  return { kind: 'text', payload: Buffer.from(text) };
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

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
