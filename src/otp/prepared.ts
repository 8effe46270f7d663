/**
 * A change in two steps: what may fail is made ready first, beside what counts now, which stays as it is; then it commits,
 * or what was made ready is undone.
 */
export type Prepared =
  /** What could not be done, in words for an operator. What had been begun is undone already. */
  { readonly faults: readonly string[] } | Ready;

export interface Ready {
  readonly faults: null;
  /** The change counts from here on. It cannot fail. */
  commit(): void | Promise<void>;
  /** Returns what could not be undone, in words for an operator. */
  undo(): readonly string[] | Promise<readonly string[]>;
}

/** Where nothing can fail. */
export function readyTo(commit: () => void | Promise<void>): Prepared {
  return { faults: null, commit, undo: () => [] };
}
