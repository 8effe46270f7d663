import type { Permissions } from './permissions.ts';

/**
 * Who may do what. An authenticator runs as a process of its own, so that a slow one blocks nobody: a promise that is
 * rejected, or does not settle in time, counts as no answer, and no answer grants nothing. A throw does too.
 */
export interface Authenticator {
  readonly name: string;
  /** What everybody may do, without any credential. */
  readonly anonymous: Permissions;
  /**
   * All that a credential grants, `anonymous` included; empty permissions refuse it. Called within a turn of the event
   * loop that is everybody's: what takes long returns a promise. It keeps the credential no longer than it needs it.
   */
  authorise(question: Question): Permissions | Promise<Permissions>;
  /**
   * Calls `changed` whenever earlier answers may no longer hold; those who were granted something are asked about again.
   * What it returns ends the watch.
   */
  watch?(changed: () => void): () => void;
}

export interface Question {
  /** The credential, as the client gave it. It must reach no log, metric or report. */
  readonly authorization: string;
  readonly door: string;
  /** Where the client is, as far as the socket knows. */
  readonly address: string;
}
