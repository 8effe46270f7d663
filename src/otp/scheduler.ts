import { dispatch, Nobody, type Ref, spawn, start, stop } from 'nact';

/** What the scheduler runs: a process with mail. */
export interface Runnable {
  run(): void;
}

/** Processes run per turn of the event loop; then sockets and timers get their chance. */
const RUNS_PER_TURN = 1024;
const FIRST_CAPACITY = 256;
const TOKEN = 'run';
/** Shared, because nact makes a new one for every message that names no sender. */
const NOBODY = new Nobody();
/** The sender is missing from nact's types. */
const dispatchFrom = dispatch as <M>(to: Ref<M>, message: M, sender: Nobody) => void;

/**
 * The run queue. A process stands in it once, however much mail it has, and one nact message (the token) per turn of
 * the event loop drains it: what a hop costs is a place in a ring, not a dispatch.
 *
 * nact runs each message of an actor in a `setImmediate` of its own, so the token comes after the sockets of the
 * same turn were read, and what they brought is fanned out before the next poll.
 */
export class Scheduler {
  readonly #system: Ref<never> = start();
  readonly #actor: Ref<typeof TOKEN>;
  #ring: (Runnable | undefined)[] = new Array(FIRST_CAPACITY);
  #mask = FIRST_CAPACITY - 1;
  #head = 0;
  #tail = 0;
  #awake = false;
  #stopped = false;

  constructor() {
    this.#actor = spawn(this.#system, () => this.#turn(), 'scheduler');
  }

  /** True when nothing waits to run. */
  get idle(): boolean {
    return this.#head === this.#tail;
  }

  enqueue(process: Runnable): void {
    if (this.#tail - this.#head > this.#mask) this.#grow();
    this.#ring[this.#tail++ & this.#mask] = process;
    if (!this.#awake) this.#wake();
  }

  /** No process runs any more. */
  stop(): void {
    this.#stopped = true;
    stop(this.#actor);
    stop(this.#system);
  }

  #wake(): void {
    if (this.#stopped) return;
    this.#awake = true;
    dispatchFrom(this.#actor, TOKEN, NOBODY);
  }

  #turn(): void {
    try {
      for (let runs = 0; runs < RUNS_PER_TURN && this.#head !== this.#tail; runs++) {
        // A running process may make the ring grow: it is read afresh for each of them.
        const slot = this.#head++ & this.#mask;
        const process = this.#ring[slot];
        this.#ring[slot] = undefined;
        process?.run();
      }
    } catch (error) {
      // A process guards its own callbacks, so this is a fault of the layer itself. nact would stop the scheduler and
      // say so on the console only: end the program instead.
      queueMicrotask(() => {
        throw error;
      });
    }
    this.#awake = false;
    // Taken down to a small number, or a queue that never runs dry would count past what a small integer holds.
    const count = this.#tail - this.#head;
    this.#head &= this.#mask;
    this.#tail = this.#head + count;
    if (count > 0) this.#wake();
  }

  #grow(): void {
    const old = this.#ring;
    const count = this.#tail - this.#head;
    const ring: (Runnable | undefined)[] = new Array(old.length * 2);
    for (let i = 0; i < count; i++) ring[i] = old[(this.#head + i) & this.#mask];
    this.#ring = ring;
    this.#mask = ring.length - 1;
    this.#head = 0;
    this.#tail = count;
  }
}
