import { keyOf, type TopicKey } from '../door/peer/codec.ts';
import { type Behaviour, type Down, keep, type Next } from '../otp/behaviour.ts';
import { demonitor, type MonitorRef, monitor } from '../otp/monitor.ts';
import { inform, type Pid, type Self } from '../otp/process.ts';
import { informNamed, processName } from '../otp/registry.ts';
import type { System } from '../otp/system.ts';
import { now, sendAfter } from '../otp/timer.ts';
import type { Topic } from '../topic/topic.ts';
import { change, interested, unlinked } from '../topic/topic-requests.ts';
import type { LinkMessage, LocalTopics } from './backplane.ts';

/**
 * Knows the topics that have members here, tells every link of the changes of a turn at once, and tells a topic when all
 * links have confirmed it. A topic whose last member has left stays known for a while: a subscriber that comes and goes
 * is nothing that the network hears of. One whose messages are kept stays known for as long as the oldest of them may be.
 *
 * Changes are numbered by version. A link confirms versions in their order, so that one number says all about it.
 */
export const interestName = processName<InterestMessage>('cluster.interest');

/** The first member is coming. The topic's server is sent `interested` with this round once nothing is missed. */
export function wanted(system: System, topic: Topic, round: number): void {
  informNamed(system, interestName, { type: 'wanted', topic, round });
}

/** The last member has left. */
export function unwanted(system: System, topic: Topic): void {
  informNamed(system, interestName, { type: 'unwanted', topic });
}

/** There may be links from here on: before the first one, what is wanted already is gathered for it. */
export function linking(system: System): void {
  informNamed(system, interestName, { type: 'linking' });
}

/** There is no link from here on. */
export function alone(system: System): void {
  informNamed(system, interestName, { type: 'alone' });
}

/** A link can be used: it is told all, and then of every change, until it is detached or ends. */
export function attach(system: System, link: Pid<LinkMessage>): void {
  informNamed(system, interestName, { type: 'attach', link });
}

export function detach(system: System, link: Pid<LinkMessage>): void {
  informNamed(system, interestName, { type: 'detach', link });
}

/** Of the topics of that version and of those before it, nothing is missed any more that is published over the link. */
export function confirmed(system: System, link: Pid<LinkMessage>, version: number): void {
  informNamed(system, interestName, { type: 'confirmed', link, version });
}

export type InterestMessage =
  | Down
  | { readonly type: 'attach' | 'detach'; readonly link: Pid<LinkMessage> }
  | { readonly type: 'confirmed'; readonly link: Pid<LinkMessage>; readonly version: number }
  | { readonly type: 'wanted'; readonly topic: Topic; readonly round: number }
  | { readonly type: 'unwanted'; readonly topic: Topic }
  | { readonly type: 'sweep' | 'linking' | 'alone' };

export interface InterestArgs {
  readonly topics: () => LocalTopics;
  /** There is nobody to tell, and topics tell nothing. */
  readonly alone: () => boolean;
}

interface Entry extends TopicKey {
  topic: Topic;
  /** Since when it has no member here, in milliseconds; null: it has members. */
  idleSince: number | null;
  /** The version with which it was announced. */
  readonly version: number;
  /** How long it outlives its last member, in milliseconds. */
  readonly linger: number;
}

interface Confirming {
  readonly monitor: MonitorRef;
  /** The version with which it was told everything: what it says of earlier ones is of a connection before. */
  readonly from: number;
  /** The last version that it has confirmed. */
  confirmed: number;
}

interface State extends InterestArgs {
  readonly self: Self<InterestMessage>;
  readonly entries: Map<string, Entry>;
  readonly links: Map<Pid<LinkMessage>, Confirming>;
  /** Topics whose members wait. */
  waiting: { readonly topic: Topic; readonly round: number; readonly version: number }[];
  add: TopicKey[];
  drop: TopicKey[];
  /** The last version that was announced. */
  version: number;
  sweeping: boolean;
}

/** How long interest outlives the last member, in milliseconds, and how often that is looked at. */
const LINGER = 3000;
const SWEEP = 1000;

