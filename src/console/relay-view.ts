import type { Histogram } from '../histogram.ts';
import type { System } from '../otp/system.ts';
import type { Topics } from '../topic/topics.ts';
import type { Chronicle } from './chronicle.ts';
import type { Edges } from './edges.ts';
import type { Stalls } from './watchdog.ts';

/** What the tools of this folder look at. They read it and change nothing. */
export interface RelayView {
  readonly node: string;
  readonly version: string;
  readonly system: System;
  readonly topics: Topics;
  readonly doors: readonly DoorView[];
  readonly admission: { readonly open: number; readonly shedding: boolean };
  readonly authenticators: readonly AuthenticatorView[];
  readonly chronicle: Chronicle;
  readonly edges: Edges;
  readonly stalls: Stalls;
  /** The links to other relays; none where there are none. */
  readonly links: () => readonly LinkView[];
  /** Log lines that were lost. */
  readonly linesLost: () => number;
}

export interface DoorView {
  readonly name: string;
  readonly realm: string;
  /** The registered name of its listener. */
  readonly listener: string;
  readonly counters: {
    readonly connections: number;
    readonly messages: number;
    readonly posts: number;
    readonly sends: number;
    readonly drops: number;
  };
}

export interface AuthenticatorView {
  readonly guard: string;
  readonly authenticator: string;
  readonly answered: number;
  readonly failed: number;
  readonly latency: Histogram;
}

export interface LinkView {
  readonly peer: string;
  readonly direction: 'out' | 'in';
  readonly state: 'up' | 'connecting' | 'down';
  /** Seconds that the other side's confirmation is behind; null: not known. */
  readonly lag: number | null;
  readonly messages: number;
}
