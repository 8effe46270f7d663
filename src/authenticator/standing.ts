import type { Pid } from '../otp/process.ts';
import type { Hidden } from '../secret/hidden.ts';
import type { Question } from './contract.ts';

/** Credentials of one connection that are remembered; past it the oldest one goes, at the connection too. */
export const CREDENTIALS = 32;

/** One answer that stands. */
export interface Standing<Asker> {
  readonly from: Pid<Asker>;
  readonly ref: number;
  readonly question: Hidden<Question>;
}

/** A server that looks after standing answers. */
export interface Keeper<Asker> {
  readonly pid: Pid<never>;
  take(standing: Standing<Asker>): void;
}

/**
 * What was granted to whom, for an authenticator that may change its mind. It belongs to the part that starts the server,
 * and so outlives the server's crashes: what was granted before a crash can be taken back after it.
 */
export class StandingAnswers<Asker> {
  #keeper: Keeper<Asker> | null = null;
  readonly #byAsker = new Map<Pid<Asker>, Map<number, Hidden<Question>>>();

  /**
   * The server that looks after them now. It is told of what another server adds: that server has been replaced, and has
   * answered late by what holds no longer.
   */
  get keeper(): Keeper<Asker> | null {
    return this.#keeper;
  }

  /** A server looks after them from here on. Returns the one before it. */
  lookAfter(keeper: Keeper<Asker>): Keeper<Asker> | null {
    const before = this.#keeper;
    this.#keeper = keeper;
    return before;
  }

  /** A server leaves them to another server, unless they have been taken from it already. */
  leaveTo(from: Keeper<Asker>, to: Keeper<Asker> | null): void {
    if (this.#keeper === from) this.#keeper = to;
  }

  get askers(): Iterable<Pid<Asker>> {
    return this.#byAsker.keys();
  }

  get size(): number {
    return this.#byAsker.size;
  }

  /** True when it is the first one of that asker. `most`: answers that an asker may have; the oldest one goes. */
  add({ from, ref, question }: Standing<Asker>, most: number): boolean {
    const answers = this.#byAsker.get(from);
    if (answers === undefined) {
      this.#byAsker.set(from, new Map([[ref, question]]));
      return true;
    }
    answers.set(ref, question);
    const [oldest] = answers.keys();
    if (answers.size > most && oldest !== undefined) answers.delete(oldest);
    return false;
  }

  has({ from, ref }: Pick<Standing<Asker>, 'from' | 'ref'>): boolean {
    return this.#byAsker.get(from)?.has(ref) === true;
  }

  get({ from, ref }: Pick<Standing<Asker>, 'from' | 'ref'>): Standing<Asker> | undefined {
    const question = this.#byAsker.get(from)?.get(ref);
    return question === undefined ? undefined : { from, ref, question };
  }

  /** The answer no longer stands. */
  drop({ from, ref }: Pick<Standing<Asker>, 'from' | 'ref'>): void {
    this.#byAsker.get(from)?.delete(ref);
  }

  /** The asker is gone. */
  leave(from: Pid<never>): void {
    this.#byAsker.delete(from as Pid<Asker>);
  }

  *[Symbol.iterator](): Iterator<Standing<Asker>> {
    for (const [from, answers] of this.#byAsker)
      for (const [ref, question] of answers) yield { from, ref, question };
  }
}
