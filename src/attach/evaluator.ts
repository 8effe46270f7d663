import { types } from 'node:util';
import { type Context, constants, createContext, Script } from 'node:vm';
import { Refusal } from '../view/relay-view.ts';
import { promptScript } from './prompt-script.ts';
import type { StrayErrors } from './stray-errors.ts';

/**
 * Evaluates an operator's JavaScript in the node. (Node's own REPL, started in the node, would switch async hooks on for
 * the rest of its life and slow every await. V8's inspector tells of a promise that was collected from within the
 * collector, which ends the process from Node 22 on.)
 *
 * Each session has a realm of its own with a queue of microtasks of its own. So V8 can end whatever runs in it without
 * a pause, endless chains of promises included, and nothing of the relay ends with it: the relay's own microtasks wait in
 * another queue. The price: nobody looks into the realm's queue when a promise of the relay or of Node settles, so it is
 * looked into again and again as long as the session lasts.
 */
type Evaluation =
  | { readonly outcome: 'value' | 'thrown'; readonly value: unknown }
  /** It took too long, or was given up. What it still has under way goes on, unheard. */
  | { readonly outcome: 'stopped'; readonly why: string };

interface EvaluatorOptions {
  /** What an evaluation finds beside JavaScript's own globals. */
  readonly globals: Readonly<Record<string, unknown>>;
  /** Milliseconds of one evaluation, with all that it waits for. */
  readonly limit: number;
  /** Milliseconds that the session may take of one turn of the event loop: so long the whole relay stands still. */
  readonly turn: number;
  /** Where errors that nobody caught are asked about. */
  readonly strays: StrayErrors;
  /** Told of errors that nobody waits for any more. */
  readonly failed: (error: unknown) => void;
}

/** Milliseconds after which a probe, or somebody who waits for an answer, takes a relay for dead. */
const PATIENCE = 1000;

/**
 * How long a session may hold up the relay: well below the shortest time after which anybody takes it for dead. `timeout`:
 * that of links, in milliseconds.
 */
export function turnWithin(timeout: number): number {
  return Math.floor(Math.min(timeout, PATIENCE) / 3);
}

/** Part of a turn after which no operation begins any more: the rest is for the one that has begun. */
const LAST_BEGIN = 0.75;
/** Calls that the stack must have room for before an operation begins: one that is cut off halfway could leave halves. */
const STACK_ROOM = 200;
/**
 * Milliseconds between looks into the queue of microtasks. Each starts a thread, which is not for nothing on a busy
 * machine: after something has run they come ever more seldom, up to these while an evaluation waits and while none does.
 */
const FIRST_LOOK = 5;
const LOOK_WAITING = 250;
const LOOK_IDLE = 1000;
/** Characters before the cursor that completion looks at, and names that it finds. */
const COMPLETED = 1000;
const NAMES = 1000;
const GIVEN_UP = 'given up for the next';
const FILE = 'prompt';
const SLOT = '__fanfare_run';

const RUN = new Script(`${SLOT}()`, { filename: FILE });

/** Something that ran for a whole turn without a pause. */
export class TooLong extends Refusal {
  readonly #isOurs = true;

  constructor(turn: number) {
    super(`stopped after ${turn} ms without a pause`);
  }

  /** Looked at without running anything: an operator's proxy may stand wherever `instanceof` looks. */
  static is(error: unknown): error is TooLong {
    return typeof error === 'object' && error !== null && #isOurs in error && error.#isOurs;
  }
}

type Settled = (ok: boolean, value: unknown) => void;

/** What the realm itself does for us. */
interface Inside {
  readonly Error: new () => object;
  readonly promise: object;
  readonly global: object;
  readonly follow: (promise: unknown, settled: Settled) => void;
  readonly soon: (run: unknown, failed: (error: unknown) => void) => void;
}

