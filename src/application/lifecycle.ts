import type { Limits } from '../config/config.ts';
import type { Clock, ClockTimer } from '../otp/clock.ts';

/** How far a relay is. `leaving`: it is not ready any more and accepts as before, for `limits.drain_delay`. */
export type Phase = 'starting' | 'ready' | 'leaving' | 'stopping';

export interface LifecycleLog {
  note(message: string, fields: Readonly<Record<string, unknown>>): void;
}

/** A relay from its start to its end. Whoever sends clients to a relay is given time to see that it leaves. */
export class Lifecycle {
  /** Settles when the relay was first asked to stop. */
  readonly stopRequested: Promise<void>;
  /** Settles when it is to drain. */
  readonly stopping: Promise<void>;
  readonly #clock: Clock;
  readonly #limits: () => Pick<Limits, 'drainDelay'>;
  readonly #log: LifecycleLog;
  #phase: Phase = 'starting';
  #delay: ClockTimer | undefined;
  #request: () => void = () => undefined;
  #drain: () => void = () => undefined;

  constructor(clock: Clock, limits: () => Pick<Limits, 'drainDelay'>, log: LifecycleLog) {
    this.#clock = clock;
    this.#limits = limits;
    this.#log = log;
    this.stopRequested = new Promise((resolve) => {
      this.#request = resolve;
    });
    this.stopping = new Promise((resolve) => {
      this.#drain = resolve;
    });
  }

  get phase(): Phase {
    return this.#phase;
  }

  get shown(): 'starting' | 'ready' | 'draining' {
    return this.#phase === 'starting' || this.#phase === 'ready' ? this.#phase : 'draining';
  }

  started(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
  }

  /** A relay that is leaving drains at once when it is asked again. */
  readonly stop = (): void => {
    this.#request();
    const delay = this.#limits().drainDelay;
    if (this.#phase === 'ready' && delay > 0) {
      this.#phase = 'leaving';
      this.#log.note('leaving', { drainDelayMs: delay });
      this.#delay = this.#clock.after(delay, this.stop);
      return;
    }
    this.#delay?.cancel();
    this.#phase = 'stopping';
    this.#drain();
  };

  ended(): void {
    this.#delay?.cancel();
  }
}
