import { inform, type Pid } from '../otp/process.ts';
import type { Accounting, LossReason } from './accounting.ts';
import type { Members } from './members.ts';
import type { Delivery, Message, Publish, TopicKey } from './message.ts';

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

/**
 * What has been published to a topic, and how far its fan-out has come: a crash on the way is made good by the topic's
 * next server. Each message that is not fanned out is counted once, and its publisher's credit comes back.
 */
export class FanOut<Member extends Pid<Delivery>> {
  readonly #topic: TopicKey;
  readonly #members: Members<Member, unknown>;
  /** Published and not yet fanned out, from `next` on. */
  readonly #queue: Publish[] = [];
  #next = 0;
  /** The message before `next`, while it is being rendered: if the server crashes, on this one. */
  #rendering: Publish | undefined = undefined;
  readonly #behind = new Set<Member>();
  #messages = 0;
  #attempts = 0;

  constructor(topic: TopicKey, members: Members<Member, unknown>) {
    this.#topic = topic;
    this.#members = members;
  }

  /** Published and not yet fanned out. */
  get queue(): readonly Publish[] {
    return this.#queue;
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

  push(publish: Publish): void {
    this.#queue.push(publish);
  }

  /** A member's pending bytes are many. */
  fallBehind(member: Member): void {
    if (this.#members.has(member)) this.#behind.add(member);
  }

  /** Nothing waits for the member any more: it has caught up, or has left. */
  letGo(member: Member): void {
    this.#behind.delete(member);
  }

  /** Fans out up to one delivery's worth. Returns whether some is left, for when the members have had their turn. */
  run(accounting: Accounting, uplink: Uplink | null): boolean {
    const queue = this.#queue;
    const topic = this.#topic;
    const { groups, remote } = this.#members;
    const upward: Message[] | null = uplink === null ? null : [];
    let bytes = 0;
    let unheard = 0;
    let acceptedAt = 0;
    while (this.#next < queue.length && bytes < DELIVERY_BYTES) {
      const publish = queue[this.#next] as Publish;
      this.#rendering = publish;
      this.#next++;
      const { message, via } = publish;
      if (acceptedAt === 0 && publish.acceptedAt !== undefined) acceptedAt = publish.acceptedAt;
      bytes += message.payload.length;
      if (upward !== null && via === null) upward.push(message);
      else if (groups.length === 0 && (via !== null || remote.length === 0)) unheard++;
      for (let i = 0; i < groups.length; i++) groups[i]?.render(message, topic.name, null);
      if (via === null) for (let i = 0; i < remote.length; i++) remote[i]?.render(message, topic.name, null);
    }
    this.#rendering = undefined;
    const count = this.#next;
    accounting.take(count - unheard);
    accounting.lose(unheard, 'unheard');
    this.#messages += count;
    // First, since it cannot fail: were a delivery to crash, the messages would not be made again.
    if (uplink !== null && upward !== null && upward.length > 0) uplink.publish(topic, upward, accounting);
    for (const group of groups) this.#attempts += group.deliver(accounting, acceptedAt);
    for (const group of remote) this.#attempts += group.deliver(accounting, acceptedAt);
    for (let i = 0; i < count; i++) {
      const publish = queue[i] as Publish;
      if (publish.credit > 0) giveBack(publish);
    }
    this.#next = 0;
    if (count === queue.length) queue.length = 0;
    else queue.splice(0, count);
    return queue.length > 0;
  }

  /**
   * The last server may have crashed while it made a delivery. On a message: that one is lost, and those rendered before
   * it are rendered again. Later, on the bytes of one format: its members lose that delivery, whose messages have been
   * counted.
   */
  resume(accounting: Accounting): void {
    const { groups, remote } = this.#members;
    const rendering = this.#rendering;
    if (this.#next === 0) return;
    if (rendering !== undefined) {
      this.#queue.splice(this.#next - 1, 1);
      lose(rendering, accounting, 'crash');
    } else {
      for (const publish of this.#queue.splice(0, this.#next)) giveBack(publish);
    }
    for (const group of [...groups, ...remote]) {
      if (rendering === undefined) group.crash(accounting);
      else group.forget();
    }
    this.#next = 0;
    this.#rendering = undefined;
  }

  /** Nobody will fan out what waits. */
  release(accounting: Accounting, why: LossReason): void {
    this.resume(accounting);
    for (const publish of this.#queue.splice(0)) lose(publish, accounting, why);
  }
}

export function lose(publish: Publish, accounting: Accounting, why: LossReason): void {
  accounting.lose(1, why);
  giveBack(publish);
}

/** A publisher whose credit does not come back would wait for ever: it comes back for a message that is lost, too. */
export function giveBack({ from, credit }: Publish): void {
  if (credit > 0) inform(from, { type: 'credit', bytes: credit });
}
