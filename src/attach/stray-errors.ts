import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';

/** A session that is told of its errors. */
export interface Claim {
  /** Whether it comes from the session's realm. */
  readonly owns: (error: unknown, promise: Promise<unknown> | null) => boolean;
  readonly failed: (error: unknown) => void;
}

/**
 * Uncaught errors of code that an operator has left running. The program asks here before an uncaught error ends it.
 */
export class StrayErrors {
  readonly #claims = new Set<Claim>();
  /** Once something was evaluated, errors may come of it for as long as the process lives. */
  #hasEvaluated = false;

  /** A session from here on is told of its errors. Returns a function that ends that. */
  claim(claim: Claim): () => void {
    this.#hasEvaluated = true;
    this.#claims.add(claim);
    return () => this.#claims.delete(claim);
  }

  /**
   * True: the error was an operator's, and the sessions have been told. Errors of the realm of a session are, ended sessions
   * included, and so are errors of Node alone, such as the refused connection of a socket that was opened at the prompt:
   * where the relay fails, its own code is on the stack.
   */
  take(error: unknown, promise: Promise<unknown> | null): boolean {
    if (!this.#hasEvaluated || !(isForeign(error, promise) || !isOfRelay(error))) return false;
    const owners = [...this.#claims].filter(({ owns }) => owns(error, promise));
    for (const { failed } of owners.length > 0 ? owners : this.#claims) failed(error);
    return true;
  }
}

/** The sessions' realms are the only ones beside the relay's. */
function isForeign(error: unknown, promise: Promise<unknown> | null): boolean {
  if (promise !== null && !(promise instanceof Promise)) return true;
  return types.isNativeError(error) && !(error instanceof Error);
}

const sources = dirname(dirname(fileURLToPath(import.meta.url)));
/** Folders of the relay's code, as stacks name them with and without source maps; its scheduler is nact's. */
const FOLDERS = [...['src', 'dist'].map((name) => `${join(dirname(sources), name)}/`), '/node_modules/nact/'];

/** An error that the relay throws has its code on the stack, and nothing that was typed. */
function isOfRelay(error: unknown): boolean {
  if (!types.isNativeError(error)) return false;
  const stack = String((error as Error).stack);
  return !/\bprompt:\d+:\d+\)?$/m.test(stack) && FOLDERS.some((folder) => stack.includes(folder));
}