const INSIDE = new Script(
  `({
    Error,
    promise: Promise.prototype,
    global: globalThis,
    follow: async (promise, settled) => {
      try {
        settled(true, await promise);
      } catch (error) {
        settled(false, error);
      }
    },
    soon: ((ready) => async (run, failed) => {
      await ready;
      try {
        run();
      } catch (error) {
        failed(error);
      }
    })(Promise.resolve()),
  })`,
  { filename: FILE },
);

export class Evaluator {
  readonly #limit: number;
  readonly #turn: number;
  readonly #context: Context;
  readonly #inside: Inside;
  readonly #timers: ReturnType<typeof operatorTimers>;
  readonly #failed: (error: unknown) => void;
  readonly #unclaim: () => void;
  #closed = false;
  #looks: NodeJS.Timeout | undefined = undefined;
  #run: () => unknown = () => undefined;
  /** Milliseconds that were taken of this turn of the event loop. */
  #spent = 0;
  /** Settles when the sockets have been read, and a whole turn may be taken again; undefined: nothing was taken. */
  #rest: Promise<void> | undefined = undefined;
  #isInside = false;
  /** The evaluation that was asked for last. */
  #asked: symbol | undefined = undefined;
  /** Why the last evaluation that was given up was. */
  #cancelled = '';
  /** When the last operation of this turn may begin. */
  #lastBegin = Number.POSITIVE_INFINITY;
  #stop: ((why: string) => void) | undefined = undefined;

