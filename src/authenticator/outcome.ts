/** What foreign code came to. Of an error only its label is kept: it may quote the credential. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: string | null; readonly faulty: boolean };

/** Thrown where a judge was there, and what it answered is no answer: trying again later is no help. */
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

export function isThenable(value: unknown): boolean {
  const then = attempt(() => (value as PromiseLike<unknown> | null)?.then);
  return then.ok && typeof then.value === 'function';
}

/** `ECONNREFUSED`, `TypeError`, the five letters and digits of an SQLSTATE, or `HTTP_500`. */
const LABEL = /^(?:[A-Za-z_]{1,40}|[0-9A-Z]{5}|HTTP_[0-9]{3})$/;

/** The error's code or its class, if it looks like one. */
export function labelOf(error: unknown): string | null {
  try {
    if (!(error instanceof Error)) return null;
    const labels: unknown[] = ['code' in error ? error.code : null, error.constructor.name];
    return labels.filter((label) => typeof label === 'string').find((label) => LABEL.test(label)) ?? null;
  } catch {
    return null;
  }
}

/** Even `instanceof` may run foreign code, and throw. */
function isFaulty(error: unknown): boolean {
  try {
    return error instanceof FaultyAnswer;
  } catch {
    return false;
  }
}
