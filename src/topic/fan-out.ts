import { inform, type Pid } from '../otp/process.ts';
import type { Accounting, LossReason } from './accounting.ts';
import type { Gap } from './gap.ts';
import type { Line } from './history/line.ts';
import type { Keys } from './keys.ts';
import type { LineChange } from './line-change.ts';
import type { Members } from './members.ts';
import type { Delivery, Message, Publish, TopicKey } from './message.ts';
import type { Position } from './position.ts';

/** Bytes of messages in one delivery, so that members can say that they are behind before the next one. */
const DELIVERY_BYTES = 64 * 1024;

/**
 * Takes everything that is published here, because nobody here knows which other relay wants it. A topic that is
 * published to is live then, members or not.
 */
export interface Uplink {
  /** Takes the messages of one turn, in their order, and counts one attempt for each of them. Does not throw. */
  publish(topic: TopicKey, messages: readonly Message[], accounting: Accounting): void;
}

/** What waits for its turn: a message, or what happens to the line between two messages. */
export type Waiting = Publish | LineChange;

/** A topic. `isOrdered`: it has one order for all relays. */
interface Ordered extends TopicKey {
  readonly isOrdered: boolean;
}

/** What a turn of a fan-out goes by. */
export interface Turn {
  readonly accounting: Accounting;
  readonly uplink: Uplink | null;
  readonly keys: Keys;
  /** Milliseconds of the relay's clock. */
  readonly now: () => number;
}

/**
 * What has been published to a topic, and how far its fan-out has come: a crash on the way is made good by the topic's
 * next server. Each message that is not fanned out is counted once, and its publisher's credit comes back.
 *
 * Where the topic has a line, messages get their numbers here. They are taken into the line once all formats have rendered
 * them, and before the first delivery: what a member has got is what it can ask for again.
 */
export class FanOut<Member extends Pid<Delivery>> {
  readonly #topic: Ordered;
  readonly #line: Line | null;
  readonly #members: Members<Member, unknown>;
  /** Published and not yet fanned out, from `next` on. */
  readonly #queue: Waiting[] = [];
  #next = 0;
  /** The message before `next`, while it is being rendered: if the server crashes, on this one. */
  #rendering: Publish | undefined = undefined;
  readonly #behind = new Set<Member>();
  #messages = 0;
  #attempts = 0;
  /** Some members are to be told of a gap. */
  #owes = false;
  /** Nothing is fanned out any more. */
  #isReleased = false;

  constructor(topic: Ordered, line: Line | null, members: Members<Member, unknown>) {
    this.#topic = topic;
    this.#line = line;
    this.#members = members;
  }

  /** Published and not yet fanned out. */
  get queue(): readonly Waiting[] {
    return this.#queue;
  }

