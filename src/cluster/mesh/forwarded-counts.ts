import type { Forwarded } from '../../door/peer/batch.ts';
import type { Relay, TopicKey } from '../../door/peer/codec.ts';
import type { Fate } from '../../door/peer/fates.ts';
import type { Pid } from '../../otp/process.ts';
import type { Publish } from '../../topic/message.ts';

/**
 * What this relay has forwarded to another relay: how many messages were handed to the connection, and how many the other
 * relay had taken when it said so last. Both count from one beginning.
 */
interface Counts {
  readonly incarnation: string;
  sent: number;
  taken: number;
  /** Of how many it has said what has become of them. */
  settled: number;
  /** Messages of which it has not said yet what has become of them, as they were sent; none of a connection before. */
  underWay: Underway[];
  /** Lost on the way there, since the start. */
  unreachable: number;
  /** Since when there is no link, in milliseconds; null: there is one. */
  partedAt: number | null;
}

/** A message on its way to its home, and who is to hear what becomes of it. */
export interface Underway {
  readonly topic: TopicKey;
  readonly forwarded: Forwarded;
  readonly sender: Sender;
}

/** A message was published here; or another relay has forwarded it over a link, and it has a number there. */
export type Sender =
  | { readonly type: 'publisher'; readonly publish: Publish }
  | { readonly type: 'link'; readonly link: Pid<Relayed>; readonly number: number }
  | { readonly type: 'nobody' };

/** What a link is told of a message that it has sent on. `anew`: it is to go elsewhere, or to be given its order here by now. */
export type Relayed =
  | { readonly type: 'settled'; readonly number: number; readonly isDone: boolean }
  | {
      readonly type: 'anew';
      readonly number: number;
      readonly topic: TopicKey;
      readonly forwarded: Forwarded;
    };

/** Milliseconds for which a relay that cannot be reached is counted for, and remembered by. */
export const FORGET = 10 * 60_000;

/**
 * What goes to other relays to be given its order there, and what becomes of it. This relay counts what it has handed
 * to the connection, and the other relay what it has taken; the other relay says so in each heartbeat, and when a link is made again.
 * Whoever waits for an answer gets it when the other relay has sent the message on, and this one has it: not when it was taken.
 * Then nothing is under way, so the difference was lost with the connection before, to the message. Of a relay that does
 * not come back, or has been started anew, only what it has said can be gone by: what it took after that is counted
 * as lost, too. It outlives links, and the processes that held them. Pure; time is an argument, in milliseconds.
 */
export class ForwardedCounts {
  readonly #counts = new Map<string, Counts>();
  readonly #lose: (count: number) => void;
  readonly #answer: (message: Underway, isDone: boolean) => void;

  /** `lose`: called for all messages that have got lost. `answer`: their publishers are told, once for each message. */
  constructor(lose: (count: number) => void, answer: (message: Underway, isDone: boolean) => void) {
    this.#lose = lose;
    this.#answer = answer;
  }

  of(node: string): Readonly<Counts> | undefined {
    return this.#counts.get(node);
  }

  /** Messages were handed to the connection to that relay. */
  sent(node: string, messages: readonly Underway[]): void {
    const counts = this.#counts.get(node);
    if (counts === undefined) return;
    counts.sent += messages.length;
    for (const message of messages) counts.underWay.push(message);
  }

  /** Messages could not be handed over. `node`: null when it is not known who would have been at the other end. */
  unreachable(node: string | null, messages: readonly Underway[]): void {
    const counts = node === null ? undefined : this.#counts.get(node);
    if (counts !== undefined) counts.unreachable += messages.length;
    this.#lose(messages.length);
    for (const message of messages) this.#answer(message, false);
  }

  /**
   * A link has been made, and the other relay has taken `taken` messages. Returns how many were lost on the way to it. One
   * that has said that it had more has forgotten, and counts from the beginning.
   */
  linked({ node, incarnation }: Relay, taken: number): number {
    const before = this.#counts.get(node);
    let lost = 0;
    if (before !== undefined) {
      const remembers = before.incarnation === incarnation && taken >= before.taken;
      lost = Math.max(0, before.sent - (remembers ? taken : before.taken));
      this.#lose(lost);
    }
    const unreachable = (before?.unreachable ?? 0) + lost;
    this.#counts.set(node, {
      incarnation,
      sent: taken,
      taken,
      settled: taken,
      underWay: [],
      unreachable,
      partedAt: null,
    });
    return lost;
  }

  /** The other relay says how many it has taken. */
  confirmed(node: string, taken: number): void {
    const counts = this.#counts.get(node);
    if (counts !== undefined) counts.taken = taken;
  }

  /** The other relay says what has become of messages. Those of a connection before have been answered. */
  settled(node: string, { count, failed }: Fate): void {
    const counts = this.#counts.get(node);
    if (counts === undefined || count <= counts.settled) return;
    const inVain = new Set(failed);
    for (const message of counts.underWay.splice(0, count - counts.settled))
      this.#answer(message, !inVain.has(++counts.settled));
    counts.settled = count;
  }

  /**
   * The link has ended. Returns of how many messages nobody can tell yet whether they have been taken: their publishers are
   * told that they may not have been.
   */
  parted(node: string, now: number): number {
    const counts = this.#counts.get(node);
    if (counts === undefined) return 0;
    counts.partedAt = now;
    for (const message of counts.underWay.splice(0)) this.#answer(message, false);
    return counts.sent - counts.taken;
  }

  /** The other relay is about to end the link, and takes nothing more. Returns what it has not taken: it may go elsewhere. */
  leaves(node: string): readonly Underway[] {
    const counts = this.#counts.get(node);
    if (counts === undefined) return [];
    counts.sent = counts.taken;
    return counts.underWay.splice(Math.max(0, counts.taken - counts.settled));
  }

  /** A relay that has been away for so long has forgotten what it took. */
  forgetIfLongGone(node: string, now: number): void {
    const partedAt = this.#counts.get(node)?.partedAt ?? null;
    if (partedAt !== null && now - partedAt >= FORGET) this.settle(node);
  }

  /** The relay is not waited for any more: what it has not confirmed is lost. */
  settle(node: string): void {
    const counts = this.#counts.get(node);
    if (counts === undefined) return;
    this.#counts.delete(node);
    this.#lose(counts.sent - counts.taken);
  }

  settleAll(): void {
    for (const node of [...this.#counts.keys()]) this.settle(node);
  }
}
