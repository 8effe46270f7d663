import { labelOf } from './outage.ts';

/** What foreign code came to. Of an error only its label is kept: it may quote the credential. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string | null; readonly faulty: boolean };

/** Thrown where who judges was there, and answered what is no answer: trying again later is no help. */
export class FaultyAnswer extends Error {
  /** For the log. */
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export function attempt(action: () => unknown): Outcome {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return failure(error);
  }
}

export function failure(error: unknown): Outcome {
  return { ok: false, error: labelOf(error), faulty: isFaulty(error) };
}

/** Even this may run foreign code, and throw. */
function isFaulty(error: unknown): boolean {
  try {
    return error instanceof FaultyAnswer;
  } catch {
    return false;
  }
}

export function isThenable(value: unknown): boolean {
  const then = attempt(() => (value as PromiseLike<unknown> | null)?.then);
  return then.ok && typeof then.value === 'function';
}
