import { mustMakeWay, whyNotMoved } from '../http/port.ts';
import { type SamplerMessage, sampler } from '../observer/sampler.ts';
import { type ChildSpec, worker } from '../otp/child-spec.ts';
import { addChild, removeChild, replaceChild } from '../otp/children.ts';
import { processName } from '../otp/registry.ts';
import { type SupervisorMessage, supervisor } from '../otp/supervisor.ts';
import type { RelayView } from '../view/relay-view.ts';
import type { Sampling } from '../view/sampling.ts';
import { type AdminLog, adminListener } from './admin-listener.ts';
import type { AdminRoutes, AdminSettings } from './admin-routes.ts';
import { canaries, Readiness } from './readiness.ts';
import { type WatchdogArgs, watchdog } from './watchdog.ts';

export interface AdminOptions {
  readonly view: RelayView;
  readonly sampling: Sampling;
  readonly metrics: AdminRoutes['metrics'];
  /** Null: nothing listens, and the watchdog alone is at work. */
  readonly at: AdminAt | null;
  readonly watchdog: WatchdogArgs;
  /** Milliseconds; see `limits.write_stall`. */
  readonly writeStall: () => number;
  readonly log: AdminLog;
}

export interface AdminAt {
  readonly host: string;
  readonly port: number;
  /** Names by which it may be asked. */
  readonly names: readonly string[];
  readonly observerActions: boolean;
}

const ADMIN = processName<SupervisorMessage>('admin');
const SAMPLER = processName<SamplerMessage>('admin.sampler');

/**
 * `admin`: its part of the supervision tree. When it has used up its restarts it stays down, and the relay lives on:
 * whoever looks on must not take down what is looked at.
 */
export class Admin {
  readonly keys = ['admin'];
  readonly #options: AdminOptions;
  readonly #settings: { -readonly [Key in keyof AdminSettings]: AdminSettings[Key] } = {
    names: [],
    actions: false,
  };
  readonly #readiness: Readiness;
  #at: AdminAt | null;
  #listener = 'admin.listener';
  #generation = 0;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#readiness = new Readiness(options.view);
    this.#at = options.at;
  }

  get spec(): ChildSpec {
    const { watchdog: args } = this.#options;
    const children = [worker('admin.watchdog', watchdog, args, { name: processName('admin.watchdog') })];
    if (this.#at !== null) children.push(...this.#lookers, this.#listenerAt(this.#listener, this.#at));
    return supervisor('admin', { strategy: 'one_for_one', intensity: 10, period: 10_000 }, children, {
      restart: 'temporary',
      name: ADMIN,
    });
  }

  /** Takes another place or other settings; pages that are open lose their feed when it moves. */
  async apply({ admin: next }: { readonly admin: AdminAt | null }): Promise<readonly string[]> {
    const { system } = this.#options.view;
    const before = this.#at;
    const old = this.#listener;
    if (next === null) {
      this.#at = null;
      for (const id of [old, ...this.#lookers.map(({ id: looker }) => looker)])
        await removeChild(system, ADMIN, id);
      return [];
    }
    if (before !== null && before.host === next.host && before.port === next.port) {
      this.#at = next;
      this.#set(next);
      return [];
    }
    this.#generation++;
    const name = `admin.listener.${this.#generation}`;
    const error = before === null ? await this.#open(name, next) : await this.#move(before, name, next);
    if (error !== null) return [`admin: ${error}`];
    this.#at = next;
    this.#listener = name;
    return [];
  }

  /** Null, or why it cannot be opened. */
  async #open(name: string, at: AdminAt): Promise<string | null> {
    const { system } = this.#options.view;
    const specs = [...this.#lookers, this.#listenerAt(name, at)];
    for (const spec of specs) {
      const result = await addChild(system, ADMIN, spec);
      if (result.ok) continue;
      for (const { id } of specs) await removeChild(system, ADMIN, id);
      return result.error;
    }
    return null;
  }

  /** The new place opens before the old one closes, where both can be open at once. Null, or why it has not moved. */
  async #move(before: AdminAt, name: string, at: AdminAt): Promise<string | null> {
    const old = this.#listenerAt(this.#listener, before);
    const next = this.#listenerAt(name, at);
    const replaced = await replaceChild(this.#options.view.system, ADMIN, { old, next }, (failure) =>
      mustMakeWay(before, at, failure),
    );
    if (replaced.ok) return null;
    this.#set(before);
    return whyNotMoved(replaced);
  }

  get #lookers(): ChildSpec[] {
    const { view, sampling } = this.#options;
    return [
      worker('admin.sampler', sampler, { view, sampling, settings: this.#settings }, { name: SAMPLER }),
      canaries,
    ];
  }

  #listenerAt(name: string, at: AdminAt): ChildSpec {
    const { view, metrics, writeStall, log } = this.#options;
    const { host, port } = at;
    this.#set(at);
    const args = {
      view,
      metrics,
      readiness: this.#readiness,
      sampler: SAMPLER,
      settings: this.#settings,
      host,
      port,
      writeStall,
      log,
    };
    return worker(name, adminListener, args, { name: processName(name) });
  }

  #set({ host, names, observerActions }: AdminAt): void {
    this.#settings.names = names.includes(host) ? names : [host, ...names];
    this.#settings.actions = observerActions;
  }
}
