/** Whether anything comes from the other end of a connection. Times in milliseconds. */
export class Liveness {
  readonly #timeout: number;
  #bytes = 0;
  #heardAt: number;

  constructor(timeout: number, now: number) {
    this.#timeout = timeout;
    this.#heardAt = now;
  }

  /** `bytes`: read since the beginning. `isRead`: while it is not, nothing can be heard. */
  isSilent(bytes: number, isRead: boolean, now: number): boolean {
    if (bytes !== this.#bytes || !isRead) this.#heardAt = now;
    this.#bytes = bytes;
    return now - this.#heardAt >= this.#timeout;
  }

  /** It is read again from now on. */
  resumed(now: number): void {
    this.#heardAt = now;
  }
}
