/** What somebody has asked of the relay or done to it, and what came of it. */
export interface AuditEntry {
  /** `prompt`: of `attach`; `page`: the observer page; `command`: of `bin/fanfare`. */
  readonly by: 'prompt' | 'page' | 'command' | 'signal';
  readonly who: string;
  readonly what: string;
  readonly outcome: string;
  /**
   * What the time line has in place of `what`, and of the words of a failure: no message, and nothing of what was evaluated.
   * The time line goes into reports and onto the observer page; the audit log is its owner's alone.
   */
  readonly told?: string;
  /** Nothing has come of it: it only looks, or has only begun. */
  readonly isLook?: boolean;
}

export interface Audit {
  write(entry: AuditEntry): void;
}
