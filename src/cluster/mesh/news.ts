/** Others choose what there is to say of them. */
const SAID = 1000;

/** What was logged last of something that is tried again and again: it is not said again until it has changed. */
export class News {
  readonly #said = new Map<string, string>();

  /** Whether `text` is news of `what`. */
  is(what: string, text: string): boolean {
    if (this.#said.get(what) === text) return false;
    if (this.#said.size >= SAID) this.#said.clear();
    this.#said.set(what, text);
    return true;
  }

  /** It went well: what fails next is news. */
  forget(what: string): void {
    this.#said.delete(what);
  }

  clear(): void {
    this.#said.clear();
  }
}