  constructor({ globals, limit, turn, strays, failed }: EvaluatorOptions) {
    this.#limit = limit;
    this.#turn = turn;
    this.#failed = failed;
    this.#timers = operatorTimers((run) => this.#runTimer(run));
    const sandbox = { ...globals, ...this.#timers.globals, queueMicrotask: (run: unknown) => this.soon(run) };
    Object.defineProperty(sandbox, SLOT, { value: () => this.#run() });
    this.#context = createContext(sandbox, { name: 'operator', microtaskMode: 'afterEvaluate' });
    this.#inside = INSIDE.runInContext(this.#context) as Inside;
    const { Error: Own, promise: own } = this.#inside;
    this.#unclaim = strays.claim({
      owns: (error, promise) =>
        error instanceof Own || (promise !== null && Object.getPrototypeOf(promise) === own),
      failed,
    });
  }

  /** One at a time: what is under way is given up for the next. Settles within the limit, and never rejects. */
  async evaluate(text: string): Promise<Evaluation> {
    const asked = Symbol('evaluation');
    this.cancel(GIVEN_UP);
    this.#asked = asked;
    if (this.#rest !== undefined) await this.#rest;
    return this.#asked === asked ? this.#evaluate(text) : { outcome: 'stopped', why: this.#cancelled };
  }

  /** Waits until a whole turn may be taken: for what follows an evaluation at once, such as the printing of its value. */
  async rest(): Promise<void> {
    await this.#rest;
  }

  #evaluate(text: string): Promise<Evaluation> {
    return new Promise((resolve) => {
      let limit: NodeJS.Timeout | undefined;
      let isSettled = false;
      const settle = (evaluation: Evaluation) => {
        if (isSettled) return;
        isSettled = true;
        clearTimeout(limit);
        this.#stop = undefined;
        resolve(evaluation);
      };
      this.#stop = (why) => settle({ outcome: 'stopped', why });
      const settled: Settled = (ok, value) => settle({ outcome: ok ? 'value' : 'thrown', value });
      try {
        const { script, awaits } = this.bounded(() => compiled(text));
        const value = this.#within(() => script.runInContext(this.#context, this.#options));
        if (!awaits) settled(true, value);
        else
          this.bounded(() =>
            this.#inside.follow(value, (ok, came) => settled(ok, ok ? valueIn(came) : came)),
          );
      } catch (error) {
        if (error instanceof TooLong) settle({ outcome: 'stopped', why: error.message });
        else settled(false, error);
      }
      this.#lookAfter(FIRST_LOOK);
      if (isSettled) return;
      limit = setTimeout(() => this.cancel(`stopped after ${this.#limit} ms`), this.#limit);
    });
  }

  cancel(why = 'cancelled'): void {
    // It may not have begun.
    this.#asked = undefined;
    this.#cancelled = why;
    this.#stop?.(why);
  }

  /**
   * Runs what may run into the operator's code, as the printing of a value does. V8 ends it after a turn, together with
   * what it has left in the realm's queue of microtasks; throws `TooLong` then.
   */
  bounded<T>(run: () => T): T {
    const outer = this.#run;
    this.#run = run;
    try {
      return this.#within(() => RUN.runInContext(this.#context, this.#options)) as T;
    } finally {
      this.#run = outer;
    }
  }

  /** Runs it among the realm's microtasks. */
  soon(run: unknown): void {
    if (typeof run !== 'function') throw new TypeError('a function is needed');
    this.#inside.soon(run, this.#failed);
  }

  /**
   * Asked before each operation: an evaluation may be cut off anywhere, and an operation should not be. Throws where
   * there is too little time or stack left for one.
   */
  enter(): void {
    if (performance.now() > this.#lastBegin) throw new TooLong(this.#turn);
    needStack(STACK_ROOM);
  }

  /** Lets the realm's microtasks go on. */
  look(): void {
    if (this.#closed) return;
    if (this.#isTired) {
      void this.rest().then(() => this.look());
      return;
    }
    try {
      this.bounded(() => undefined);
    } catch (error) {
      // Which of the session's promises it was cannot be told; the one that is waited for may be lost.
      if (error instanceof TooLong && this.#stop !== undefined) this.#stop(error.message);
      else this.#failed(error);
    }
  }

  /** Names that may follow: of what stands before the last point, or of everything there is. */
  complete(text: string): string[] {
    const [, path = '', prefix = ''] =
      /((?:[\p{ID_Start}$_][\p{ID_Continue}$]*\??\.)*)([\p{ID_Continue}$]*)$/u.exec(text.slice(-COMPLETED)) ??
      [];
    try {
      const names = this.bounded(() => namesOf(this.#valueAt(path.split(/\??\./).slice(0, -1))));
      return [...new Set(names)]
        .filter((name) => name.startsWith(prefix) && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name))
        .filter((name) => name !== SLOT)
        .sort()
        .slice(0, NAMES)
        .map((name) => path + name);
    } catch {
      return [];
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.cancel('the session has ended');
    this.#unclaim();
    this.#timers.close();
    clearTimeout(this.#looks);
  }

  get #options() {
    return { timeout: Math.max(1, Math.ceil(this.#left)), displayErrors: false };
  }

  /** Too little is left of this turn for what nobody waits for: it could be cut off for what others have taken. */
  get #isTired(): boolean {
    return this.#rest !== undefined && this.#spent > this.#turn / 2;
  }

  /** Milliseconds that are left of this turn. */
  get #left(): number {
    return this.#turn - this.#spent;
  }

  #lookAfter(delay: number): void {
    if (this.#closed) return;
    clearTimeout(this.#looks);
    this.#looks = setTimeout(() => {
      this.look();
      this.#lookAfter(Math.min(2 * delay, this.#stop === undefined ? LOOK_IDLE : LOOK_WAITING));
    }, delay).unref();
  }

  /** A timer that runs for a whole turn takes the session's others with it: one that comes back would stall the relay again. */
  #runTimer(run: () => unknown): void {
    if (this.#closed) return;
    if (this.#isTired) {
      void this.rest().then(() => this.#runTimer(run));
      return;
    }
    try {
      this.bounded(run);
    } catch (error) {
      if (error instanceof TooLong) this.#timers.clear();
      this.#failed(error);
    }
    this.#lookAfter(FIRST_LOOK);
  }

  #within<T>(run: () => T): T {
    const outer = this.#lastBegin;
    const isOutermost = !this.#isInside;
    const began = performance.now();
    this.#lastBegin = Math.min(outer, began + LAST_BEGIN * this.#left);
    this.#isInside = true;
    try {
      return run();
    } catch (error) {
      throw isTimeout(error) ? new TooLong(this.#turn) : error;
    } finally {
      this.#lastBegin = outer;
      if (isOutermost) {
        this.#isInside = false;
        this.#spent += performance.now() - began;
        this.#rest ??= this.#afterSockets();
      }
    }
  }

  /** What is run before the sockets are read again holds up the relay together. */
  async #afterSockets(): Promise<void> {
    // The first one comes in the turn that is under way; between it and the second one the sockets are read.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    this.#spent = 0;
    this.#rest = undefined;
  }

  /** What a path of names leads to, without running anything: no call, no getter, no proxy. */
  #valueAt(path: readonly string[]): unknown {
    let value: unknown = this.#inside.global;
    for (const name of path) value = propertyOf(value, name);
    return value;
  }
}

function compiled(text: string): { readonly script: Script; readonly awaits: boolean } {
  const { source, columnOffset, awaits } = promptScript(text);
  const script = new Script(source, {
    filename: FILE,
    columnOffset,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return { script, awaits };
}

function valueIn(box: unknown): unknown {
  return (box as { readonly value: unknown } | undefined)?.value;
}

/** Looked at without running anything, as an operator may have thrown it. */
function isTimeout(error: unknown): boolean {
  return (
    types.isNativeError(error) &&
    Object.getOwnPropertyDescriptor(error, 'code')?.value === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

function needStack(calls: number): void {
  if (calls > 0) needStack(calls - 1);
}

function propertyOf(value: unknown, name: string): unknown {
  for (const at of chainOf(value)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found !== undefined) return found.value;
  }
  return undefined;
}

/** Of an object and of all that it inherits from. What is numbered has as many names as places: they are left out. */
function namesOf(value: unknown): string[] {
  const names: string[] = [];
  for (const at of chainOf(value)) {
    if (ArrayBuffer.isView(at) || Array.isArray(at) || types.isStringObject(at)) continue;
    for (const name of Object.getOwnPropertyNames(at)) names.push(name);
  }
  return names;
}

function* chainOf(value: unknown): Generator<object> {
  if (value === undefined || value === null) return;
  let at = Object(value) as object | null;
  while (at !== null && !types.isProxy(at)) {
    yield at;
    at = Object.getPrototypeOf(at) as object | null;
  }
}

type Timer = NodeJS.Timeout | NodeJS.Immediate;

/**
 * The timers that an evaluation gets in place of Node's: what they run may throw, or never end, and the node lives on;
 * and they end with the session.
 * `run` never throws: it bounds what it runs, and tells of what that throws.
 */
function operatorTimers(run: (callback: () => unknown) => void) {
  const running = new Set<Timer>();
  let closed = false;
  const start = (
    callback: unknown,
    args: readonly unknown[],
    isRepeated: boolean,
    begin: (fired: () => void) => Timer,
  ) => {
    if (typeof callback !== 'function') throw new TypeError('a function is needed');
    if (closed) throw new Error('the session has ended');
    const timer = begin(() => {
      if (!isRepeated) running.delete(timer);
      if (!closed) run(() => callback(...args));
    });
    running.add(timer);
    return timer;
  };
  const clear = (timer: unknown) => {
    running.delete(timer as Timer);
    clearTimeout(timer as NodeJS.Timeout);
    clearImmediate(timer as NodeJS.Immediate);
  };
  const clearAll = () => {
    for (const timer of running) clear(timer);
  };
  return {
    globals: {
      setTimeout: (callback: unknown, delay?: number, ...args: unknown[]) =>
        start(callback, args, false, (fired) => setTimeout(fired, delay)),
      setInterval: (callback: unknown, delay?: number, ...args: unknown[]) =>
        start(callback, args, true, (fired) => setInterval(fired, delay)),
      setImmediate: (callback: unknown, ...args: unknown[]) => start(callback, args, false, setImmediate),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    },
    clear: clearAll,
    close() {
      closed = true;
      clearAll();
    },
  };
}
