/** A promise that is so many time limits late will hardly settle; its place is given to another question. */
const FORGOTTEN_AFTER = 30;

/**
 * The questions that are with an authenticator: those that wait for an answer, each as long as the time limit, and those
 * that were given up while the authenticator still works on them. Pure; time is an argument, in milliseconds.
 */
export class Questions<Asked> {
  readonly #timeout: number;
  readonly #limit: number;
  #lastId = 0;
  /** The oldest first. */
  readonly #open = new Map<number, { readonly asked: Asked; readonly deadline: number }>();
  /**
   * Those that were given up, with the time when they are forgotten. They take up room, or an authenticator that hangs
   * would pile up promises without end.
   */
  readonly #late = new Map<number, number>();

  /** `timeout`: milliseconds that an answer may take. `limit`: questions that may be with the authenticator at once. */
  constructor(timeout: number, limit: number) {
    this.#timeout = timeout;
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#open.size + this.#late.size >= this.#limit;
  }

  /** Those that wait for an answer. */
  get open(): Asked[] {
    return Array.from(this.#open.values(), ({ asked }) => asked);
  }

  /** Returns the number by which the question is known. */
  add(asked: Asked, now: number): number {
    const id = ++this.#lastId;
    this.#open.set(id, { asked, deadline: now + this.#timeout });
    return id;
  }

  /** The authenticator is done with it. Undefined: it was given up before. */
  settle(id: number): Asked | undefined {
    const found = this.#open.get(id);
    this.#open.delete(id);
    this.#late.delete(id);
    return found?.asked;
  }

  /** Gives up those that have waited too long, and forgets what will hardly settle. */
  expire(now: number): Asked[] {
    const given: Asked[] = [];
    for (const [id, { asked, deadline }] of this.#open) {
      if (deadline > now) break;
      this.#open.delete(id);
      this.#late.set(id, deadline + FORGOTTEN_AFTER * this.#timeout);
      given.push(asked);
    }
    for (const [id, forgotten] of this.#late) {
      if (forgotten > now) break;
      this.#late.delete(id);
    }
    return given;
  }

  /** When `expire` has something to do next; infinite: never. */
  get dueAt(): number {
    const [oldest] = this.#open.values();
    const [first = Number.POSITIVE_INFINITY] = this.#late.values();
    return Math.min(oldest?.deadline ?? Number.POSITIVE_INFINITY, first);
  }
}
