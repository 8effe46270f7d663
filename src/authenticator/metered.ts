import { Histogram } from '../measure/histogram.ts';
import type { Authenticator } from './contract.ts';

/** What one authenticator was asked, in plain numbers. */
export interface AuthenticatorMeter {
  /** The guard that it judges for: a door, or a door's API keys. */
  readonly guard: string;
  readonly authenticator: string;
  answered: number;
  /** It threw, or its promise was rejected. */
  failed: number;
  /** Seconds from question to answer, whatever the answer. */
  readonly latency: Histogram;
}

const LATENCY = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];

/** The meters of all authenticators. One that is configured anew goes on with the numbers of the one before. */
export class AuthenticatorMeters {
  readonly #meters = new Map<string, AuthenticatorMeter>();

  of(guard: string, authenticator: string): AuthenticatorMeter {
    const key = `${guard} ${authenticator}`;
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      meter = { guard, authenticator, answered: 0, failed: 0, latency: new Histogram(LATENCY) };
      this.#meters.set(key, meter);
    }
    return meter;
  }

  get all(): AuthenticatorMeter[] {
    return [...this.#meters.values()];
  }
}

/** The same authenticator, its calls counted and timed. */
export function metered(authenticator: Authenticator, meter: AuthenticatorMeter): Authenticator {
  const authorise: Authenticator['authorise'] = (question) => {
    const began = performance.now();
    const over = (outcome: 'answered' | 'failed') => {
      meter[outcome]++;
      meter.latency.observe((performance.now() - began) / 1000);
    };
    let answer: ReturnType<Authenticator['authorise']>;
    try {
      answer = authenticator.authorise(question);
    } catch (error) {
      over('failed');
      throw error;
    }
    if (!(answer instanceof Promise)) {
      over('answered');
      return answer;
    }
    answer.then(
      () => over('answered'),
      () => over('failed'),
    );
    return answer;
  };
  // Whatever else an authenticator can do goes to itself.
  return new Proxy(authenticator, {
    get: (target, key) => {
      if (key === 'authorise') return authorise;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
