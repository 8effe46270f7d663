import { inspect } from 'node:util';

const HIDDEN = '[hidden]';

/** A value that tools may come across, in mailboxes and settings: it prints, and becomes JSON, as `[hidden]`. */
export class Hidden<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
