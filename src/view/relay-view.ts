import type { Histogram } from '../measure/histogram.ts';
import type { System } from '../otp/system.ts';
import { type OwnWords, ownNames } from '../secret/redaction.ts';
import type { Accounting } from '../topic/accounting.ts';
import type { Histories } from '../topic/history/histories.ts';
import type { Format, Message, Publish } from '../topic/message.ts';
import type { Join, Topic } from '../topic/topic.ts';
import type { History } from './history.ts';
import type { RelayRow } from './network.ts';

/** The relay as operators' tools get it: what they look at, and the few things that they may ask for. */
export interface NodeView {
  readonly node: string;
  readonly version: string;
  readonly system: System;
  readonly topics: TopicsView;
  readonly history: History;
  /** The links to other relays; null: this relay is alone now. */
  readonly links: () => readonly LinkView[] | null;
  /** All relays of the network with their numbers, this one first. */
  readonly relays: () => readonly RelayRow[];
  /** The other relay at which a topic has its owner, or had it until its grace began; null: there is none. */
  readonly ownerElsewhere: (topic: Topic) => string | null;
  /** How much the log says. */
  readonly logLevel: { get(): LogLevel; set(level: LogLevel): void };
  /** Every part has started, and none is being stopped. */
  readonly ready: () => boolean;
  /** Stops the relay in good order. */
  readonly stop: () => void;
  /** Reads the configuration again. `by`: who asks for it. */
  readonly reload: (by: string) => Promise<Reloaded>;
  /** Every key as it counts now, and where it comes from. Secrets are hidden. */
  readonly settings: () => readonly Setting[];
}

/** A key of the configuration, as it may be written in a file; `from`: who has said so. */
export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly from: string;
}

/** The topics, and how a probe joins one. */
export interface TopicsView {
  readonly accounting: Accounting;
  /** What is kept of messages. */
  readonly histories: Histories;
  /** The live topics, but for the topics of probes. */
  all(): Iterable<Topic>;
  find(realm: string, name: string): Topic | undefined;
  /** The names of the routers, one for each partition, and which of them a topic of that name has. */
  readonly routers: readonly string[];
  routerOf(name: string): string;
  /** False: nobody can answer. */
  route(system: System, realm: string, request: Join): boolean;
  /** Whether a message starts its topic where that is not live. */
  isStartedByMessages(name: string): boolean;
  /** False: nobody takes it. */
  publish(system: System, realm: string, name: string, topic: Topic | undefined, message: Publish): boolean;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** What came of a reload. Keys are paths such as `limits.pending`; no value is ever named. */
export interface Reloaded {
  readonly ok: boolean;
  /** What is wrong with the new configuration, or could not be done. */
  readonly errors: readonly (string | OwnWords)[];
  readonly applied: readonly (string | OwnWords)[];
  /** Keys that are as they were and whose files were read anew, as other contents are in them. */
  readonly reread: readonly (string | OwnWords)[];
  /** Keys that have changed, or whose files have, and that count from the next start on. */
  readonly needsRestart: readonly (string | OwnWords)[];
}

/** The keys of a reload are names of ours: none is the value of the key before it. */
export function inOwnWords(reloaded: Reloaded): Reloaded {
  const { applied, reread, needsRestart } = reloaded;
  return {
    ...reloaded,
    applied: ownNames(applied),
    reread: ownNames(reread),
    needsRestart: ownNames(needsRestart),
  };
}

/** What an operator has asked for cannot be had; the message is for the operator. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** The relay as operators' tools see it, and the counts for metrics. It is read, and not changed. */
export interface RelayView extends NodeView {
  readonly phase: () => 'starting' | 'ready' | 'draining';
  /** The open doors. */
  readonly doors: () => readonly DoorView[];
  readonly admission: { readonly open: number; readonly limit: number; readonly shedding: boolean };
  /** Refusals by limits and checks that all doors share. */
  readonly refused: () => Readonly<Record<string, number>>;
  readonly authenticators: () => readonly AuthenticatorView[];
  /** Times that the event loop stood still. */
  readonly stalls: { readonly count: number };
  /** Requests that the admin port has refused for their token. */
  readonly wrongTokens: () => number;
  /** The ways to other relays; none where there are none. */
  readonly ways: () => readonly Way[];
  /** Log lines that were lost. */
  readonly linesLost: () => number;
}

/** A way to another relay, or to the network that all of them are reached by, and how it is proved. */
export interface Way {
  /** As the answer names it: `peer relay-2`, `backplane nats`. */
  readonly name: string;
  /** What is published comes back to the topic of this name, in the realm of probes. */
  readonly topic: string;
  /** Why the way is down; null: it is up, and to be proved. */
  readonly down: string | null;
  /** Without it the relay is not ready, even where it is down. */
  readonly needed: boolean;
  /** Returns why the message could not be sent; null: it was. */
  publish(message: Message): string | null;
}

export interface DoorView {
  readonly name: string;
  readonly realm: string;
  /** The registered name of its listener. */
  readonly listener: string;
  /** The format of deliveries to its clients; null: they get none. */
  readonly format: Format | null;
  readonly counters: {
    readonly connections: number;
    readonly messages: number;
    readonly posts: number;
    readonly sends: number;
    readonly drops: number;
  };
}

interface AuthenticatorView {
  readonly guard: string;
  readonly authenticator: string;
  readonly answered: number;
  readonly failed: number;
  readonly latency: Histogram;
}

/** One direction of what links this relay to another, or to the network that carries its messages. Times in milliseconds. */
export interface LinkView {
  /** The other relay's name, or its address while that is not known; `nats`: the network. */
  readonly peer: string;
  /** `in`: messages of the other relay; `out`: messages to it. */
  readonly direction: 'out' | 'in';
  readonly state: 'up' | 'down';
  readonly address: string | null;
  /** Why it is down. */
  readonly why: string | null;
  /** From a question to its answer, behind the messages that were under way. */
  readonly roundTrip: number | null;
  /** How far the messages that have come are behind those that were sent. */
  readonly lag: number | null;
  /** Null: messages are not counted by this peer. */
  readonly messages: number | null;
  readonly bytes: number | null;
  /** Messages meant for the other side that did not get there. */
  readonly lost: number;
  /** Bytes that wait to be written. */
  readonly pending: number;
  /** How often the link was made again. */
  readonly reconnects: number;
}
