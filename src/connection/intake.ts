import type { Right } from '../authenticator/permissions.ts';
import type { Command, Event } from '../door/contract.ts';
import { nothing } from '../door/contract.ts';
import type { Timer } from '../otp/timer.ts';
import { costOf } from '../topic/message.ts';
import type { Since } from '../topic/position.ts';
import type { End } from './end.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Farewell, TransportMessage } from './transport/transport.ts';

/** What comes from the client, and waits its turn. */
export type Received = (TransportMessage & Event) | Farewell;

/** Something asked of another process, whose answer the session waits for. */
export type Question =
  | { readonly type: 'authorise'; readonly ref: number }
  /** About a client that has given no credential. `first`: what it wants to do, if that is known. */
  | { readonly type: 'introduce'; readonly ref: number; readonly first: Judging['command'] | null }
  | Judging
  /** `as`: how the client calls the topic. `since`: what of the past it wants. */
  | { readonly type: 'join'; readonly topic: string; readonly as: string; readonly since?: Since }
  | { readonly type: 'claim'; readonly topic: string; readonly as: string }
  | { readonly type: 'leave'; readonly topic: string; readonly as: string }
  /** What a join has brought is still being written: a client that joins many topics would not keep up with all their pasts. */
  | { readonly type: 'room' };

/** Whether a topic may be used; `command` is performed when it may. */
export interface Judging {
  readonly type: 'judge';
  readonly ref: number;
  readonly right: Right;
  readonly command: Extract<Command, { readonly type: 'join' | 'claim' | 'publish' }>;
}

/** A message waits for the answer. */
export function holdsMessage(question: Question | undefined): boolean {
  if (question?.type === 'judge') return question.command.type === 'publish';
  return question?.type === 'introduce' && question.first?.type === 'publish';
}

/** What is still to be said, and how the connection ends then. */
export interface LastWords {
  readonly words: readonly Command[];
  readonly end: End;
}

type State =
  | { readonly type: 'taking' }
  | { readonly type: 'waiting'; readonly question: Question | undefined; readonly throttled: boolean }
  | ({ readonly type: 'finishing' } & LastWords)
  | { readonly type: 'over' };

const TAKING: State = { type: 'taking' };
const OVER: State = { type: 'over' };

/**
 * What a publisher may have under way. Each message costs its bytes and a fixed sum until its topic has fanned it out; a
 * publisher that has used up its credit is not read from until some has come back.
 */
export const CREDIT_BYTES = 128 * 1024;

/**
 * What one client sends, in its order: handled now, or when the open question has been answered and the rate of publishing
 * allows. Times are in milliseconds.
 *
 *     state     | a message       | ask     | answer   | throttle | rate allows | finish    | time is over   | close
 *     ----------|-----------------|---------|----------|----------|-------------|-----------|----------------|------
 *     taking    | handle          | waiting | stale    | waiting  | –           | finishing | –              | over
 *     waiting   | queue           | waiting | taking ¹ | waiting  | taking ¹    | finishing | over ²         | over
 *     finishing | drop            | –       | stale    | –        | –           | –         | over, its end  | over
 *     over      | drop            | –       | stale    | –        | –           | –         | –              | –
 *
 * ¹ Once neither a question is open nor the rate used up; the queue is then handled as far as it need not wait again.
 * ² With the end of the farewell that waits in the queue; without one nothing happens.
 *
 * finishing: nothing more of what the client sends is handled, and what it has published before is still on its way, to
 * itself too. It is over when the credit is whole, which is when all of that has been fanned out. What is in the queue then,
 * or at a close, is never handled: it is there to be counted.
 */
export class Intake {
  #state: State = TAKING;
  #queue: Received[] | undefined = undefined;
  /** Messages whose question was open when the intake was closed. */
  #unjudged = 0;
  #timer: Timer | undefined = undefined;
  #lastRef = 0;
  /** The cost of what was published and has not been fanned out. */
  #underWay = 0;
  #published = 0;
  /** Counts what the client publishes, where that is limited. */
  #rate: TokenBucket | undefined = undefined;
  #paused = false;

