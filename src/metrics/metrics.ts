import { Registry } from 'prom-client';
import type { RelayView } from '../view/relay-view.ts';
import type { Sampling } from '../view/sampling.ts';
import { clientMetrics } from './client-metrics.ts';
import { definitions } from './definitions.ts';
import { linkMetrics } from './link-metrics.ts';
import { messageMetrics } from './message-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { runtimeMetrics } from './runtime-metrics.ts';

/**
 * The relay's metrics for Prometheus. Nothing is counted here: what the parts of the relay count in plain numbers is
 * read at each scrape. No label can be chosen by a client: doors, realms, reasons, kinds of process, peers.
 */
export class Metrics {
  readonly #registry = new Registry();

  constructor(view: RelayView, sampling: Sampling) {
    const declare = definitions(this.#registry);
    messageMetrics(view, declare);
    clientMetrics(view, sampling, declare);
    linkMetrics(view, declare);
    processMetrics(view, sampling, declare);
    runtimeMetrics(view, sampling, declare);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
