/**
 * The messages that wait for a process, in their order.
 *
 * The first one has a field of its own, so that a process that gets one message per turn, as the member of a topic
 * does, allocates nothing for its mailbox.
 */
export class Mailbox {
  #first: unknown = undefined;
  #rest: unknown[] | undefined = undefined;
  length = 0;

  put(message: unknown): void {
    if (this.length === 0) this.#first = message;
    else if (this.#rest === undefined) this.#rest = [message];
    else this.#rest.push(message);
    this.length++;
  }

  /** The first message, which stays. */
  get first(): unknown {
    return this.#first;
  }

  /** Takes up to `limit` messages out. Returns them but for the first, which is to be read before. */
  takeBehindFirst(limit: number): unknown[] | undefined {
    const rest = this.#rest;
    if (rest === undefined || this.length <= limit) {
      this.clear();
      return rest;
    }
    const taken = rest.splice(0, limit);
    this.#first = taken.pop();
    this.length -= limit;
    return taken;
  }

  /** Puts messages before all that came since. */
  putBack(messages: readonly unknown[]): void {
    if (messages.length === 0) return;
    // Not spread as arguments, of which an engine takes no more than its stack has room for.
    const all = this.length === 0 ? messages : messages.concat(this.takeAll());
    this.#first = all[0];
    this.#rest = all.length > 1 ? all.slice(1) : undefined;
    this.length = all.length;
  }

  /** Takes all messages out. */
  takeAll(): unknown[] {
    const messages = this.length === 0 ? [] : [this.#first, ...(this.#rest ?? [])];
    this.clear();
    return messages;
  }

  clear(): void {
    this.#first = undefined;
    this.#rest = undefined;
    this.length = 0;
  }
}