export const interestServer: Behaviour<InterestArgs, State, InterestMessage> = {
  name: 'interest-server',

  init(self, args) {
    const state: State = {
      ...args,
      self,
      entries: new Map(),
      links: new Map(),
      waiting: [],
      add: [],
      drop: [],
      version: 0,
      sweeping: false,
    };
    // An earlier incarnation knew these.
    if (!args.alone()) wantAll(state);
    return state;
  },

  handle(state, message): Next<State> {
    switch (message.type) {
      case 'wanted': {
        const { topic, round } = message;
        state.waiting.push({ topic, round, version: wantAnew(state, topic).version });
        return keep;
      }
      case 'unwanted': {
        const entry = state.entries.get(keyOf(message.topic));
        if (entry?.topic === message.topic) entry.idleSince = now(state.self);
        return keep;
      }
      case 'attach':
        tellAll(state, message.link);
        return keep;
      case 'detach':
        demonitor(state.links.get(message.link)?.monitor ?? null);
        lose(state, message.link);
        return keep;
      case 'down':
        lose(state, message.pid as Pid<LinkMessage>);
        return keep;
      case 'confirmed':
        confirm(state, message.link, message.version);
        return keep;
      case 'sweep':
        sweep(state);
        return keep;
      case 'linking':
        wantAll(state);
        return keep;
      case 'alone':
        state.entries.clear();
        state.add = [];
        state.drop = [];
        return keep;
    }
  },

  settle(state) {
    announce(state);
    tellWaiting(state);
    return keep;
  },
};

/** What is wanted as this begins. Topics whose word of it is still on its way say it twice, which does no harm. */
function wantAll(state: State): void {
  for (const topic of state.topics().all()) if (topic.interest !== 'none') want(state, topic);
}

/** What has been published elsewhere while nobody here wanted it is missing from what is kept. */
function wantAnew(state: State, topic: Topic): Entry {
  const { line, isOrdered } = topic;
  const isKept = line !== null && !isOrdered;
  if (isKept && line.last > 0 && !state.entries.has(keyOf(topic)))
    change(topic, { type: 'hole', count: null, why: 'expired' });
  return want(state, topic);
}

function want(state: State, topic: Topic): Entry {
  const key = keyOf(topic);
  let entry = state.entries.get(key);
  if (entry === undefined) {
    const { realm, name } = topic;
    entry = { realm, name, topic, idleSince: null, version: state.version + 1, linger: lingerOf(topic) };
    state.entries.set(key, entry);
    state.add.push({ realm: topic.realm, name: topic.name });
  } else {
    entry.topic = topic;
    entry.idleSince = null;
  }
  startSweeping(state);
  return entry;
}

/** What is kept of a topic is whole for as long as it is wanted; where one relay keeps it for all, it can be asked for. */
function lingerOf({ line, isOrdered }: Topic): number {
  return isOrdered ? LINGER : Math.max(LINGER, line?.ring?.bounds.age ?? 0);
}

function tellAll(state: State, link: Pid<LinkMessage>): void {
  const { links, self, entries } = state;
  announce(state);
  const version = ++state.version;
  const watch = links.get(link)?.monitor ?? monitor(self, link);
  links.set(link, { monitor: watch, from: version, confirmed: -1 });
  const add = [...entries.values()].map(({ realm, name }) => ({ realm, name }));
  inform(link, { type: 'interest', version, all: true, add, drop: [] });
}

function lose({ links, topics }: State, link: Pid<LinkMessage>): void {
  if (!links.delete(link)) return;
  for (const topic of topics().all()) if (topic.isOrdered) unlinked(topic);
}

/** Confirmations may overtake each other where a link has two ways to go. */
function confirm({ links }: State, link: Pid<LinkMessage>, version: number): void {
  const confirming = links.get(link);
  if (confirming === undefined || version < confirming.from) return;
  confirming.confirmed = Math.max(confirming.confirmed, version);
}

function announce(state: State): void {
  const { add, drop, links } = state;
  if (add.length === 0 && drop.length === 0) return;
  state.version++;
  state.add = [];
  state.drop = [];
  const message: LinkMessage = { type: 'interest', version: state.version, all: false, add, drop };
  for (const link of links.keys()) inform(link, message);
}

function tellWaiting(state: State): void {
  if (state.waiting.length === 0) return;
  let least = Number.POSITIVE_INFINITY;
  for (const link of state.links.values()) least = Math.min(least, link.confirmed);
  state.waiting = state.waiting.filter(({ topic, round, version }) => {
    if (topic.retired || topic.round !== round || topic.interest !== 'asked') return false;
    if (version > least) return true;
    interested(topic, round);
    return false;
  });
}

function sweep(state: State): void {
  const time = now(state.self);
  state.sweeping = false;
  for (const [key, entry] of state.entries) {
    // A topic that died without a word cannot say any more that it is unwanted.
    if (entry.idleSince === null && entry.topic.retired) entry.idleSince = time;
    if (entry.idleSince === null || time - entry.idleSince < entry.linger) continue;
    state.entries.delete(key);
    state.drop.push({ realm: entry.realm, name: entry.name });
  }
  if (state.entries.size > 0) startSweeping(state);
}

function startSweeping(state: State): void {
  if (state.sweeping) return;
  state.sweeping = true;
  sendAfter(state.self, SWEEP, { type: 'sweep' });
}
