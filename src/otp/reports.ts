/** Written when a process crashes. Holds no message contents and no state. */
export interface CrashReport {
  readonly type: 'crash';
  readonly pid: string;
  readonly name: string | null;
  /** The behaviour whose `init` started the process. */
  readonly initialCall: string;
  /** What it was about, in the words of its behaviour, such as the name of its topic; null: its behaviour does not say. */
  readonly about: string | null;
  readonly reason: string;
  readonly stack: readonly string[];
  /** From the parent up to the root. */
  readonly ancestors: readonly string[];
  readonly mailboxLength: number;
  readonly links: readonly string[];
}

/** Written by a supervisor when a child fails: to start, while it runs, to stop in time; and when it gives up itself. */
export interface SupervisorReport {
  readonly type: 'supervisor';
  readonly supervisor: string;
  readonly context: 'start_error' | 'child_terminated' | 'shutdown_error' | 'shutdown';
  readonly reason: string;
  readonly offender: {
    readonly id: string;
    readonly pid: string | null;
    readonly restart: string;
    readonly type: string;
    /** As in a crash report. */
    readonly about: string | null;
  };
}

export type Report = CrashReport | SupervisorReport;
