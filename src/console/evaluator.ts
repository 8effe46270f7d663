import { Session } from 'node:inspector';
import { type Context, createContext, runInContext, Script } from 'node:vm';
import { EvaluationGuard } from './evaluation-guard.ts';
import { operatorTimers } from './operator-timers.ts';
import { claimErrors } from './stray-errors.ts';

/**
 * Evaluates an operator's JavaScript in the node, by an inspector session of the process with itself. (Node's own REPL,
 * started in the node, would switch async hooks on for the rest of its life and slow every await.)
 *
 * Each session has a realm of its own: its declarations are gone with it, and an error that is thrown later can be told
 * from the relay's own by its realm.
 */
export type Evaluation =
  | { readonly outcome: 'value' | 'thrown'; readonly value: unknown }
  /** It took too long, or was given up. What it still has under way goes on, unheard. */
  | { readonly outcome: 'stopped'; readonly why: string };

export interface EvaluatorOptions {
  /** What an evaluation finds beside JavaScript's own globals. */
  readonly globals: Readonly<Record<string, unknown>>;
  /** Milliseconds of one evaluation. */
  readonly limit: number;
  /** Told of errors that nobody waits for any more. */
  readonly failed: (error: unknown) => void;
}

/** Milliseconds that V8's own limit is given before the guard ends what that cannot. */
const GUARD_MARGIN = 1000;
const GROUP = 'evaluation';
const OWN_GROUP = 'session';

let lastSession = 0;

interface Result {
  readonly result: RemoteObject;
  readonly exceptionDetails?: { readonly exception?: RemoteObject };
}

interface RemoteObject {
  readonly objectId?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
}

type Posted<T> = { readonly ok: true; readonly value: T } | { readonly ok: false };

export class Evaluator {
  readonly #limit: number;
  readonly #session = new Session();
  readonly #context: Context;
  readonly #timers: ReturnType<typeof operatorTimers>;
  readonly #guard: EvaluationGuard;
  readonly #unclaim: () => void;
  readonly #builtIn: readonly string[];
  #closed = false;
  #contextId = 0;
  #takerId = '';
  #taken: unknown = undefined;
  #stop: ((why: string) => void) | undefined = undefined;

