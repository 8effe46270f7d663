/**
 * Milliseconds after which waiting is given up: far more than anything here takes on a machine of a tenth of the usual
 * speed, so that a failure has a message.
 */
export const PATIENCE = 60_000;

/** Things that arrive one after the other, and somebody who waits for them. */
export class Arrivals<T> {
  /** All that has come so far. */
  readonly all: T[] = [];
  readonly #what: string;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  /** `what`: what is waited for, as the error says it. */
  constructor(what: string) {
    this.#what = what;
  }

  push(item: T): void {
    this.all.push(item);
    for (const look of [...this.#waiting]) look();
  }

  /** The first one that has not been taken yet. */
  async next(): Promise<T> {
    const index = this.#taken++;
    await this.#until(() => this.all.length > index, 'the next one');
    return this.all[index] as T;
  }

  async take(count: number): Promise<T[]> {
    const items: T[] = [];
    while (items.length < count) items.push(await this.next());
    return items;
  }

  /** The first that matches, among those that have come and those to come; takes nothing. */
  async find(matches: (item: T) => boolean, label = 'one that matches'): Promise<T> {
    await this.#until(() => this.all.some(matches), label);
    return this.all.find(matches) as T;
  }

  /** Waits until as many have come that match. */
  async count(matches: (item: T) => boolean, count: number): Promise<T[]> {
    await this.#until(() => this.all.filter(matches).length >= count, `${count} that match`);
    return this.all.filter(matches);
  }

  #until(holds: () => boolean, label: string): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const last = this.all.slice(-5).map((item) => JSON.stringify(item).slice(0, 500));
        reject(new Error(`${this.#what}: ${label} has not come; the last of ${this.all.length}: ${last}`));
      }, PATIENCE);
      // Who waits for one of two things leaves the other one behind.
      timer.unref();
      const look = () => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }
}

/** Waits, a turn of the event loop at a time, for what no event tells of. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`has not come true: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
