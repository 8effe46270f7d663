import type { Histogram } from '../histogram.ts';
import type { Format } from '../topic/format.ts';
import type { Chronicle } from './chronicle.ts';
import type { Edges } from './edges.ts';
import type { NodeView } from './node-view.ts';
import type { Stalls } from './watchdog.ts';

/** What is watched: the relay as the console sees it, and what is counted for metrics. It is read, and not changed. */
export interface RelayView extends NodeView {
  /** Those that are open now. */
  readonly doors: () => readonly DoorView[];
  readonly admission: { readonly open: number; readonly shedding: boolean };
  /** Refusals by limits and checks that all doors share. */
  readonly refused: () => Readonly<Record<string, number>>;
  readonly authenticators: () => readonly AuthenticatorView[];
  readonly chronicle: Chronicle;
  readonly edges: Edges;
  readonly stalls: Stalls;
  /** Log lines that were lost. */
  readonly linesLost: () => number;
}

export interface DoorView {
  readonly name: string;
  readonly realm: string;
  /** The registered name of its listener. */
  readonly listener: string;
  /** What its clients get deliveries as; null: they get none. */
  readonly format: Format | null;
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
