import type { ChildSpec } from '../otp/child-spec.ts';
import { worker } from '../otp/child-spec.ts';
import { dynamicSupervisor } from '../otp/dynamic-supervisor.ts';
import { type ProcessName, processName } from '../otp/registry.ts';
import { supervisor } from '../otp/supervisor.ts';
import type { System } from '../otp/system.ts';
import { Accounting } from './accounting.ts';
import type { Elsewhere } from './elsewhere.ts';
import type { GapReason } from './gap.ts';
import { Histories } from './history/histories.ts';
import { historyServer } from './history/history-server.ts';
import { Keys } from './keys.ts';
import type { Publish } from './message.ts';
import type { Claim, Incoming, Join, Recall, Topic } from './topic.ts';
import { hashKey } from './topic-name.ts';
import { change, forward } from './topic-requests.ts';
import {
  PROBE_REALM,
  publishRouted,
  route,
  type TopicRouterMessage,
  type TopicSupervisorMessage,
  TopicTable,
  topicRouter,
} from './topic-router.ts';
import { abandonTopic, topicServer } from './topic-server.ts';

/** Partitions, so that a topic that keeps crashing uses up the restarts of a few neighbours only. */
const PARTITIONS = 8;
/** Crashes of topic servers in one partition, in 5 seconds, before the partition starts afresh. */
const INTENSITY = { intensity: 10, period: 5000 };
/** Publishers are slowed by their credit long before; this is for what no credit covers. */
const MAILBOX_LIMIT = 1_000_000;

interface Partition {
  readonly table: TopicTable;
  readonly servers: ProcessName<TopicSupervisorMessage>;
  readonly router: ProcessName<TopicRouterMessage>;
}

/** All live topics: how the rest of the relay reaches them, and their part of the supervision tree. */
export class Topics {
  readonly accounting: Accounting;
  readonly #partitions: readonly Partition[];
  readonly #elsewhere: Elsewhere | null;
  /** All that is published goes to other relays. */
  readonly #goesUp: boolean;
  readonly #probeAccounting = new Accounting();
  readonly #keys = new Keys();
  /** What is kept of topics, live or not. */
  readonly histories: Histories;

  /** `elsewhere`: the other relays; null where there are none. */
  constructor(
    accounting: Accounting,
    elsewhere: Elsewhere | null = null,
    histories: Histories = new Histories(),
  ) {
    this.accounting = accounting;
    this.histories = histories;
    this.#elsewhere = elsewhere;
    this.#goesUp = elsewhere !== null && elsewhere.uplink !== null;
    this.#partitions = Array.from({ length: PARTITIONS }, (_, index) => ({
      table: new TopicTable(),
      servers: processName(`topics.${index}.servers`),
      router: processName(`topics.${index}.router`),
    }));
  }

  /** `topics`: one supervisor per partition, over its servers and then its router. */
  get spec(): ChildSpec {
    return supervisor('topics', { strategy: 'one_for_one', intensity: 5, period: 5000 }, [
      ...this.#partitions.map((partition, index) => this.#partitionSpec(partition, index)),
      ...(this.histories.isOn ? [worker('topics.history', historyServer, this.histories)] : []),
    ]);
  }

  /** The live topic of that name. Reading it needs no message: nobody but its router changes the table. */
  find(realm: string, name: string): Topic | undefined {
    return this.#of(name).table.find(realm, name);
  }

  /** Asks for membership or ownership. The answer comes to the one who asks, as a `MemberMessage`. False: nobody can. */
  route(system: System, realm: string, request: Join | Claim): boolean {
    return route(system, this.#of(request.name).router, realm, request);
  }

  /**
   * Sends a message to its topic, as `find` has found it. False: nobody can take it, and it is not counted.
   *
   * Where messages are kept, or everything goes to other relays, a topic that is not live is started for it by the
   * router. While any message is on its way through a router, all take that way: none overtakes another. What comes
   * over a link is published the same way.
   */
  publish(
    system: System,
    realm: string,
    name: string,
    topic: Topic | undefined,
    message: Publish | Incoming,
  ): boolean {
    if (!this.#goesUp && !this.keeps(name, topic)) return topic !== undefined && forward(topic, message);
    const partition = this.#of(name);
    if (topic?.server !== undefined && !topic.isStarting && partition.table.publishes === 0)
      return forward(topic, message);
    return publishRouted(system, partition, realm, name, message);
  }

  /** Whether a message starts its topic where that is not live: then nobody but the router could be missing. */
  isStartedByMessages(name: string): boolean {
    return this.#goesUp || this.histories.keeps(name);
  }

  /**
   * Another relay asks for what is kept of a topic. False: nothing is. `isHome`: this relay gives the topic its order, and is to say
   * where it stands even if it has nothing.
   */
  recall(system: System, realm: string, request: Recall, isHome: boolean): boolean {
    const { name } = request;
    const isKnown = this.find(realm, name) !== undefined || this.histories.find(realm, name) !== undefined;
    return (isKnown || isHome) && route(system, this.#of(name).router, realm, request);
  }

  /** Nobody knows how many messages have been missed of the topics whose order is this relay's own. */
  tearOff(why: GapReason, now: number): void {
    const isOrdered = (name: string) => this.#elsewhere?.isOrdered(name) ?? false;
    for (const topic of this.all())
      if (topic.line !== null && !topic.isOrdered) change(topic, { type: 'hole', count: null, why });
    this.histories.tearOff(({ key }) => !isOrdered(key.name), why, now);
  }

  /** Whether messages of a topic are kept: of one that is live, it knows. */
  keeps(name: string, topic: Topic | undefined): boolean {
    if (topic === undefined || topic.retired) return this.histories.keeps(name);
    return topic.line !== null && topic.line.ring !== null;
  }

  /** Every live topic but those of probes, for tools and metrics. */
  *all(): Iterable<Topic> {
    for (const { table } of this.#partitions)
      for (const topic of table.all()) if (topic.realm !== PROBE_REALM) yield topic;
  }

  /** The names of the routers, one for each partition. */
  get routers(): readonly string[] {
    return this.#partitions.map(({ router }) => router.value);
  }

  /** Which of the routers a topic of that name has. */
  routerOf(name: string): string {
    return this.#of(name).router.value;
  }

  #of(name: string): Partition {
    return this.#partitions[hashKey(name) % PARTITIONS] as Partition;
  }

  #partitionSpec({ table, servers, router }: Partition, index: number): ChildSpec {
    const template = {
      behaviour: topicServer(this.accounting),
      restart: 'transient',
      keepMailbox: true,
      mailboxLimit: MAILBOX_LIMIT,
      abandoned: abandonTopic,
      ...INTENSITY,
    } as const;
    return supervisor(`topics.${index}`, { strategy: 'rest_for_one', intensity: 3, period: 5000 }, [
      dynamicSupervisor(`topics.${index}.servers`, template, { name: servers }),
      worker(
        `topics.${index}.router`,
        topicRouter(this.accounting, table),
        {
          table,
          servers,
          router,
          accounting: this.accounting,
          probeAccounting: this.#probeAccounting,
          elsewhere: this.#elsewhere,
          histories: this.histories,
          keys: this.#keys,
        },
        { name: router, mailboxLimit: MAILBOX_LIMIT },
      ),
    ]);
  }
}