  receive(message: Received): 'handle' | 'queued' | 'dropped' {
    const { type } = this.#state;
    if (type === 'finishing' || type === 'over') return 'dropped';
    if (type === 'taking' && this.#queue === undefined) return 'handle';
    this.#queue ??= [];
    this.#queue.push(message);
    return 'queued';
  }

  /** What has waited and is to be handled now; undefined: nothing, or it has to wait on. */
  next(): Received | undefined {
    if (this.#state.type !== 'taking') return undefined;
    const message = this.#queue?.shift();
    if (message === undefined) this.#queue = undefined;
    return message;
  }

  /** Numbers questions: no two of a connection's have the same. */
  nextRef(): number {
    return ++this.#lastRef;
  }

  /** A question is open from now on. `timer`: of its answer, where that might never come. */
  ask(question: Question, timer?: Timer): void {
    if (this.isOver) {
      timer?.cancel();
      return;
    }
    this.#timer?.cancel();
    this.#timer = timer;
    this.#wait(question, this.#throttled);
  }

  get question(): Question | undefined {
    return this.#state.type === 'waiting' ? this.#state.question : undefined;
  }

  /** The question is no longer open: answered, or it never will be. */
  conclude(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (!this.isOver) this.#wait(undefined, this.#throttled);
  }

  /** Counts a message that is published, at so many in a second. Returns how long the next one has to wait; 0: not. */
  throttle(rate: number, now: number): number {
    this.#rate ??= new TokenBucket(rate, now);
    this.#rate.change(rate, now);
    this.#rate.take(now);
    return this.#holdByRate(now);
  }

  /** The next message has to wait, until `relax`. */
  hold(): void {
    if (!this.isOver) this.#wait(this.question, true);
  }

  /** Time has passed, or the rate has changed; 0: there is none. Returns how long the next message has to wait. */
  relax(rate: number, now: number): number {
    if (rate > 0) this.#rate?.change(rate, now);
    else this.#rate = undefined;
    return this.#holdByRate(now);
  }

  /** Counts a message that is published, and takes its cost from the credit. Returns the cost, which is to be given back. */
  spend(bytes: number): number {
    const cost = costOf(bytes);
    this.#underWay += cost;
    this.#published++;
    return cost;
  }

  giveBack(cost: number): void {
    this.#underWay = Math.max(0, this.#underWay - cost);
  }

  get exhausted(): boolean {
    return this.#underWay >= CREDIT_BYTES;
  }

  /** All that was published has been fanned out. */
  get whole(): boolean {
    return this.#underWay === 0;
  }

  /** Messages that were published, ever. */
  get published(): number {
    return this.#published;
  }

  /** Nothing more is handled; `expire` ends it. */
  finish(words: readonly Command[], end: End): void {
    if (this.isOver) return;
    this.close();
    this.#state = { type: 'finishing', words, end };
  }

  /** All is fanned out, or the time for it is over. Returns what comes now; undefined: nothing was to end. */
  expire(): LastWords | undefined {
    const { words, end } =
      this.#state.type === 'finishing' ? this.#state : { words: nothing, end: this.farewell?.end };
    if (end === undefined) return undefined;
    this.close();
    return { words, end };
  }

  /** The connection is being closed. What still waits is never handled, and stays to be counted. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (holdsMessage(this.question)) this.#unjudged++;
    this.#state = OVER;
  }

  get finishing(): LastWords | undefined {
    return this.#state.type === 'finishing' ? this.#state : undefined;
  }

  /** What the client sends is no longer handled. */
  get isOver(): boolean {
    return this.#state.type === 'finishing' || this.#state.type === 'over';
  }

  /** Messages that wait. */
  get waiting(): number {
    return this.#queue?.length ?? 0;
  }

  /** Something that the client has sent may still be published. A farewell alone, or a join, is not worth waiting for. */
  get holds(): boolean {
    if (this.isOver) return false;
    const farewells = this.farewell === undefined ? 0 : 1;
    return this.waiting > farewells || holdsMessage(this.question);
  }

  /** The farewell that waits for its turn: the last thing that comes from a client. */
  get farewell(): Farewell | undefined {
    const last = this.isOver ? undefined : this.#queue?.at(-1);
    return last?.type === 'farewell' ? last : undefined;
  }

  /** Takes out what waited when the intake was closed, and how many messages were being judged then. */
  takeUnhandled(): { readonly messages: readonly Received[]; readonly unjudged: number } {
    const unhandled = { messages: this.#queue ?? [], unjudged: this.#unjudged };
    this.#queue = undefined;
    this.#unjudged = 0;
    return unhandled;
  }

  /**
   * Whether the client is to be read from: not without credit, nor when it has published too much, nor when it sends on
   * while a question is open. The body of a request (`isBody`) is not read before its credential has been found good.
   * 'same': it is so already.
   */
  turn(isBody: boolean): 'pause' | 'resume' | 'same' {
    const pause = this.#holdsBack(isBody);
    if (pause === this.#paused) return 'same';
    this.#paused = pause;
    return pause ? 'pause' : 'resume';
  }

  /** Nothing is read from the client. */
  get paused(): boolean {
    return this.#paused;
  }

  #holdsBack(isBody: boolean): boolean {
    const { type } = this.#state;
    if (type === 'over') return false;
    if (type === 'finishing' || this.exhausted || this.#queue !== undefined) return true;
    const asked = isBody ? this.question?.type : undefined;
    return this.#throttled || asked === 'authorise' || asked === 'introduce';
  }

  get #throttled(): boolean {
    return this.#state.type === 'waiting' && this.#state.throttled;
  }

  #holdByRate(now: number): number {
    const wait = this.#rate?.wait(now) ?? 0;
    if (!this.isOver) this.#wait(this.question, wait > 0);
    return wait;
  }

  #wait(question: Question | undefined, throttled: boolean): void {
    if (question === undefined && !throttled) this.#state = TAKING;
    else if (question !== this.question || throttled !== this.#throttled)
      this.#state = { type: 'waiting', question, throttled };
  }
}
