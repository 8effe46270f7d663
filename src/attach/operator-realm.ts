import { createRequire } from 'node:module';
import { inspect } from 'node:util';
import { Refusal } from '../view/relay-view.ts';
import type { Evaluator } from './evaluator.ts';
import type { Asked, Operation } from './operations/operation.ts';
import { safeBlock } from './text.ts';

/** The operations by name, and the one that lists them. */
export interface Operations {
  readonly byName: ReadonlyMap<string, Operation>;
  readonly help: Operation;
}

export type OperatorRealm = ReturnType<typeof operatorRealm>;

/**
 * The globals of a session: the operations as functions, what they look at, and Node's own. Functions that would
 * end the node, typed by habit or by mistake, refuse; a prison it is not, for an operator may stop the node.
 */
export function operatorRealm(
  { byName, help }: Operations,
  ask: (args: readonly unknown[]) => Asked,
  evaluator: () => Evaluator | undefined,
) {
  const produced = new WeakMap<object, Operation>();
  /** What the last operation returned, so that its answer can be shown as its own. */
  let last: { readonly value: unknown; readonly operation: Operation } | undefined;
  const functions: Record<string, unknown> = {};
  for (const operation of byName.values()) {
    const call = (...args: unknown[]) => {
      evaluator()?.enter();
      const value = operation.run(ask(args));
      if (typeof value === 'object' && value !== null) produced.set(value, operation);
      if (value instanceof Promise) {
        // An evaluation that waits for the promise goes on at once; a rejection that nobody waits for is no stray error.
        const look = () => setImmediate(() => evaluator()?.look());
        value.then((data) => {
          if (typeof data === 'object' && data !== null) produced.set(data, operation);
          look();
        }, look);
      }
      last = { value, operation };
      return value;
    };
    Object.defineProperty(call, 'name', { value: operation.name });
    const [section, name] = operation.name.split('.') as [string, string | undefined];
    if (name === undefined) functions[section] = call;
    else functions[section] = { ...(functions[section] as object | undefined), [name]: call };
  }
  const asked = ask([]);
  const h = (what?: unknown) => {
    const value = help.run(ask([typeof what === 'function' ? what.name : what]));
    last = { value, operation: help };
    return value;
  };
  const leave = () => {
    throw new Refusal('^D detaches; init.stop({confirm: true}) stops the relay');
  };
  const say = (...values: unknown[]) => {
    const texts = values.map((value) => (typeof value === 'string' ? value : inspect(value)));
    asked.say(safeBlock(texts.join(' ')));
  };
  const operatorProcess = Object.create(process, {
    exit: { value: leave },
    abort: { value: leave },
    reallyExit: { value: leave },
    kill: {
      value: (pid: unknown, ...signal: [string?]) => {
        // Zero and less are groups of processes, to which this one may belong.
        if (!(Number(pid) > 0) || Number(pid) === process.pid) leave();
        return process.kill(Number(pid), ...signal);
      },
    },
    // A chain of Node's own ticks would never let the event loop go on.
    nextTick: {
      value: (run: unknown, ...args: unknown[]) =>
        evaluator()?.soon(typeof run === 'function' ? () => run(...args) : run),
    },
  }) as unknown;
  const require = createRequire(import.meta.url);
  return {
    globals: {
      ...functions,
      h,
      help: h,
      exit: leave,
      quit: leave,
      relay: { system: asked.node.system, topics: asked.node.topics },
      process: operatorProcess,
      console: { log: say, info: say, warn: say, error: say, debug: say, dir: say },
      require: Object.assign(
        (id: string) => (/^(node:)?process$/.test(id) ? operatorProcess : (require(id) as unknown)),
        require,
      ),
      Buffer,
      URL,
      URLSearchParams,
      TextEncoder,
      TextDecoder,
      AbortController,
      AbortSignal,
      performance,
      structuredClone,
    },
    /** The operation that has returned this value; undefined: none has. */
    producedBy(value: unknown): Operation | undefined {
      if (typeof value === 'object' && value !== null) return produced.get(value);
      return last !== undefined && last.value === value ? last.operation : undefined;
    },
    /** Forgets the last value, so that it is not retained. */
    forget(): void {
      last = undefined;
    },
  };
}
