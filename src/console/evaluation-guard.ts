import { Worker } from 'node:worker_threads';

/**
 * Ends an evaluation that does not give the event loop back. V8's own time limit ends an endless loop, but not an
 * endless chain of promises, which starves timers and sockets all the same; only another thread can see that. While an
 * evaluation is under way the main thread beats; when it has not for too long, its execution is terminated from here.
 */
const SOURCE = `
const { workerData } = require('node:worker_threads');
const { Session } = require('node:inspector');
const [ARMED, BEAT] = [0, 1];
const { shared, limit } = workerData;
for (;;) {
  Atomics.wait(shared, ARMED, 0);
  const beat = Atomics.load(shared, BEAT);
  if (Atomics.wait(shared, BEAT, beat, limit) !== 'timed-out' || Atomics.load(shared, ARMED) === 0) continue;
  const session = new Session();
  session.connectToMainThread();
  session.post('Runtime.terminateExecution');
  Atomics.wait(shared, BEAT, beat, limit);
  session.disconnect();
}
`;

const ARMED = 0;
const BEAT = 1;

export class EvaluationGuard {
  readonly #shared = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;
  readonly #period: number;
  #timer: NodeJS.Timeout | undefined = undefined;
  #armed = 0;

  /** `limit`: milliseconds without a sign of the event loop. */
  constructor(limit: number) {
    this.#period = Math.max(10, Math.floor(limit / 20));
    this.#worker = new Worker(SOURCE, {
      eval: true,
      workerData: { shared: this.#shared, limit },
      // Nothing of how this process was started concerns it.
      execArgv: [],
      env: {},
    });
    this.#worker.unref();
    // Without its guard an evaluation is only less safe.
    this.#worker.on('error', () => undefined);
  }

  arm(): void {
    if (this.#armed++ > 0) return;
    this.#beat();
    Atomics.store(this.#shared, ARMED, 1);
    Atomics.notify(this.#shared, ARMED);
    this.#timer = setInterval(() => this.#beat(), this.#period);
    this.#timer.unref();
  }

  disarm(): void {
    if (this.#armed === 0 || --this.#armed > 0) return;
    clearInterval(this.#timer);
    Atomics.store(this.#shared, ARMED, 0);
    this.#beat();
  }

  close(): void {
    clearInterval(this.#timer);
    void this.#worker.terminate();
  }

  #beat(): void {
    Atomics.add(this.#shared, BEAT, 1);
    Atomics.notify(this.#shared, BEAT);
  }
}
