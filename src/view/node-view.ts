import type { System } from '../otp/system.ts';
import type { OwnWords } from '../secret/redaction.ts';
import type { Topics } from '../topic/topics.ts';
import type { Certificates } from './certificates.ts';
import type { LinkView } from './link-view.ts';
import type { RecentReports } from './recent-reports.ts';

/** All that operators' tools are given of the relay: what they look at, and the few things that they may ask for. */
export interface NodeView {
  readonly node: string;
  readonly version: string;
  readonly system: System;
  readonly topics: Topics;
  readonly certificates: Certificates;
  readonly reports: RecentReports;
  /** The links to other relays; null: this relay is alone now. */
  readonly links: () => readonly LinkView[] | null;
  /** How much the log says. */
  readonly logLevel: { get(): LogLevel; set(level: LogLevel): void };
  /** Every part has started, and none is being stopped. */
  readonly ready: () => boolean;
  /** Stops the relay in good order. */
  readonly stop: () => void;
  /** Reads the configuration again. */
  readonly reload: () => Promise<Reloaded>;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** What came of a reload. Keys are paths such as `limits.pending`; no value is ever named. */
export interface Reloaded {
  readonly ok: boolean;
  /** What is wrong with the new configuration, or could not be done. */
  readonly errors: readonly (string | OwnWords)[];
  readonly applied: readonly string[];
  /** Keys that are as they were and whose files were read anew, as other contents are in them. */
  readonly reread: readonly string[];
  /** Keys that have changed, or whose files have, and that count from the next start on. */
  readonly needsRestart: readonly string[];
}

/** Something that an operator has asked for and cannot have; its message is for them. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