  /** Bytes of the messages that wait. */
  get bytes(): number {
    return this.#queue.reduce(
      (sum, waiting) => sum + (waiting.type === 'publish' ? waiting.message.payload.length : 0),
      0,
    );
  }

  /** Members that are behind and catching up: nothing is fanned out until they have. */
  get behind(): ReadonlySet<Member> {
    return this.#behind;
  }

  /** Messages that were fanned out. */
  get messages(): number {
    return this.#messages;
  }

  /** Deliveries that were attempted for them. */
  get attempts(): number {
    return this.#attempts;
  }

  /** There is something to fan out, and nobody to wait for. */
  get isReady(): boolean {
    return this.#queue.length > 0 && this.#behind.size === 0;
  }

  push(waiting: Waiting): void {
    this.#queue.push(waiting);
  }

  /** A member's pending bytes are many. */
  fallBehind(member: Member): void {
    if (this.#members.isInGroup(member)) this.#behind.add(member);
  }

  /** Nothing waits for the member any more: it has caught up, or has left. */
  letGo(member: Member): void {
    this.#behind.delete(member);
  }

  /** Fans out up to one delivery's worth. Returns whether some is left, for when the members have had their turn. */
  run({ accounting, uplink, keys, now }: Turn): boolean {
    const queue = this.#queue;
    const topic = this.#topic;
    const line = this.#line;
    this.pay(accounting);
    this.#clearTheWay(accounting, keys, now);
    const { groups, remote, coming } = this.#members;
    const isHeard = groups.length > 0 || coming.size > 0;
    const upward: Message[] | null = uplink === null ? null : [];
    let keyed: Set<string> | null = null;
    let bytes = 0;
    let unheard = 0;
    let filled = 0;
    let acceptedAt = 0;
    while (this.#next < queue.length && bytes < DELIVERY_BYTES) {
      const publish = queue[this.#next] as Waiting;
      if (publish.type !== 'publish') break;
      const { message, via, key } = publish;
      if (key !== undefined) {
        // A message that was sent twice is answered once the first of the two is through. The relay that it came from has looked.
        const isAgain = via === null && (keyed?.has(key) || keys.find(topic, key, now()) !== undefined);
        if (isAgain) break;
        keyed ??= new Set();
        keyed.add(key);
      }
      this.#rendering = publish;
      this.#next++;
      if (acceptedAt === 0 && publish.acceptedAt !== undefined) acceptedAt = publish.acceptedAt;
      bytes += message.payload.length;
      const at = line === null ? null : (publish.at ?? line.number(line.last + this.#next));
      if (publish.isFill === true) {
        filled++;
        continue;
      }
      if (upward !== null && via === null) upward.push(message);
      else if (!isHeard && (via !== null || remote.length === 0)) unheard++;
      for (let i = 0; i < groups.length; i++) groups[i]?.render(message, topic.name, at);
      // A position of this relay alone is none at others.
      const there = topic.isOrdered ? at : null;
      if (via === null)
        for (let i = 0; i < remote.length; i++) remote[i]?.render(message, topic.name, there, key);
    }
    this.#rendering = undefined;
    const count = this.#next;
    accounting.take(count - filled - unheard);
    accounting.lose(unheard, 'unheard');
    this.#messages += count - filled;
    if (line !== null && count > 0) this.#keep(line, count, now());
    // First, since it cannot fail: were a delivery to crash, the messages would not be made again.
    if (uplink !== null && upward !== null && upward.length > 0) uplink.publish(topic, upward, accounting);
    // Other relays first: what a client here has seen must not die with this relay.
    for (const group of remote) this.#attempts += group.deliver(accounting, acceptedAt);
    for (const group of groups) this.#attempts += group.deliver(accounting, acceptedAt);
    this.#answer(count, keys, now);
    this.#next = 0;
    if (count === queue.length) queue.length = 0;
    else queue.splice(0, count);
    return queue.length > 0;
  }

  /** Tells the members of gaps that have not been told: who joins from here on is not concerned. */
  pay(accounting: Accounting): void {
    if (!this.#owes) return;
    for (const group of this.#members.groups) group.pay(this.#topic.name, accounting);
    this.#owes = false;
  }

  /** A member has been sent what was kept for it. */
  replayed(attempts: number): void {
    this.#attempts += attempts;
  }

  /**
   * The last server may have crashed while it made a delivery. On a message: that one is lost, and those rendered before
   * it are rendered again. Later, on the bytes of one format: its members lose that delivery, whose messages have been
   * counted.
   */
  resume({ accounting, keys, now }: Turn): void {
    const { groups, remote } = this.#members;
    const rendering = this.#rendering;
    const count = this.#next;
    if (count === 0) return;
    this.#next = 0;
    this.#rendering = undefined;
    if (rendering !== undefined) {
      if (this.#line === null) this.#queue.splice(count - 1, 1);
      else this.#queue[count - 1] = lostOne;
      lose(rendering, this.#topic.name, accounting, 'crash');
      for (const group of [...groups, ...remote]) group.forget();
      return;
    }
    this.#answer(count, keys, now);
    this.#queue.splice(0, count);
    this.#owes = true;
    for (const group of [...groups, ...remote]) {
      if (group.isHalfDone && this.#line !== null) group.owe(lastOf(this.#line, count));
      group.crash(accounting);
    }
  }

  /** A message that the server was to take is lost with it. */
  miss({ at }: Publish, now: () => number): void {
    if (this.#line === null || at !== undefined) return;
    if (!this.#isReleased) this.#queue.push(lostOne);
    // Nobody hears of it any more; who asks for it later does.
    else if (!this.#line.isLive) this.#line.change(lostOne, now());
  }

  /** Nobody will fan out what waits. */
  release(turn: Turn, why: LossReason): void {
    this.resume(turn);
    for (const waiting of this.#queue.splice(0)) {
      if (waiting.type === 'publish') lose(waiting, this.#topic.name, turn.accounting, why);
      if (waiting.type !== 'publish') this.#line?.change(waiting, turn.now());
      else if (waiting.at === undefined) this.#line?.change(lostOne, turn.now());
    }
    this.#isReleased = true;
  }

  /** What stands before the next message that is to be fanned out: changes of the line, and messages that were sent twice. */
  #clearTheWay(accounting: Accounting, keys: Keys, now: () => number): void {
    const queue = this.#queue;
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      if (first.type === 'publish') {
        const { key, via } = first;
        const known = key === undefined || via !== null ? undefined : keys.find(this.#topic, key, now());
        if (known === undefined) return;
        queue.shift();
        confirm(first, this.#topic.name, known.at);
        giveBack(first);
      } else {
        queue.shift();
        const gap = this.#line?.change(first, now()) ?? null;
        if (gap !== null) this.#owe(gap);
        this.pay(accounting);
      }
    }
  }

  #owe(gap: Gap): void {
    this.#owes = true;
    for (const group of this.#members.groups) group.owe(gap);
  }

  /** Messages have got their numbers. */
  #keep(line: Line, count: number, now: number): void {
    for (let i = 0; i < count; i++) line.take((this.#queue[i] as Publish).message, now);
    line.settle(now);
  }

  /** The first so many messages have been fanned out: their publishers are told. */
  #answer(count: number, keys: Keys, now: () => number): void {
    const line = this.#line;
    for (let i = 0; i < count; i++) {
      const publish = this.#queue[i] as Publish;
      if (publish.receipt !== undefined || publish.key !== undefined) {
        const at = line === null ? null : (publish.at ?? line.number(line.last - count + 1 + i));
        if (publish.key !== undefined) keys.remember(this.#topic, publish.key, at, now());
        confirm(publish, this.#topic.name, at);
      }
      if (publish.credit > 0) giveBack(publish);
    }
  }
}

const lostOne: LineChange = { type: 'hole', count: 1, why: 'restarted' };

/** The last so many messages of a line, which somebody has missed. */
function lastOf(line: Line, missed: number): Gap {
  return { from: line.number(line.last - missed), to: line.position, missed, why: 'restarted' };
}

/** A message of that topic is not fanned out. */
export function lose(publish: Publish, topic: string, accounting: Accounting, why: LossReason): void {
  accounting.lose(1, why);
  if (why === 'unheard') confirm(publish, topic, null);
  else deny(publish, topic);
  giveBack(publish);
}

/** Tells the publisher that its message may not have been fanned out, if it wants to know. */
export function deny({ from, receipt }: Publish, topic: string): void {
  if (receipt !== undefined)
    inform(from, { type: 'refused', action: 'publish', name: topic, why: 'unavailable', receipt });
}

/** Tells the publisher that its message has been fanned out, if it wants to know. */
export function confirm({ from, receipt }: Publish, topic: string, at: Position | null): void {
  if (receipt !== undefined) inform(from, { type: 'published', name: topic, receipt, at });
}

/** A publisher whose credit does not come back would wait for ever: it comes back for a message that is lost, too. */
export function giveBack({ from, credit }: Publish): void {
  if (credit > 0) inform(from, { type: 'credit', bytes: credit });
}
