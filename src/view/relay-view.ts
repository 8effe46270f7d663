import type { Histogram } from '../measure/histogram.ts';
import type { Format, Message } from '../topic/message.ts';
import type { Chronicle } from './chronicle.ts';
import type { Edges } from './edges.ts';
import type { NodeView } from './node-view.ts';
import type { Stalls } from './stalls.ts';

/** What is watched: the relay as operators' tools see it, and what is counted for metrics. It is read, and not changed. */
export interface RelayView extends NodeView {
  readonly phase: () => 'starting' | 'ready' | 'draining';
  /** Those that are open now. */
  readonly doors: () => readonly DoorView[];
  readonly admission: { readonly open: number; readonly shedding: boolean };
  /** Refusals by limits and checks that all doors share. */
  readonly refused: () => Readonly<Record<string, number>>;
  readonly authenticators: () => readonly AuthenticatorView[];
  readonly chronicle: Chronicle;
  readonly edges: Edges;
  readonly stalls: Stalls;
  /** The ways to other relays; none where there are none. */
  readonly ways: () => readonly Way[];
  /** Log lines that were lost. */
  readonly linesLost: () => number;
}

/** A way to another relay, or to the network that all of them are reached by, and how it is proved. */
export interface Way {
  /** As the answer names it: `peer relay-2`, `backplane nats`. */
  readonly name: string;
  /** What is published comes back to the topic of this name, in the realm of probes. */
  readonly topic: string;
  /** Why there is nothing to be proved; null: it is up. */
  readonly down: string | null;
  /** Without it the relay is not ready. */
  readonly needed: boolean;
  /** Returns why it could not be sent. */
  publish(message: Message): string | null;
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