  constructor({ globals, limit, failed }: EvaluatorOptions) {
    this.#limit = limit;
    this.#timers = operatorTimers(() => this.#context, limit, failed);
    this.#guard = new EvaluationGuard(limit + GUARD_MARGIN);
    const name = `operator-${++lastSession}`;
    this.#context = createContext({ ...globals, ...this.#timers.globals }, { name });
    this.#session.connect();
    this.#session.on('Runtime.executionContextCreated', ({ params }) => {
      if (params.context.name === name) this.#contextId = params.context.id;
    });
    // Enabled only to be told of the contexts: while it is, V8 keeps what goes to the console.
    this.#session.post('Runtime.enable');
    this.#session.post('Runtime.disable');
    this.#takerId = this.#makeTaker();
    const realm = runInContext(
      '({ Error, promise: Promise.prototype, names: Object.getOwnPropertyNames(globalThis) })',
      this.#context,
    ) as { readonly Error: new () => object; readonly promise: object; readonly names: readonly string[] };
    this.#builtIn = realm.names;
    this.#unclaim = claimErrors((error, promise) => {
      const own =
        error instanceof realm.Error ||
        (promise !== null && Object.getPrototypeOf(promise) === realm.promise);
      if (own) failed(error);
      return own;
    });
  }

  /** One at a time: what is under way is given up for the next. Settles within the limit, and never rejects. */
  evaluate(text: string): Promise<Evaluation> {
    this.cancel('given up for the next');
    return new Promise((resolve) => {
      let settled = false;
      const settle = (evaluation: Evaluation) => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        this.#guard.disarm();
        this.#stop = undefined;
        // What the evaluation retains in the inspector is released; what it has given to others is theirs.
        this.#session.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
        resolve(evaluation);
      };
      const tooLong = `stopped after ${this.#limit} ms`;
      const timer = setTimeout(() => settle({ outcome: 'stopped', why: tooLong }), this.#limit);
      this.#stop = (why) => settle({ outcome: 'stopped', why });
      this.#guard.arm();
      this.#session.post(
        'Runtime.evaluate',
        {
          expression: withRefs(text),
          contextId: this.#contextId,
          objectGroup: GROUP,
          replMode: true,
          awaitPromise: true,
          timeout: this.#limit,
        },
        (error, result) => {
          if (settled) return;
          // V8 answers a terminated evaluation with an error of the protocol.
          if (error !== null) settle({ outcome: 'stopped', why: tooLong });
          else settle(this.#valueOf(result as Result));
        },
      );
    });
  }

  cancel(why = 'cancelled'): void {
    this.#stop?.(why);
  }

  /** Names that may follow: of what stands before the last point, or of everything there is. */
  complete(text: string): string[] {
    const [, path = '', prefix = ''] =
      /((?:[\p{ID_Start}$_][\p{ID_Continue}$]*\??\.)*)([\p{ID_Continue}$]*)$/u.exec(text) ?? [];
    const owner = path.replace(/\??\.$/, '');
    const names = owner === '' ? this.#globalNames() : this.#namesOf(owner);
    return [...new Set(names)]
      .filter((name) => name.startsWith(prefix) && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name))
      .sort()
      .map((name) => path + name);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.cancel('the session has ended');
    this.#unclaim();
    this.#timers.close();
    this.#guard.close();
    this.#session.post('Runtime.releaseObjectGroup', { objectGroup: OWN_GROUP });
    this.#session.disconnect();
  }

  /** A function of ours that the inspector hands values to: the only way from its ids to the values themselves. */
  #makeTaker(): string {
    const slot = '__fanfare_take';
    const sandbox = this.#context as Record<string, unknown>;
    sandbox[slot] = (value: unknown) => {
      this.#taken = value;
    };
    const made = this.#post<Result>('Runtime.evaluate', {
      expression: `globalThis.${slot}`,
      contextId: this.#contextId,
      objectGroup: OWN_GROUP,
    });
    delete sandbox[slot];
    return made.ok ? (made.value.result.objectId ?? '') : '';
  }

  #valueOf({ result, exceptionDetails }: Result): Evaluation {
    const thrown = exceptionDetails?.exception;
    return { outcome: thrown === undefined ? 'value' : 'thrown', value: this.#take(thrown ?? result) };
  }

  #take({ objectId, value, unserializableValue }: RemoteObject): unknown {
    if (objectId === undefined && unserializableValue === undefined) return value;
    const argument = objectId === undefined ? { unserializableValue } : { objectId };
    this.#post('Runtime.callFunctionOn', {
      functionDeclaration: 'function (value) { this(value); }',
      objectId: this.#takerId,
      arguments: [argument],
    });
    const taken = this.#taken;
    this.#taken = undefined;
    return taken;
  }

  #globalNames(): string[] {
    const declared = this.#post<{ readonly names: string[] }>('Runtime.globalLexicalScopeNames', {
      executionContextId: this.#contextId,
    });
    return [...(declared.ok ? declared.value.names : []), ...namesOf(this.#context), ...this.#builtIn];
  }

  /** Found without running anything that could change something: no call, no getter. */
  #namesOf(expression: string): string[] {
    const found = this.#post<Result>('Runtime.evaluate', {
      expression,
      contextId: this.#contextId,
      objectGroup: GROUP,
      throwOnSideEffect: true,
      timeout: 100,
      silent: true,
    });
    if (!found.ok || found.value.exceptionDetails !== undefined) return [];
    const value = this.#take(found.value.result);
    this.#session.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
    return value === undefined || value === null ? [] : namesOf(Object(value) as object);
  }

  /** For what is answered at once. */
  #post<T>(method: string, params: object): Posted<T> {
    let posted: Posted<T> = { ok: false };
    this.#session.post(method, params, (error: Error | null, result?: object) => {
      if (error === null) posted = { ok: true, value: result as T };
    });
    return posted;
  }
}

/** Of an object and of all that it inherits from. */
function namesOf(value: object): string[] {
  const names: string[] = [];
  for (let at: object | null = value; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    for (const name of Object.getOwnPropertyNames(at)) names.push(name);
  }
  return names;
}

/**
 * `state(<88>)` is no JavaScript, and yet how a pid is printed: as long as the text cannot be compiled, pids among the
 * arguments of calls are put in quotes.
 */
function withRefs(text: string): string {
  if (!REF.test(text) || isScript(text)) return text;
  return text.replace(new RegExp(REF, 'g'), '$1"$2"');
}

const REF = /([(,]\s*)(<\d+>)(?=\s*[,)])/;

function isScript(text: string): boolean {
  try {
    new Script(text.replace(/\bawait\b/g, 'void '));
    return true;
  } catch {
    return false;
  }
}
