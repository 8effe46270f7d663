import { costOf } from '../topic/message.ts';

/**
 * What a publisher may have under way. Each message costs its bytes and a fixed sum until its topic has fanned it out;
 * a publisher that has used up its credit is not read from until some has come back.
 */
export class Credit {
  #used = 0;

  /** Takes the cost of a message, and returns it: what is to be given back. */
  take(bytes: number): number {
    const cost = costOf(bytes);
    this.#used += cost;
    return cost;
  }

  giveBack(cost: number): void {
    this.#used = Math.max(0, this.#used - cost);
  }

  /** All that was published has been fanned out. */
  get whole(): boolean {
    return this.#used === 0;
  }

  get exhausted(): boolean {
    return this.#used >= CREDIT_BYTES;
  }
}

export const CREDIT_BYTES = 128 * 1024;
